// SparseGPT (Frantar & Alistarh, ICML 2023): weights are zeroed column by column, and what each zero
// costs is made up for by the columns still to come, through the inverse second moments of the inputs.

import { cholesky, identity, type Matrix, matrix, solveCholesky } from "../../../engine/index.ts";
import { type Moments, notFinite } from "../statistics.ts";
import { least, type Pattern, type Rows } from "./scores.ts";

/** Columns among which a share is chosen at once, as in the reference code. */
const BLOCK = 128;
/** Added to the diagonal, relative to its mean, as in the reference code. */
const DAMPING = 0.01;

export type SparseGptPattern = Exclude<Pattern, { kind: "block" }>;

/** The weights [outputs, features] with zeros in the pattern. */
export function sparseGpt(
  { weights, order }: Rows,
  moments: Moments,
  pattern: SparseGptPattern,
): Matrix {
  const { rows, columns } = weights;
  const data = weights.data.slice();
  const upper = upperRoot(hessianOf(order, moments, data));
  const goneIn = chooser(matrix(rows, columns, data), upper, pattern);
  for (let column = 0; column < columns; column++) {
    const line = upper.data.subarray(column * columns, (column + 1) * columns);
    const gone = goneIn(column);
    for (let row = 0; row < rows; row++) {
      const at = row * columns + column;
      if (!gone.has(at)) continue;
      const error = (data[at] ?? 0) / (line[column] ?? 1);
      for (let next = column + 1; next < columns; next++) {
        data[row * columns + next] = (data[row * columns + next] ?? 0) - error * (line[next] ?? 0);
      }
      data[at] = 0;
    }
  }
  return matrix(rows, columns, data);
}

/**
 * Positions that go, by column: chosen anew where a block or a run of columns begins, from what the
 * weights have become by then.
 */
function chooser(
  weights: Matrix,
  upper: Matrix,
  pattern: SparseGptPattern,
): (column: number) => ReadonlySet<number> {
  const length = pattern.kind === "free" ? BLOCK : pattern.of;
  let start = -1;
  let gone: ReadonlySet<number> = new Set();
  return (column) => {
    const from = column - (column % length);
    if (from !== start) {
      start = from;
      const to = Math.min(weights.columns, from + length);
      gone =
        pattern.kind === "free"
          ? shareOf(weights, upper, { from, to, sparsity: pattern.sparsity })
          : runOf(weights, upper, { from, to, pattern });
    }
    return gone;
  };
}

/** Second moments in the features' order, damped; features that never vary get no weight. */
function hessianOf(order: readonly number[], { gram, count }: Moments, data: Float64Array): Matrix {
  const size = order.length;
  const hessian = new Float64Array(size * size);
  let trace = 0;
  for (const [i, from] of order.entries()) {
    for (const [j, other] of order.entries()) {
      hessian[i * size + j] = (2 / count) * (gram.data[from * size + other] ?? 0);
    }
    const own = hessian[i * size + i] ?? 0;
    if (own === 0) {
      hessian[i * size + i] = 1;
      for (let at = i; at < data.length; at += size) data[at] = 0;
    }
    trace += hessian[i * size + i] ?? 0;
  }
  for (let i = 0; i < size; i++) {
    hessian[i * size + i] = (hessian[i * size + i] ?? 0) + (DAMPING * trace) / size;
  }
  return matrix(size, size, hessian);
}

/** U, upper triangular with U^T U = H^-1. */
function upperRoot(hessian: Matrix): Matrix {
  const factor = cholesky(hessian);
  const inverse = factor === null ? null : solveCholesky(factor, identity(hessian.rows));
  const lower = inverse === null ? null : cholesky(inverse);
  if (lower === null) throw notFinite();
  const size = lower.rows;
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) data[i * size + j] = lower.data[j * size + i] ?? 0;
  }
  return matrix(size, size, data);
}

/** Positions of a block's weights with the least w^2 / U_jj^2, over all outputs. */
function shareOf(
  weights: Matrix,
  upper: Matrix,
  of: { readonly from: number; readonly to: number; readonly sparsity: number },
): ReadonlySet<number> {
  const width = of.to - of.from;
  const places = Array.from({ length: weights.rows * width }, (_, at) => {
    return Math.floor(at / width) * weights.columns + of.from + (at % width);
  });
  const scores = Float64Array.from(places, (at) => scoreOf(weights, upper, at));
  const count = Math.round(of.sparsity * scores.length);
  return new Set(least(scores, count).map((at) => places[at] ?? -1));
}

/** Positions that go in one run of columns, output by output; a run cut short by the end stays whole. */
function runOf(
  weights: Matrix,
  upper: Matrix,
  of: {
    readonly from: number;
    readonly to: number;
    readonly pattern: Extract<Pattern, { kind: "n:m" }>;
  },
): ReadonlySet<number> {
  const gone = new Set<number>();
  const { zeros, of: length } = of.pattern;
  if (of.to - of.from < length) return gone;
  for (let row = 0; row < weights.rows; row++) {
    const start = row * weights.columns + of.from;
    const scores = Float64Array.from({ length }, (_, at) => scoreOf(weights, upper, start + at));
    for (const at of least(scores, zeros)) gone.add(start + at);
  }
  return gone;
}

/** w^2 / U_jj^2: the loss of removing a weight when the rest makes up for it. */
function scoreOf({ columns, data }: Matrix, { data: upper }: Matrix, at: number): number {
  const column = at % columns;
  return ((data[at] ?? 0) / (upper[column * columns + column] ?? 1)) ** 2;
}
