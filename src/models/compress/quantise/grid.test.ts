import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  gridOf,
  INT8_SYMMETRIC,
  quantiseValue,
  roundHalfToEven,
  roundTrip,
  UINT8,
} from "./grid.ts";
import { dequantiseWeight, quantiseWeight } from "./quantised-weight.ts";

// The weight of Intel Neural Compressor's documentation of quantisation, on the grid that ONNX Runtime
// gives it: computed with numpy.
const W = [0.6839, 0.4741, 0.7451, 0.9301, 0.1742, 0.6835];

describe("the grid of unsigned bytes over a weight of six", () => {
  const grid = gridOf({ min: Math.min(...W), max: Math.max(...W) }, UINT8);

  test("has the published step, zero and levels", () => {
    expect(grid.scale).toBeCloseTo(0.003647450980392157, 9);
    expect(grid.zeroPoint).toBe(0);
    expect(W.map((value) => quantiseValue(value, grid))).toEqual([188, 130, 204, 255, 48, 187]);
  });

  // The step of a file is a float32, that of the figure a double.
  test("has the published mean square error", () => {
    const error = W.reduce((sum, value) => sum + (value - roundTrip(value, grid)) ** 2, 0) / 6;
    expect(error).toBeCloseTo(1.1943345636293563e-6, 11);
  });

  test("without the demand to hold zero is the one of the documentation", () => {
    // Step and zero by the same formula over the bare range.
    const [min, max] = [Math.min(...W), Math.max(...W)];
    const scale = (max - min) / 255;
    const zero = roundHalfToEven(-min / scale);
    expect(scale).toBeCloseTo(0.0029643137254901962, 15);
    expect(zero).toBe(-59);
    const levels = W.map((value) =>
      Math.min(255, Math.max(0, roundHalfToEven(value / scale) + zero)),
    );
    expect(levels).toEqual([172, 101, 192, 255, 0, 172]);
    const error = W.reduce((s, v, at) => s + (v - scale * ((levels[at] ?? 0) - zero)) ** 2, 0) / 6;
    expect(error).toBeCloseTo(7.384850698449426e-7, 14);
  });
});

test("halves are rounded to the even neighbour", () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5].map(roundHalfToEven)).toEqual([-2, -2, 0, 0, 2, 2]);
});

const range = fc
  .tuple(
    fc.double({ min: -50, max: 50, noNaN: true }),
    fc.double({ min: -50, max: 50, noNaN: true }),
  )
  .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));

test("a round trip is idempotent, keeps zero, and errs by half a step at most", () => {
  fc.assert(
    fc.property(
      range,
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (of, symmetric, at) => {
        const grid = gridOf(of, symmetric ? INT8_SYMMETRIC : UINT8, symmetric);
        const x = of.min + at * (of.max - of.min);
        const once = roundTrip(x, grid);
        expect(roundTrip(once, grid)).toBe(once);
        expect(roundTrip(0, grid)).toBe(0);
        // The zero point is a whole number, which moves the ends of the range by up to half a step.
        expect(Math.abs(x - once)).toBeLessThanOrEqual(grid.scale * 1.0001);
      },
    ),
  );
});

test("what is never below zero has its zero at the least level, as ONNX Runtime needs to drop a Relu", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (max) => {
      expect(gridOf({ min: 0, max }, UINT8).zeroPoint).toBe(0);
    }),
  );
});

test("a range of nothing has a step of 1, and one without end is refused", () => {
  expect(gridOf({ min: 0, max: 0 }, UINT8)).toMatchObject({ scale: 1, zeroPoint: 0 });
  expect(() => gridOf({ min: 0, max: Number.POSITIVE_INFINITY }, UINT8)).toThrow("Infinity");
});

test("a grid for each channel errs no more than one for all", () => {
  const values = Float32Array.from(
    { length: 4 * 50 },
    (_, at) => Math.sin(at) * 3 ** Math.floor(at / 50),
  );
  const weight = { dims: [4, 50], values };
  const error = (axis: number | null): number => {
    const back = dequantiseWeight(quantiseWeight(weight, { levels: INT8_SYMMETRIC, axis }));
    return values.reduce((sum, value, at) => sum + (value - (back[at] ?? 0)) ** 2, 0);
  };
  expect(error(0)).toBeLessThan(error(null) / 2);
});
