import { describe, expect, test } from "vitest";
import {
  duration,
  durationAt,
  expectedOver,
  fixedDuration,
  learnedDuration,
  learnedDurationAt,
  meanDuration,
} from "./duration.ts";

const spread = duration([
  { p: 0.1, seconds: 100 },
  { p: 0.5, seconds: 200 },
  { p: 0.95, seconds: 400 },
]);

describe("a duration", () => {
  test("lies at its outer quantiles beyond them and is uniform between", () => {
    expect(durationAt(spread, 0.05)).toBe(100);
    expect(durationAt(spread, 0.3)).toBe(150);
    expect(durationAt(spread, 0.95)).toBe(400);
    // 0.1 x 100 + 0.4 x 150 + 0.45 x 300 + 0.05 x 400.
    expect(meanDuration(spread)).toBeCloseTo(225, 12);
    expect(expectedOver(spread, (seconds) => seconds)).toBeCloseTo(225, 9);
    expect(meanDuration(fixedDuration(60))).toBe(60);
    expect(expectedOver(fixedDuration(60), (seconds) => seconds)).toBe(60);
  });

  test("that is not known as far as is asked is refused", () => {
    expect(() => durationAt(spread, 0.99)).toThrow(/only up to probability 0.95/);
    expect(() => duration([{ p: 0.5, seconds: 0 }])).toThrow(/not a duration/);
    const falling = [...spread, { p: 0.99, seconds: 10 }];
    expect(() => duration(falling)).toThrow(/does not follow/);
  });

  test("is learned with the width that so few runs deserve", () => {
    // Two runs of e^0 and e^2 seconds: mean 1 and standard deviation sqrt(2) of the logarithms,
    // t(0.95; 1) = 6.3138 (Student's t, any table).
    const learned = learnedDuration([1, Math.exp(2)]);
    expect(durationAt(learned, 0.5)).toBeCloseTo(Math.E, 9);
    const half = Math.log(durationAt(learned, 0.95)) - 1;
    expect(half).toBeCloseTo(6.3138 * Math.SQRT2 * Math.sqrt(1.5), 3);
    expect(Math.log(durationAt(learned, 0.05))).toBeCloseTo(1 - half, 9);
    expect(() => learnedDuration([5])).toThrow(/two earlier runs/);
  });

  test("learned from many runs approaches their own quantiles", () => {
    const runs = Array.from({ length: 400 }, (_, at) => Math.exp(Math.sin(at * 12.9898)));
    const { length } = runs.filter((run) => run <= durationAt(learnedDuration(runs), 0.95));
    expect(length / runs.length).toBeGreaterThan(0.9);
  });

  describe("by size", () => {
    const run = (size: number, seconds: number) => ({
      size: Math.exp(size),
      seconds: Math.exp(seconds),
    });
    const runs = [run(0, 1.1), run(1, 2), run(2, 2.9), run(3, 4.2), run(4, 4.8)];

    test("is the prediction of a regression of logarithms", () => {
      // By hand: slope 9.6 / 10, squares left 0.084 at 3 degrees of freedom, so that at 5, 3 from the middle,
      // 5.88 +- t(0.95; 3) sqrt(0.028 (1 + 1/5 + 9/10)), t = 2.3534.
      const learned = learnedDurationAt(runs, Math.exp(5));
      expect(Math.log(durationAt(learned, 0.5))).toBeCloseTo(5.88, 9);
      const half = 2.3534 * Math.sqrt(0.028 * 2.1);
      expect(Math.log(durationAt(learned, 0.95))).toBeCloseTo(5.88 + half, 4);
      expect(Math.log(durationAt(learned, 0.05))).toBeCloseTo(5.88 - half, 4);
    });

    test("of twice the work takes twice the time where it always did, and is surer near what was seen", () => {
      const exact = [10, 20, 40].map((size) => ({ size, seconds: 3 * size }));
      expect(durationAt(learnedDurationAt(exact, 80), 0.95)).toBeCloseTo(240, 9);
      const width = (size: number): number => {
        const learned = learnedDurationAt(runs, Math.exp(size));
        return Math.log(durationAt(learned, 0.95) / durationAt(learned, 0.05));
      };
      expect(width(2)).toBeLessThan(width(3));
      expect(width(3)).toBeLessThan(width(8));
    });

    test("that all runs had is learned as without sizes; of others nothing is known", () => {
      const same = [100, 110, 121].map((seconds) => ({ size: 5, seconds }));
      expect(learnedDurationAt(same, 5)).toEqual(learnedDuration([100, 110, 121]));
      expect(() => learnedDurationAt(same, 6)).toThrow(/too few to tell what size does/);
      expect(() => learnedDurationAt(runs.slice(0, 2), 6)).toThrow(/too few/);
    });
  });
});
