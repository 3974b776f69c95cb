import { expect, test } from "vitest";
import { mean, median, quantile, standardDeviation } from "./statistics.ts";

test("quantiles interpolate between the order statistics (Hyndman & Fan, type 7)", () => {
  // R: quantile(c(1, 2, 3, 4, 10), c(0, .25, .5, .9, 1)) gives 1 2 3 7.6 10.
  const values = [1, 2, 3, 4, 10];
  [1, 2, 3, 7.6, 10].forEach((expected, index) => {
    expect(quantile(values, [0, 0.25, 0.5, 0.9, 1][index] ?? 0)).toBeCloseTo(expected, 12);
  });
});

test("median, mean and unbiased standard deviation", () => {
  // R: sd(c(2, 4, 4, 4, 5, 5, 7, 9)) gives 2.13809.
  const values = [2, 4, 4, 4, 5, 5, 7, 9];
  expect(mean(values)).toBe(5);
  expect(median(values)).toBe(4.5);
  expect(standardDeviation(values)).toBeCloseTo(2.13809, 5);
});

test("of nothing there is no statistic", () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
  expect(() => mean([])).toThrow(RangeError);
  expect(() => standardDeviation([1])).toThrow(RangeError);
});
