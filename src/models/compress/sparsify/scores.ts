// How much single weights matter, and which of them go. Weights are matrices [outputs, features] here.

import { type Matrix, transpose } from "../../../engine/index.ts";
import { type Layer, matrixOf } from "../layer.ts";
import type { Moments } from "../statistics.ts";

/** Which weights of a layer go together. */
export type Pattern =
  /** Any share of the weights. */
  | { readonly kind: "free"; readonly sparsity: number }
  /** Of every `of` features in a row, this many are zero: 2 of 4 is what GPUs of compute capability 8 run. */
  | { readonly kind: "n:m"; readonly zeros: number; readonly of: number }
  /** Blocks of outputs x features go as a whole. */
  | {
      readonly kind: "block";
      readonly sparsity: number;
      readonly block: readonly [number, number];
    };

/** Weights [outputs, features]; `order` gives each feature's place in the layer's own layout. */
export interface Rows {
  readonly weights: Matrix;
  readonly order: readonly number[];
}

/**
 * The layer's weights with the channels of one kernel position side by side, as sparse kernels of GPUs
 * group them.
 */
export function rowsOf(layer: Layer): Rows {
  const weights = transpose(matrixOf(layer));
  const positions = layer.window.reduce((product, size) => product * size, 1);
  const order = Array.from({ length: weights.columns }, (_, at) => {
    const [position, channel] = [Math.floor(at / layer.inputs), at % layer.inputs];
    return channel * positions + position;
  });
  return { weights: reordered(weights, order), order };
}

/** The matrix [features, outputs] in the layer's own layout again. */
export function ownLayout({ weights, order }: Rows): Matrix {
  const inverse = new Array<number>(order.length);
  for (const [at, from] of order.entries()) inverse[from] = at;
  return transpose(reordered(weights, inverse));
}

function reordered({ rows, columns, data }: Matrix, order: readonly number[]): Matrix {
  const result = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < columns; at++) {
      result[row * columns + at] = data[row * columns + (order[at] ?? at)] ?? 0;
    }
  }
  return { rows, columns, data: result };
}

/** |w| times the length of its input, root of the sum of squares (Sun et al., "Wanda", ICLR 2024). */
export function wandaScores({ weights, order }: Rows, { gram }: Moments): Float64Array {
  const lengths = order.map((from) => Math.sqrt(gram.data[from * gram.columns + from] ?? 0));
  return weights.data.map((w, at) => Math.abs(w) * (lengths[at % weights.columns] ?? 0));
}

/** w^2 over the sum of the squares of all that are at least as large (Lee et al., "LAMP", ICLR 2021). */
export function lampScores({ data }: Matrix): Float64Array {
  const order = [...data.keys()].sort((a, b) => Math.abs(data[b] ?? 0) - Math.abs(data[a] ?? 0));
  const scores = new Float64Array(data.length);
  let sum = 0;
  for (const at of order) {
    const square = (data[at] ?? 0) ** 2;
    sum += square;
    scores[at] = sum === 0 ? 0 : square / sum;
  }
  return scores;
}

/** Positions of the `count` least scores; the first ones among equals. */
export function least(scores: Float64Array, count: number): readonly number[] {
  if (count <= 0) return [];
  const threshold = scores.slice().sort()[count - 1] ?? Number.POSITIVE_INFINITY;
  const [below, equal]: [number[], number[]] = [[], []];
  for (const [at, score] of scores.entries()) {
    if (score < threshold) below.push(at);
    else if (score === threshold) equal.push(at);
  }
  return [...below, ...equal.slice(0, count - below.length)];
}

/** Zeroes weights where their scores are least, in a pattern, compared within each of `rows` rows. */
export function zeroByScore(
  weights: Matrix,
  scores: Float64Array,
  { pattern, compare }: { readonly pattern: Pattern; readonly compare: "row" | "layer" },
): Matrix {
  const data = weights.data.slice();
  const { rows, columns } = weights;
  const zero = (from: number, length: number, count: number): void => {
    for (const at of least(scores.subarray(from, from + length), count)) data[from + at] = 0;
  };
  switch (pattern.kind) {
    case "free": {
      const length = compare === "row" ? columns : rows * columns;
      for (let from = 0; from < data.length; from += length) {
        zero(from, length, Math.round(pattern.sparsity * length));
      }
      break;
    }
    case "n:m":
      for (let row = 0; row < rows; row++) {
        // What is left at the end of a row is no whole run.
        for (let at = 0; at + pattern.of <= columns; at += pattern.of) {
          zero(row * columns + at, pattern.of, pattern.zeros);
        }
      }
      break;
    case "block":
      zeroBlocks({ rows, columns, data }, scores, pattern);
      break;
    default:
      pattern satisfies never;
  }
  return { rows, columns, data };
}

function zeroBlocks(
  { rows, columns, data }: Matrix,
  scores: Float64Array,
  { block: [height, width], sparsity }: Extract<Pattern, { kind: "block" }>,
): void {
  const [down, across] = [Math.floor(rows / height), Math.floor(columns / width)];
  const places = (block: number): readonly number[] => {
    const [top, left] = [Math.floor(block / across) * height, (block % across) * width];
    return Array.from({ length: height * width }, (_, at) => {
      return (top + Math.floor(at / width)) * columns + left + (at % width);
    });
  };
  const sums = Float64Array.from({ length: down * across }, (_, block) =>
    places(block).reduce((sum, at) => sum + (scores[at] ?? 0), 0),
  );
  for (const block of least(sums, Math.round(sparsity * sums.length))) {
    for (const at of places(block)) data[at] = 0;
  }
}

/**
 * Share of zeros after a step of a gradual schedule: fast at first, while there is most to spare
 * (Zhu & Gupta, "To prune, or not to prune", 2017).
 */
export function cubicSparsity(
  step: number,
  {
    steps,
    final,
    initial = 0,
  }: { readonly steps: number; readonly final: number; readonly initial?: number },
): number {
  const left = 1 - Math.min(1, Math.max(0, step / steps));
  return final + (initial - final) * left ** 3;
}
