// Removing inputs of a linear map with the best change of what stays: the optimal brain surgeon on
// blocks of rows (Hassibi & Stork, NIPS 1992; for layers: AIMET's weight reconstruction, He, Zhang & Sun,
// "Channel pruning", ICCV 2017).
//
// For rows X with moments S = X^T X, the W' on the rows that stay which brings X_k W' nearest to X W is
// W_k + S_kk^-1 S_kr W_r. With S centred, the intercept that goes with it makes up for the means.

import { cholesky, type Matrix, matrix, solveCholesky } from "../../../engine/index.ts";
import { type Moments, notFinite } from "../statistics.ts";

/** Added to the diagonal, relative to its mean: inputs that always move together have no unique answer. */
const DAMPING = 1e-4;

/** X^T X, centred when the map has an intercept, damped. */
export function systemOf({ gram, sum, count }: Moments, intercept: boolean): Matrix {
  const size = gram.rows;
  const data = gram.data.slice();
  let trace = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; intercept && j < size; j++) {
      data[i * size + j] = (data[i * size + j] ?? 0) - ((sum[i] ?? 0) * (sum[j] ?? 0)) / count;
    }
    trace += data[i * size + i] ?? 0;
  }
  const damping = Math.max((DAMPING * trace) / size, Number.MIN_VALUE ** 0.5);
  for (let i = 0; i < size; i++) data[i * size + i] = (data[i * size + i] ?? 0) + damping;
  return matrix(size, size, data);
}

export interface Refit {
  /** The weights of all rows; those of rows that go are as they were. */
  readonly weights: Matrix;
  /** What to add to the bias: the means that are lost. */
  readonly shift: Float64Array;
}

/** Weights [rows, outputs] refitted to do without some rows. */
export function refit(
  weights: Matrix,
  moments: Moments,
  { kept, intercept }: { readonly kept: readonly number[]; readonly intercept: boolean },
): Refit {
  const system = systemOf(moments, intercept);
  const { rows: size, columns } = weights;
  const stays = new Set(kept);
  const gone = Array.from({ length: size }, (_, i) => i).filter((i) => !stays.has(i));
  const inner = submatrix(system, kept, kept);
  const factor = cholesky(inner);
  if (factor === null) throw notFinite();
  const target = product(submatrix(system, kept, gone), rowsOf(weights, gone));
  const change = solveCholesky(factor, target);
  const data = weights.data.slice();
  const shift = new Float64Array(columns);
  const mean = (row: number): number => (moments.sum[row] ?? 0) / moments.count;
  for (const [at, row] of kept.entries()) {
    for (let j = 0; j < columns; j++) {
      const by = change.data[at * columns + j] ?? 0;
      data[row * columns + j] = (data[row * columns + j] ?? 0) + by;
      shift[j] = (shift[j] ?? 0) - mean(row) * by;
    }
  }
  for (const row of gone) {
    for (let j = 0; j < columns; j++) {
      shift[j] = (shift[j] ?? 0) + mean(row) * (weights.data[row * columns + j] ?? 0);
    }
  }
  return { weights: { ...weights, data }, shift: intercept ? shift : new Float64Array(columns) };
}

function submatrix(
  { columns, data }: Matrix,
  rows: readonly number[],
  of: readonly number[],
): Matrix {
  const result = new Float64Array(rows.length * of.length);
  for (const [i, row] of rows.entries()) {
    for (const [j, column] of of.entries()) {
      result[i * of.length + j] = data[row * columns + column] ?? 0;
    }
  }
  return matrix(rows.length, of.length, result);
}

const rowsOf = (a: Matrix, rows: readonly number[]): Matrix =>
  submatrix(
    a,
    rows,
    Array.from({ length: a.columns }, (_, j) => j),
  );

/** A plain product; sizes are those of one layer. */
function product(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    const row = data.subarray(i * b.columns, (i + 1) * b.columns);
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[i * a.columns + k] ?? 0;
      if (factor === 0) continue;
      const other = b.data.subarray(k * b.columns, (k + 1) * b.columns);
      for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) + factor * (other[j] ?? 0);
    }
  }
  return matrix(a.rows, b.columns, data);
}
