import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  linearScale,
  linearTicks,
  logScale,
  logTicks,
  niceExtent,
  niceStep,
  timeTicks,
} from "./scale.ts";

const extent = fc
  .tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
  )
  .map(([low, width]) => [low, low + width] as const)
  .filter(([low, high]) => (high - low) / Math.max(1, Math.abs(low)) > 1e-9);

describe("scales", () => {
  test("a linear scale maps ends to ends and the middle to the middle", () => {
    const scale = linearScale([0, 400], [50, 250]);
    expect([0, 200, 400].map(scale)).toEqual([50, 150, 250]);
  });

  test("a page upside down is a range given high end first", () => {
    expect(linearScale([0, 10], [100, 0])(2.5)).toBe(75);
  });

  test("a domain of one point is the middle of the range, not a division by zero", () => {
    expect(linearScale([7, 7], [0, 100])(7)).toBe(50);
  });

  test("a log scale gives every decade the same length", () => {
    const scale = logScale([1, 1000], [0, 300]);
    expect([1, 10, 100, 1000].map((value) => Math.round(scale(value)))).toEqual([0, 100, 200, 300]);
  });

  test("a log scale refuses zero", () => {
    expect(() => logScale([0, 10], [0, 1])).toThrow(RangeError);
  });
});

describe("ticks", () => {
  test.each([
    [[0, 300], 4, [0, 100, 200, 300]],
    [[0, 0.7], 4, [0, 0.2, 0.4, 0.6]],
    [[0, 1.2e4], 5, [0, 5000, 10_000]],
    [[3, 17], 5, [5, 10, 15]],
  ] as const)("of %j, about %i, are round", ([low, high], count, ticks) => {
    expect(linearTicks([low, high], count)).toEqual(ticks);
  });

  test.each([
    [41.2, 9, [0, 5, 10, 15, 20, 25, 30, 35, 40]],
    [600, 6, [0, 120, 240, 360, 480, 600]],
    [86_400, 6, [0, 21_600, 43_200, 64_800, 86_400]],
    [0.35, 4, [0, 0.1, 0.2, 0.3]],
  ])("of time up to %d s are whole minutes, hours or days", (high, count, ticks) => {
    expect(timeTicks([0, high], count)).toEqual(ticks);
  });

  test("of a log scale are powers of ten, with 2 and 5 between over few decades", () => {
    expect(logTicks([1, 100])).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(logTicks([1, 1e4])).toEqual([1, 10, 100, 1000, 10_000]);
  });

  test("lie inside the domain, ascend, and are never more than asked for and one", () => {
    fc.assert(
      fc.property(extent, fc.integer({ min: 1, max: 20 }), ([low, high], count) => {
        const ticks = linearTicks([low, high], count);
        const slack = (high - low) * 1e-6;
        expect(ticks.length).toBeLessThanOrEqual(count + 1);
        expect(ticks.every((tick) => tick >= low - slack && tick <= high + slack)).toBe(true);
        expect(ticks.every((tick, index) => index === 0 || tick > (ticks[index - 1] ?? tick))).toBe(
          true,
        );
      }),
    );
  });

  test("a nice domain holds the data and ends on a tick", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (high) => {
        const [from, to] = niceExtent([0, high], 5);
        const step = niceStep(high / 5);
        expect(from).toBe(0);
        expect(to).toBeGreaterThanOrEqual(high * (1 - 1e-9));
        expect(Math.abs(to / step - Math.round(to / step))).toBeLessThan(1e-6);
      }),
    );
  });
});
