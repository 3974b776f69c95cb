import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/random.ts";
import { halfWidth, linearModel, robustFit } from "./least-squares.ts";

const line = (x: readonly number[]) => x.map((value) => [value, 1]);

describe("without outliers it is ordinary least squares", () => {
  // Small enough to reckon by hand: slope 0.6, intercept 2.2, residual variance 2.4 / 3.
  const x = [1, 2, 3, 4, 5];
  const y = [2, 4, 5, 4, 5];
  const fit = robustFit(linearModel(line(x), y), y);

  test("slope, intercept and covariance are those reckoned by hand", () => {
    expect(fit.parameters[0]).toBeCloseTo(0.6, 12);
    expect(fit.parameters[1]).toBeCloseTo(2.2, 12);
    // Variance of the slope: s^2 / sum (x - mean)^2 = 0.8 / 10; of the intercept: 0.8 x 55 / 50.
    expect(fit.covariance[0]?.[0]).toBeCloseTo(0.08, 12);
    expect(fit.covariance[1]?.[1]).toBeCloseTo(0.88, 12);
    expect(fit.covariance[0]?.[1]).toBeCloseTo(-0.24, 12);
  });
  test("the half-width is Student's: t(0.95; 3) = 2.3534 times the deviation", () => {
    expect(halfWidth(fit, [1, 0])).toBeCloseTo(2.3534 * Math.sqrt(0.08), 4);
    // At the mean of x the line is known best: s / sqrt(n).
    expect(halfWidth(fit, [3, 1])).toBeCloseTo(2.3534 * Math.sqrt(0.8 / 5), 4);
  });
});

test("one point far off moves the line by less than the others' noise", () => {
  const random = createRandom(5);
  const x = Array.from({ length: 12 }, (_, i) => i);
  const y = x.map((value) => 3 * value + 10 + 0.1 * random.normal());
  y[4] = (y[4] ?? 0) + 40;
  const { parameters } = robustFit(linearModel(line(x), y), y);
  expect(parameters[0]).toBeCloseTo(3, 1);
  expect(parameters[1]).toBeCloseTo(10, 0);
});

test("errors are no smaller than rounding makes them: step / sqrt(12)", () => {
  const x = [0, 1, 2, 3];
  const y = [10, 11, 12, 13];
  const { covariance } = robustFit(linearModel(line(x), y), y, 1);
  expect(covariance[0]?.[0]).toBeCloseTo(1 / 12 / 5, 12);
});

test("points that do not tell the parameters apart are an error, not a number", () => {
  const y = [1, 2, 3];
  expect(() => robustFit(linearModel(line([2, 2, 2]), y), y)).toThrow(RangeError);
  expect(() => robustFit(linearModel(line([1, 2]), [1, 2]), [1, 2])).toThrow("2 points");
});
