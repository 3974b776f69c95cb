import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  carbonIntensity,
  emissionsOf,
  energyOf,
  type Joules,
  joules,
  kilowattHours,
  seconds,
  toKilowattHours,
  total,
  type Watts,
  watts,
} from "./quantity.ts";

// Luccioni, Viguier & Ligozat, "Estimating the Carbon Footprint of BLOOM, a 176B Parameter Language
// Model" (2022), table 3: 1,082,990 GPU hours at the 400 W of an A100, 57 gCO2e/kWh.
describe("BLOOM, as published", () => {
  const energy = energyOf(watts(400), seconds(1_082_990 * 3600));

  test("the final run used 433,196 kWh", () => {
    expect(toKilowattHours(energy)).toBeCloseTo(433_196, 6);
  });
  test("and emitted 24.69 t", () => {
    expect(emissionsOf(energy, carbonIntensity(57)) / 1e6).toBeCloseTo(24.69, 2);
  });
});

test("a kilowatt hour is exactly 3.6 MJ", () => {
  expect(kilowattHours(1)).toBe(3_600_000);
});

test("kilowatt hours survive the way to joules and back", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (value) => {
      expect(toKilowattHours(kilowattHours(value))).toBeCloseTo(value, 6);
    }),
  );
});

test("unlike units do not mix", () => {
  expectTypeOf(total([joules(1), joules(2)])).toEqualTypeOf<Joules>();
  // @ts-expect-error a plain number has no unit
  const plain: Joules = 3;
  // @ts-expect-error joules are not watts
  const power: Watts = joules(1);
  // @ts-expect-error the tag is invariant, so a mixed list has no common unit
  total([joules(1), watts(1)]);
  // @ts-expect-error power comes first
  energyOf(seconds(1), watts(1));
  expect([plain, power]).toEqual([3, 1]);
});
