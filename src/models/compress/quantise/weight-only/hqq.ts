// Half-quadratic quantisation (Badri & Shaji 2023, mobiusml.github.io/hqq_blog): needs no data. The zero
// of each block moves, as a fraction, to where the error has the least l_p norm with p < 1, which cares
// little for outliers.

import { roundHalfToEven } from "../grid.ts";
import { type BlockFormat, type BlockWeight, fitBlocks, mostLevel } from "./blocks.ts";

/** As in the authors' code: 20 rounds at most, p = 0.7, beta from 10 on, growing by 1 %. */
const ROUNDS = 20;
const NORM = 0.7;
const BETA = 10;
const GROWTH = 1.01;

/** Optimises rows [outputs, inputs], block by block. */
export function halfQuadratic(rows: Float64Array, inputs: number, asked: BlockFormat): BlockWeight {
  const format = { ...asked, symmetric: false };
  return fitBlocks(rows, inputs, format, (values) => {
    const { levels, steps, zero } = optimiseBlock(values, mostLevel(format));
    return { levels, scale: 1 / steps, zero };
  });
}

interface Block {
  readonly levels: Float64Array;
  /** Levels per unit: the inverse of the step. */
  readonly steps: number;
  readonly zero: number;
  /** Mean absolute error. */
  readonly error: number;
}

/** The best of all rounds; the first is rounding to nearest on the same grid. */
function optimiseBlock(values: Float64Array, most: number): Block {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  // As float32, as it will be stored.
  const steps = max > min ? 1 / Math.fround((max - min) / most) : 1;
  let best = rounded(values, steps, -min * steps, most);
  let current = best;
  let beta = BETA;
  for (let round = 0; round < ROUNDS; round++) {
    let zero = 0;
    for (let at = 0; at < values.length; at++) {
      const value = values[at] ?? 0;
      const level = current.levels[at] ?? 0;
      const error = shrink(value - (level - current.zero) / steps, beta);
      zero += level - (value - error) * steps;
    }
    beta *= GROWTH;
    current = rounded(values, steps, Math.fround(zero / values.length), most);
    if (current.error >= best.error) break;
    best = current;
  }
  return best;
}

function rounded(values: Float64Array, steps: number, zero: number, most: number): Block {
  const kept = Math.fround(zero);
  let error = 0;
  const levels = values.map((value) => {
    const level = Math.min(most, Math.max(0, roundHalfToEven(value * steps + kept)));
    error += Math.abs(value - (level - kept) / steps);
    return level;
  });
  return { levels, steps, zero: kept, error: error / values.length };
}

/** The proximal operator of the l_p norm, generalised soft thresholding. */
function shrink(x: number, beta: number): number {
  const size = Math.abs(x);
  if (size === 0) return 0;
  return Math.sign(x) * Math.max(0, size - size ** (NORM - 1) / beta);
}
