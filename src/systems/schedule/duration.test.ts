import { describe, expect, test } from "vitest";
import {
  duration,
  durationAt,
  expectedOver,
  fixedDuration,
  learnedDuration,
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
});
