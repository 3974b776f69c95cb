// QR factorisation by Householder reflections with column pivoting (Businger & Golub 1965; Golub & Van
// Loan, Matrix Computations, 4th ed., 2013, sections 5.2 and 5.4), which also tells the rank.
//
// Columns are kept as rows of the transpose: a reflection then runs along memory.

import { addScaled, dot } from "./cholesky.ts";
import { type Matrix, norm, transpose, zeros } from "./matrix.ts";

/** A P = Q R. */
export interface Qr {
  /** m x k with orthonormal columns, k = min(m, n). */
  readonly q: Matrix;
  /** k x n, upper triangular, its diagonal not negative and, where pivoted, falling. */
  readonly r: Matrix;
  /** Column of A that stands at each place of R. */
  readonly order: readonly number[];
  /** Columns that are independent to working precision; all when columns were not pivoted. */
  readonly rank: number;
}

/** Factorises a matrix. Without pivoting the columns stay in their order. */
export function qr(a: Matrix, pivoting: "pivot" | "keep" = "keep"): Qr {
  const { rows, columns } = a;
  const count = Math.min(rows, columns);
  const working = transpose(a).data;
  const columnOf = (j: number): Float64Array => working.subarray(j * rows, (j + 1) * rows);
  const order = Array.from({ length: columns }, (_, j) => j);
  const reflectors: { readonly vector: Float64Array; readonly scale: number }[] = [];
  const signs: number[] = [];
  for (let step = 0; step < count; step++) {
    if (pivoting === "pivot") swapLongest(step, order, columnOf);
    const tail = columnOf(step).subarray(step);
    const { vector, scale, head } = reflector(tail);
    tail.fill(0);
    tail[0] = Math.abs(head);
    signs.push(head < 0 ? -1 : 1);
    for (let j = step + 1; j < columns; j++) reflect(columnOf(j).subarray(step), vector, scale);
    reflectors.push({ vector, scale });
  }
  const q = zeros(count, rows);
  for (let j = 0; j < count; j++) {
    const column = q.data.subarray(j * rows, (j + 1) * rows);
    column[j] = signs[j] ?? 1;
    for (let step = j; step >= 0; step--) {
      const { vector, scale } = reflectors[step] ?? { vector: column, scale: 0 };
      reflect(column.subarray(step), vector, scale);
    }
  }
  const r = triangle(working, { rows, columns, count, signs });
  return { q: transpose(q), r, order, rank: pivoting === "pivot" ? rankOf(r) : count };
}

/** The reflection 1 - scale v v^T that sends x to (head, 0, 0 ...). */
function reflector(x: Float64Array): {
  readonly vector: Float64Array;
  readonly scale: number;
  readonly head: number;
} {
  const length = norm(x);
  const first = x[0] ?? 0;
  if (length === 0) return { vector: x.slice(), scale: 0, head: 0 };
  // The sign that avoids cancellation.
  const head = first > 0 ? -length : length;
  const vector = x.map((value) => value / length);
  vector[0] = (first - head) / length;
  return { vector, scale: 2 / dot(vector, vector, vector.length), head };
}

function reflect(x: Float64Array, vector: Float64Array, scale: number): void {
  if (scale !== 0) addScaled(x, vector, -scale * dot(x, vector, x.length));
}

/** Brings the column with the longest rest to the front; of equals the first. */
function swapLongest(step: number, order: number[], columnOf: (j: number) => Float64Array): void {
  let [best, longest] = [step, -1];
  for (let j = step; j < order.length; j++) {
    const length = norm(columnOf(j).subarray(step));
    if (length > longest) [best, longest] = [j, length];
  }
  if (best === step) return;
  const kept = columnOf(step).slice();
  columnOf(step).set(columnOf(best));
  columnOf(best).set(kept);
  [order[step], order[best]] = [order[best] ?? 0, order[step] ?? 0];
}

interface Reflected {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  readonly signs: readonly number[];
}

/** R from the reflected columns; its rows change sign where Q's columns do. */
function triangle(working: Float64Array, { rows, columns, count, signs }: Reflected): Matrix {
  const r = zeros(count, columns);
  for (let i = 0; i < count; i++) {
    for (let j = i; j < columns; j++) {
      const value = working[j * rows + i] ?? 0;
      r.data[i * columns + j] = i === j ? value : value * (signs[i] ?? 1);
    }
  }
  return r;
}

/** Diagonal elements of a pivoted R that stand out from rounding errors. */
function rankOf({ rows, columns, data }: Matrix): number {
  const floor = Math.max(rows, columns) * Number.EPSILON * (data[0] ?? 0);
  let rank = 0;
  while (rank < rows && (data[rank * columns + rank] ?? 0) > floor) rank++;
  return rank;
}
