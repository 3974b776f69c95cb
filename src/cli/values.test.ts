import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../core/index.ts";
import {
  parseCount,
  parseDuration,
  parseEnergy,
  parseIntensity,
  parseNumber,
  parsePositive,
  parseTag,
} from "./values.ts";

test.each([
  ["3s", 3],
  ["500ms", 0.5],
  ["2 min", 120],
  ["1.5h", 5400],
  ["1d", 86_400],
  ["7", 7],
])("the duration %s is %d seconds", (text, seconds) => {
  expect(parseDuration("--idle", text)).toBeCloseTo(seconds, 12);
});

test.each([
  ["2kWh", 7_200_000],
  ["10 MJ", 10_000_000],
  ["3Wh", 10_800],
  ["1e3J", 1000],
])("the energy %s is %d joules", (text, joules) => {
  expect(parseEnergy("--max-energy", text)).toBe(joules);
});

test.each(["", "s", "-3s", "0s", "3 fortnights", "3sec"])("the duration %j is refused", (text) => {
  expect(() => parseDuration("--idle", text)).toThrow(UserError);
});

// A bare number has no unit, and mJ, KWH and kwh are not SI spellings of what they may mean.
test.each(["5", "2kwh", "3mJ", "0J", "-1kWh"])("the energy %j is refused", (text) => {
  expect(() => parseEnergy("--max-energy", text)).toThrow(UserError);
});

test("an intensity in kilograms is refused with the grams it would be", () => {
  for (const text of ["0.38kg", "0.38 kgCO2e/kWh", "0.38kgCO2"]) {
    expect(() => parseIntensity("--intensity", text)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("380") }),
    );
  }
  // Nobody means 380,000 g: the unit was slipped, not the number.
  expect(() => parseIntensity("--intensity", "380kg")).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("Give grams: 380,") }),
  );
  expect(parseIntensity("--intensity", "380 gCO2e/kWh")).toBe(380);
  expect(parseIntensity("--intensity", "380g")).toBe(380);
});

test("a PUE is a bare number", () => {
  expect(parseNumber("--pue", "1.2")).toBe(1.2);
  expect(() => parseNumber("--pue", "120 %")).toThrow(UserError);
});

test("a number above zero", () => {
  expect(parsePositive("--rate", "1e-3")).toBe(0.001);
  for (const text of ["0", "-1", "NaN", "1e999", "a lot", ""])
    expect(() => parsePositive("--rate", text)).toThrow(`--rate: cannot read "${text}"`);
});

test("a count that no integer holds is refused", () => {
  expect(() => parseCount("--epochs", "1e99", 1)).toThrow('--epochs: cannot read "1e99"');
});

test("a count is whole and not below its least", () => {
  expect(parseCount("-n", "3", 1)).toBe(3);
  for (const text of ["0", "1.5", "", "x"])
    expect(() => parseCount("-n", text, 1)).toThrow(UserError);
});

test("a tag's value may hold further equals signs, its key may not be empty", () => {
  expect(parseTag("--tag", "a=b=c", { x: "y" })).toEqual({ x: "y", a: "b=c" });
  expect(() => parseTag("--tag", "=b", {})).toThrow(UserError);
});

test("any number of seconds survives being written and read", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
      expect(parseDuration("--idle", `${value}s`)).toBe(value);
    }),
  );
});
