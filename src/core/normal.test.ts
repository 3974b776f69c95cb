import { expect, test } from "vitest";
import { normalDensity, normalProbability, normalQuantile } from "./normal.ts";

// Abramowitz & Stegun, Handbook of Mathematical Functions, tables 26.1 and 26.2.
test("probabilities and densities are those of the tables", () => {
  expect(normalProbability(0)).toBe(0.5);
  expect(normalProbability(1)).toBeCloseTo(0.841344746068543, 14);
  expect(normalProbability(2)).toBeCloseTo(0.977249868051821, 14);
  expect(normalDensity(1)).toBeCloseTo(0.241970724519143, 14);
  expect(normalProbability(-3) / 1.349898031630095e-3).toBeCloseTo(1, 12);
  expect(normalProbability(-6) / 9.865876450376946e-10).toBeCloseTo(1, 12);
  expect(normalProbability(-10) / 7.619853024160527e-24).toBeCloseTo(1, 12);
  expect(normalProbability(Number.NEGATIVE_INFINITY)).toBe(0);
});

test("quantiles are those of the tables and undo the probability", () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
  expect(normalQuantile(0.95)).toBeCloseTo(1.644853626951472, 12);
  for (const p of [1e-12, 1e-5, 0.2, 0.5, 0.999]) {
    expect(normalProbability(normalQuantile(p)) / p).toBeCloseTo(1, 10);
  }
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(() => normalQuantile(1.1)).toThrow(RangeError);
});
