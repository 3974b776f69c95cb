// Eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then
// implicit QR steps with Wilkinson's shift (Golub & Van Loan, Matrix Computations, 4th ed., 2013,
// algorithms 8.3.1 to 8.3.3). O(n^3) in plain double precision: meant for a few hundred rows.

import { addScaled, dot } from "./cholesky.ts";
import {
  fromRows,
  identity,
  type Matrix,
  norm,
  requireFinite,
  rowsOf,
  transpose,
} from "./matrix.ts";

/** A = V diag(values) V^T. */
export interface Eigen {
  /** Falling. */
  readonly values: Float64Array;
  /** Orthonormal columns, one for each value. */
  readonly vectors: Matrix;
}

/** Decomposes a symmetric matrix; of the two halves the lower one is believed. */
export function symmetricEigen(a: Matrix): Eigen {
  const { rows: size } = a;
  if (a.columns !== size) throw new RangeError(`${size} x ${a.columns} is not square`);
  requireFinite("symmetric eigenvalues", a);
  const { diagonal, beside, reflectors } = tridiagonal(a);
  // Eigenvectors lie along rows here: rotations and reflections then run along memory.
  const vectors = rowsOf(identity(size));
  diagonalise(diagonal, beside, vectors);
  for (const vector of vectors) {
    for (let k = reflectors.length - 1; k >= 0; k--) {
      const { axis, scale } = reflectors[k] ?? { axis: vector, scale: 0 };
      const tail = vector.subarray(k + 1);
      if (scale !== 0) addScaled(tail, axis, -scale * dot(tail, axis, tail.length));
    }
  }
  const order = Array.from(diagonal.keys()).sort((i, j) => (diagonal[j] ?? 0) - (diagonal[i] ?? 0));
  return {
    values: Float64Array.from(order, (i) => diagonal[i] ?? 0),
    vectors: transpose(
      fromRows(
        order.flatMap((i) => vectors[i] ?? []),
        size,
      ),
    ),
  };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i stands between i and i + 1. */
  readonly beside: Float64Array;
  /** Step k acts on the elements from k + 1 on. */
  readonly reflectors: readonly { readonly axis: Float64Array; readonly scale: number }[];
}

function tridiagonal(a: Matrix): Tridiagonal {
  const { rows: size } = a;
  const work = fromLowerHalf(a);
  const rowOf = (i: number, from: number): Float64Array =>
    work.subarray(i * size + from, (i + 1) * size);
  const beside = new Float64Array(Math.max(0, size - 1));
  const reflectors: { axis: Float64Array; scale: number }[] = [];
  for (let k = 0; k + 1 < size; k++) {
    const column = rowOf(k, k + 1);
    const length = norm(column);
    const first = column[0] ?? 0;
    const head = first > 0 ? -length : length;
    beside[k] = head;
    const axis = column.map((value) => (length === 0 ? 0 : value / length));
    if (length > 0) axis[0] = (first - head) / length;
    const square = dot(axis, axis, axis.length);
    const scale = square === 0 ? 0 : 2 / square;
    reflectors.push({ axis, scale });
    if (scale !== 0) reflectBothSides(axis, scale, (i) => rowOf(k + 1 + i, k + 1));
  }
  const diagonal = Float64Array.from({ length: size }, (_, i) => work[i * size + i] ?? 0);
  return { diagonal, beside, reflectors };
}

/** H A H for the reflection H, as the update A - v w^T - w v^T of rank two. */
function reflectBothSides(
  v: Float64Array,
  scale: number,
  rowOf: (i: number) => Float64Array,
): void {
  const w = v.map((_, i) => scale * dot(rowOf(i), v, v.length));
  addScaled(w, v, (-scale / 2) * dot(w, v, v.length));
  for (let i = 0; i < v.length; i++) {
    const row = rowOf(i);
    const [vi, wi] = [v[i] ?? 0, w[i] ?? 0];
    for (let j = 0; j < row.length; j++) {
      row[j] = (row[j] ?? 0) - vi * (w[j] ?? 0) - wi * (v[j] ?? 0);
    }
  }
}

function fromLowerHalf({ rows: size, data }: Matrix): Float64Array {
  const full = data.slice();
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) full[j * size + i] = full[i * size + j] ?? 0;
  }
  return full;
}

/** Two or three steps are usual for each eigenvalue. */
const STEPS_PER_VALUE = 60;

/** Makes the tridiagonal matrix diagonal, in place, and turns the vectors along. */
function diagonalise(d: Float64Array, e: Float64Array, vectors: readonly Float64Array[]): void {
  let steps = STEPS_PER_VALUE * d.length;
  for (let high = d.length - 1; high > 0; ) {
    if (negligible(d, e, high - 1)) {
      e[high - 1] = 0;
      high--;
      continue;
    }
    let low = high - 1;
    while (low > 0 && !negligible(d, e, low - 1)) low--;
    if (steps-- === 0) throw new RangeError("the eigenvalues did not converge");
    qrStep(d, e, { low, high, vectors });
  }
}

const negligible = (d: Float64Array, e: Float64Array, i: number): boolean =>
  Math.abs(e[i] ?? 0) <= Number.EPSILON * (Math.abs(d[i] ?? 0) + Math.abs(d[i + 1] ?? 0));

/** One implicit QR step on the rows `low` to `high`: a bulge is made and chased out. */
function qrStep(
  d: Float64Array,
  e: Float64Array,
  {
    low,
    high,
    vectors,
  }: { readonly low: number; readonly high: number; readonly vectors: readonly Float64Array[] },
): void {
  let x = (d[low] ?? 0) - wilkinsonShift(d, e, high);
  let bulge = e[low] ?? 0;
  for (let k = low; k < high; k++) {
    const length = Math.hypot(x, bulge);
    const [c, s] = length === 0 ? [1, 0] : [x / length, bulge / length];
    if (k > low) e[k - 1] = length;
    const [a, b, g] = [d[k] ?? 0, e[k] ?? 0, d[k + 1] ?? 0];
    d[k] = c * c * a + 2 * c * s * b + s * s * g;
    d[k + 1] = s * s * a - 2 * c * s * b + c * c * g;
    e[k] = c * s * (g - a) + (c * c - s * s) * b;
    x = e[k] ?? 0;
    if (k + 1 < high) {
      bulge = s * (e[k + 1] ?? 0);
      e[k + 1] = c * (e[k + 1] ?? 0);
    }
    const [first, second] = [vectors[k], vectors[k + 1]];
    if (first !== undefined && second !== undefined) rotate(first, second, c, s);
  }
}

/** The eigenvalue of the last 2 x 2 block that is nearer to its last element. */
function wilkinsonShift(d: Float64Array, e: Float64Array, high: number): number {
  const [a, b, g] = [d[high - 1] ?? 0, e[high - 1] ?? 0, d[high] ?? 0];
  const half = (a - g) / 2;
  const root = Math.hypot(half, b);
  return half === 0 && root === 0 ? g : g - (b * b) / (half + (half < 0 ? -root : root));
}

/** (x, y) becomes (c x + s y, c y - s x). */
export function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const [xi, yi] = [x[i] ?? 0, y[i] ?? 0];
    x[i] = c * xi + s * yi;
    y[i] = c * yi - s * xi;
  }
}
