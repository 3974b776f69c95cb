// Weights of a few bits, a step for every block of inputs of an output: what the operator MatMulNBits of
// ONNX Runtime multiplies with.

import { roundHalfToEven } from "../grid.ts";

/** How a weight is divided into levels. */
export interface BlockFormat {
  readonly bits: 4 | 8;
  /** Inputs that share a step: a power of 2 from 16 on. */
  readonly blockSize: number;
  /** Whether zero lies in the middle, so that no zero point is stored. */
  readonly symmetric: boolean;
}

/** A weight [inputs, outputs] on levels. */
export interface BlockWeight {
  readonly format: BlockFormat;
  readonly inputs: number;
  readonly outputs: number;
  /** Levels from 0 on, [outputs, inputs]. */
  readonly levels: Uint8Array;
  /** [outputs, blocks] */
  readonly scales: Float32Array;
  /** [outputs, blocks]; whole numbers but for HQQ. Null where 2^(bits-1) stands for zero everywhere. */
  readonly zeros: Float32Array | null;
}

/** Step and zero of one block. */
export interface BlockGrid {
  readonly scale: number;
  readonly zero: number;
}

export const blocksOf = (inputs: number, { blockSize }: BlockFormat): number =>
  Math.ceil(inputs / blockSize);

export const mostLevel = ({ bits }: BlockFormat): number => 2 ** bits - 1;

/**
 * The grid of a block by its extremes, as ONNX Runtime's quantizer has it: symmetric ones give the value
 * that is furthest from zero the lowest level, of which there is one more; others reach from the least
 * to the largest value, zero included.
 */
export function gridOfBlock(values: Float64Array | Float32Array, format: BlockFormat): BlockGrid {
  const most = mostLevel(format);
  let [min, max] = [0, 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (format.symmetric) {
    const middle = 2 ** (format.bits - 1);
    const scale = Math.fround((-min > max ? min : max) / -middle);
    return { scale: scale === 0 ? 1 : scale, zero: middle };
  }
  const scale = Math.fround((max - min) / most);
  if (scale === 0) return { scale: 1, zero: 0 };
  return { scale, zero: Math.min(most, Math.max(0, roundHalfToEven(-min / scale))) };
}

/** The level nearest to a value. */
export function levelOf(value: number, { scale, zero }: BlockGrid, format: BlockFormat): number {
  const level = roundHalfToEven(value / scale + zero);
  return Math.min(mostLevel(format), Math.max(0, level));
}

/** One block on its levels. */
export interface FittedBlock extends BlockGrid {
  readonly levels: ArrayLike<number>;
}

/** Rows [outputs, inputs] on levels, block by block; `levelsOf` gets a block's values and its first input. */
export function fitBlocks(
  rows: Float64Array,
  inputs: number,
  format: BlockFormat,
  levelsOf: (values: Float64Array, from: number) => FittedBlock,
): BlockWeight {
  const outputs = rows.length / inputs;
  const blocks = blocksOf(inputs, format);
  const levels = new Uint8Array(rows.length);
  const scales = new Float32Array(outputs * blocks);
  const zeros = new Float32Array(outputs * blocks);
  for (let output = 0; output < outputs; output++) {
    for (let block = 0; block < blocks; block++) {
      const from = block * format.blockSize;
      const start = output * inputs + from;
      const end = Math.min(start + format.blockSize, (output + 1) * inputs);
      const fitted = levelsOf(rows.subarray(start, end), from);
      levels.set(fitted.levels, start);
      scales[output * blocks + block] = fitted.scale;
      zeros[output * blocks + block] = fitted.zero;
    }
  }
  return { format, inputs, outputs, levels, scales, zeros: format.symmetric ? null : zeros };
}

/** What is left of the weight, [outputs, inputs]. */
export function dequantiseBlocks(weight: BlockWeight): Float64Array {
  const { format, inputs, outputs, levels, scales, zeros } = weight;
  const blocks = blocksOf(inputs, format);
  const middle = 2 ** (format.bits - 1);
  const values = new Float64Array(outputs * inputs);
  for (let at = 0; at < values.length; at++) {
    const output = Math.floor(at / inputs);
    const block = output * blocks + Math.floor((at % inputs) / format.blockSize);
    values[at] = ((levels[at] ?? 0) - (zeros?.[block] ?? middle)) * (scales[block] ?? 0);
  }
  return values;
}
