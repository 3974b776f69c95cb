import { describe, expect, test } from "vitest";
import type { Signal } from "../../core/card.ts";
import { exact, kilowattHours } from "../../core/index.ts";
import {
  emissionsAt,
  intensity,
  intensityOf,
  meanIntensity,
  ratioOf,
  sumEmissions,
} from "./intensity.ts";

const origin = { method: "declared", source: "a test" } as const;
const grams = (value: number) => exact("gCO2e/kWh", value, origin);
const average = { kind: "average", basis: "location", scope: "life-cycle" } as const;

const germany = intensity(grams(340), average);
const poland = intensity(grams(620), average);
const marginal = intensity(grams(700), { ...average, kind: "marginal" });
const market = intensity(grams(10), { ...average, basis: "market" });
const direct = intensity(grams(280), { ...average, scope: "direct" });
const oneKilowattHour = exact("J", kilowattHours(1), origin);
const refused = { code: "invalid-input" };

describe("intensities of one accounting", () => {
  test("give emissions, sums, ratios and means by energy", () => {
    const both = sumEmissions(
      emissionsAt(oneKilowattHour, germany),
      emissionsAt(oneKilowattHour, poland),
    );
    expect(both.figure.value).toBeCloseTo(960, 9);
    expect(both).toMatchObject(average);
    expect(ratioOf(poland, germany)).toBeCloseTo(620 / 340, 12);
    const mean = meanIntensity(
      { energy: kilowattHours(3), intensity: germany },
      { energy: kilowattHours(1), intensity: poland },
    );
    expect(mean.figure.value).toBeCloseTo((3 * 340 + 620) / 4, 9);
  });
  test("an empty energy has no mean, and zero is no measure of comparison", () => {
    expect(() => meanIntensity({ energy: kilowattHours(0), intensity: germany })).toThrow(
      RangeError,
    );
    expect(() => ratioOf(germany, intensity(grams(0), average))).toThrow(/zero/);
  });
});

describe("unlike accountings do not compile, and are refused at run time", () => {
  const one = emissionsAt(oneKilowattHour, germany);
  test("average and marginal", () => {
    // @ts-expect-error marginal emissions are no average emissions
    expect(() => sumEmissions(one, emissionsAt(oneKilowattHour, marginal))).toThrow(
      expect.objectContaining(refused),
    );
    // @ts-expect-error a marginal intensity is no average intensity
    expect(() => ratioOf(germany, marginal)).toThrow(expect.objectContaining(refused));
  });
  test("location- and market-based", () => {
    // @ts-expect-error market-based emissions are no location-based emissions
    expect(() => sumEmissions(one, emissionsAt(oneKilowattHour, market))).toThrow(
      expect.objectContaining(refused),
    );
  });
  test("life-cycle and direct", () => {
    // @ts-expect-error a direct intensity is no life-cycle intensity
    expect(() => ratioOf(germany, direct)).toThrow(expect.objectContaining(refused));
    const weighted = { energy: kilowattHours(1), intensity: direct };
    expect(() =>
      // @ts-expect-error one direct intensity spoils a life-cycle mean
      meanIntensity({ energy: kilowattHours(1), intensity: germany }, weighted),
    ).toThrow(expect.objectContaining(refused));
  });
  test("grams are no grams per kWh", () => {
    // @ts-expect-error emissions are no intensity
    expect(() => ratioOf(germany, one)).not.toThrow();
  });
  test("signals of cards are told apart at run time", () => {
    const signal = (kind: "average" | "marginal"): Signal => ({
      intensity: grams(400),
      kind,
      basis: "location",
      scope: "direct",
      zone: "DE",
      rung: "given",
    });
    expect(() => ratioOf(intensityOf(signal("average")), intensityOf(signal("marginal")))).toThrow(
      /cannot compare average.*and marginal/,
    );
  });
});
