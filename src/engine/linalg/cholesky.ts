// The Cholesky factorisation and triangular systems (Golub & Van Loan, Matrix Computations, 4th ed.,
// 2013, sections 3.1 and 4.2), row by row so that inner loops run along memory.

import { type Matrix, zeros } from "./matrix.ts";

/**
 * The lower triangular L with L L^T = A for a symmetric A, of which the lower half is read. Null when A
 * is not positive definite to working precision.
 */
export function cholesky(a: Matrix): Matrix | null {
  const { rows: size } = a;
  if (a.columns !== size) throw new RangeError(`${size} x ${a.columns} is not square`);
  const factor = zeros(size, size);
  const l = factor.data;
  for (let i = 0; i < size; i++) {
    const row = l.subarray(i * size, i * size + i + 1);
    for (let j = 0; j < i; j++) {
      const above = l.subarray(j * size, j * size + j + 1);
      row[j] = ((a.data[i * size + j] ?? 0) - dot(row, above, j)) / (above[j] ?? 0);
    }
    const diagonal = a.data[i * size + i] ?? 0;
    const pivot = diagonal - dot(row, row, i);
    // What is left of the pivot must stand out from its rounding error; this also refuses NaN.
    if (!(pivot > size * Number.EPSILON * diagonal)) return null;
    row[i] = Math.sqrt(pivot);
  }
  return factor;
}

/** Sum of products of the first `count` elements, in four partial sums that can overlap. */
export function dot(a: Float64Array, b: Float64Array, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < count; i += 4) {
    s0 += (a[i] ?? 0) * (b[i] ?? 0);
    s1 += (a[i + 1] ?? 0) * (b[i + 1] ?? 0);
    s2 += (a[i + 2] ?? 0) * (b[i + 2] ?? 0);
    s3 += (a[i + 3] ?? 0) * (b[i + 3] ?? 0);
  }
  for (; i < count; i++) s0 += (a[i] ?? 0) * (b[i] ?? 0);
  return s0 + s1 + (s2 + s3);
}

/** The solution of L X = B, by forward substitution. */
export function solveLower(l: Matrix, b: Matrix): Matrix {
  const { rows: size } = l;
  const x = b.data.slice();
  for (let i = 0; i < size; i++) {
    const row = x.subarray(i * b.columns, (i + 1) * b.columns);
    for (let j = 0; j < i; j++) {
      addScaled(row, x.subarray(j * b.columns, (j + 1) * b.columns), -(l.data[i * size + j] ?? 0));
    }
    scale(row, 1 / (l.data[i * size + i] ?? 0));
  }
  return { rows: size, columns: b.columns, data: x };
}

/** The solution of L^T X = B, by back substitution. */
export function solveLowerTransposed(l: Matrix, b: Matrix): Matrix {
  const { rows: size } = l;
  const x = b.data.slice();
  for (let i = size - 1; i >= 0; i--) {
    const row = x.subarray(i * b.columns, (i + 1) * b.columns);
    scale(row, 1 / (l.data[i * size + i] ?? 0));
    for (let j = 0; j < i; j++) {
      addScaled(x.subarray(j * b.columns, (j + 1) * b.columns), row, -(l.data[i * size + j] ?? 0));
    }
  }
  return { rows: size, columns: b.columns, data: x };
}

/** The solution of (L L^T) X = B. */
export const solveCholesky = (l: Matrix, b: Matrix): Matrix =>
  solveLowerTransposed(l, solveLower(l, b));

/** y + factor x, in place of y. */
export function addScaled(y: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] ?? 0) + factor * (x[i] ?? 0);
}

function scale(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] ?? 0) * factor;
}
