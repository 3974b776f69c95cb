// Affine quantisation as ONNX and ONNX Runtime define it: x is about scale (q - zeroPoint), q a whole
// number of a small range (onnx operators QuantizeLinear and DequantizeLinear).

import { UserError } from "../../../core/index.ts";

/** Integers that a quantised tensor may hold. */
export interface Levels {
  readonly dataType: "uint8" | "int8" | "uint4" | "int4";
  readonly least: number;
  readonly most: number;
}

export const UINT8: Levels = { dataType: "uint8", least: 0, most: 255 };
/** As many steps up as down, so that 0 lies in the middle. */
export const INT8_SYMMETRIC: Levels = { dataType: "int8", least: -127, most: 127 };
/**
 * Seven bits: sums of two products with unsigned bytes cannot exceed 16 bits, where processors without
 * VNNI would saturate.
 */
export const INT8_REDUCED: Levels = { dataType: "int8", least: -64, most: 64 };

/** Where zero lies and how wide a step is. */
export interface Grid {
  readonly levels: Levels;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Least and largest value that is to be represented. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Rounds to the nearest whole number, halves to the even one, as IEEE 754 and ONNX do. */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5) return below;
  if (rest > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Smallest float32 that is not denormal; steps below it are taken as no range at all. */
const LEAST_NORMAL = 2 ** -126;

/**
 * The grid over a range; the range is widened to hold 0, so that 0 is represented exactly. Symmetric
 * grids have 0 in their middle. Throws UserError for a range that is not finite.
 */
export function gridOf(range: Range, levels: Levels, symmetric = false): Grid {
  const [min, max] = [Math.min(range.min, 0), Math.max(range.max, 0)];
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new UserError("invalid-input", `no grid covers values from ${min} to ${max}`, {
      hint: "Look for infinities and NaN in the weights and in what the model is fed.",
    });
  }
  const { least, most } = levels;
  const span = symmetric ? 2 * Math.max(-min, max) : max - min;
  const scale = Math.fround(span / (most - least));
  if (scale < LEAST_NORMAL) return { levels, scale: 1, zeroPoint: middleOf(levels, symmetric) };
  if (symmetric) return { levels, scale, zeroPoint: middleOf(levels, true) };
  return { levels, scale, zeroPoint: clamp(roundHalfToEven(least - min / scale), levels) };
}

/** Zero of a symmetric grid, and of an asymmetric one without any range. */
function middleOf({ least, most }: Levels, symmetric: boolean): number {
  return symmetric ? roundHalfToEven((least + most) / 2) : clamp(0, { least, most });
}

const clamp = (q: number, { least, most }: Pick<Levels, "least" | "most">): number =>
  Math.min(most, Math.max(least, q));

/** The level nearest to a value. */
export function quantiseValue(x: number, { levels, scale, zeroPoint }: Grid): number {
  return clamp(roundHalfToEven(x / scale) + zeroPoint, levels);
}

/** What is left of a value. */
export const roundTrip = (x: number, grid: Grid): number =>
  grid.scale * (quantiseValue(x, grid) - grid.zeroPoint);
