import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  constantRate,
  cosineRate,
  exponentialRate,
  oneCycleRate,
  type Schedule,
  stepRate,
  warmedUp,
} from "./schedule.ts";

// test/fixtures/optimizers/generate.py: the same schedules in PyTorch 1.13.
const { schedules } = JSON.parse(
  readFileSync(
    new URL("../../../test/fixtures/optimizers/optimizers.json", import.meta.url),
    "utf8",
  ),
) as { readonly schedules: Readonly<Record<string, readonly number[]>> };

describe("a schedule gives PyTorch's rates", () => {
  const cases: readonly (readonly [string, Schedule])[] = [
    ["step", stepRate({ rate: 1, every: 3, factor: 0.5 })],
    ["exponential", exponentialRate({ rate: 1, factor: 0.9 })],
    ["cosine", cosineRate({ rate: 1, steps: 10, floor: 0.1 })],
    ["one-cycle", oneCycleRate({ peak: 1, steps: 20 })],
  ];
  test.each(cases)("%s", (name, schedule) => {
    const expected = schedules[name] ?? [];
    expect(expected.length).toBeGreaterThan(9);
    for (const [step, rate] of expected.entries()) expect(schedule(step)).toBeCloseTo(rate, 10);
  });
});

test("a warm-up rises in a line to where its schedule begins", () => {
  const schedule = warmedUp(stepRate({ rate: 2, every: 2, factor: 0.5 }), 4);
  expect([0, 1, 2, 3, 4, 5, 6].map(schedule)).toEqual([0.5, 1, 1.5, 2, 2, 2, 1]);
});

test("no schedule goes above its peak, below 0 or on after its end", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.integer({ min: 0, max: 2000 }),
      (steps, step) => {
        const all = [
          constantRate(1),
          cosineRate({ rate: 1, steps }),
          oneCycleRate({ peak: 1, steps }),
          warmedUp(cosineRate({ rate: 1, steps }), 5),
        ];
        for (const schedule of all) {
          expect(schedule(step)).toBeGreaterThanOrEqual(0);
          expect(schedule(step)).toBeLessThanOrEqual(1);
        }
        expect(cosineRate({ rate: 1, steps, floor: 0.25 })(steps + step)).toBe(0.25);
      },
    ),
  );
});
