// The singular value decomposition to full accuracy.
//
// The eigenvectors of the Gram matrix, whose products run on the engine, bring the columns of A V close
// to orthogonal, all but the short ones, which are lost in the squares of the long ones: for those the
// same is done again among themselves. What is left is repaired by one-sided Jacobi rotations (Hestenes
// 1958; Demmel & Veselic 1992), which converge in two or three sweeps from there.

import { addScaled, dot } from "./cholesky.ts";
import {
  fromRows,
  identity,
  leadingColumns,
  type Matrix,
  norm,
  requireFinite,
  rowsOf,
  transpose,
} from "./matrix.ts";
import type { Products } from "./products.ts";
import { rotate, symmetricEigen } from "./symmetric-eigen.ts";

/** A = U diag(s) V^T, with k values: min(m, n), or as many as were asked for. */
export interface Svd {
  /** m x k, orthonormal columns. */
  readonly u: Matrix;
  /** Falling, none negative. */
  readonly s: Float64Array;
  /** n x k, orthonormal columns. */
  readonly v: Matrix;
}

/** Decomposes a matrix. Throws RangeError when an element is not finite. */
export async function svd(products: Products, a: Matrix): Promise<Svd> {
  requireFinite("singular values", a);
  if (a.rows < a.columns) {
    const { u, s, v } = await svd(products, transpose(a));
    return { u: v, s, v: u };
  }
  const size = norm(a.data);
  // Squares of very small and very large elements would leave the range of doubles.
  const scale = size === 0 ? 1 : 1 / size;
  const scaled = { ...a, data: a.data.map((value) => value * scale) };
  // Columns lie along rows here, so that rotations run along memory.
  const left = [...rowsOf(transpose(scaled))];
  const right = [...rowsOf(identity(a.columns))];
  // The scaled matrix has norm 1: what is shorter than this is made of rounding errors.
  const floor = a.rows * Number.EPSILON;
  await turnToEigenvectors(products, { left, right, floor });
  orthogonalise(left, right, floor);
  return assemble(left, right, { rows: a.rows, scale, floor });
}

interface Columns {
  readonly left: Float64Array[];
  /** Turned along with `left`. */
  readonly right: Float64Array[];
  readonly floor: number;
}

/** Columns this much shorter than the longest are resolved poorly by its Gram matrix. */
const SHORT = 1e-5;

/** Makes the columns nearly orthogonal, the short ones among themselves. */
async function turnToEigenvectors(
  products: Products,
  { left, right, floor }: Columns,
): Promise<void> {
  let block = [...left.keys()];
  while (block.length > 1) {
    const longest = block.reduce((most, i) => Math.max(most, lengthOf(left[i])), 0);
    if (longest <= floor) return;
    const rows = gather(left, block);
    const unit = { ...rows, data: rows.data.map((value) => value / longest) };
    const { vectors } = symmetricEigen(await products.multiply(unit, unit, "b"));
    scatter(await products.multiply(vectors, rows, "a"), left, block);
    scatter(await products.multiply(vectors, gather(right, block), "a"), right, block);
    block = block.filter((i) => lengthOf(left[i]) < SHORT * longest);
  }
}

const lengthOf = (row: Float64Array | undefined): number => (row === undefined ? 0 : norm(row));

const gather = (from: readonly Float64Array[], block: readonly number[]): Matrix =>
  fromRows(
    block.flatMap((i) => from[i] ?? []),
    from[0]?.length ?? 0,
  );

function scatter(rows: Matrix, to: Float64Array[], block: readonly number[]): void {
  for (const [k, row] of rowsOf(rows).entries()) to[block[k] ?? 0] = row;
}

/** The leading values of a decomposition. */
export const truncate = ({ u, s, v }: Svd, rank: number): Svd => ({
  u: leadingColumns(u, rank),
  s: s.slice(0, rank),
  v: leadingColumns(v, rank),
});

/** More sweeps were never needed after the eigenvectors; a matrix of noise needs about four. */
const MOST_SWEEPS = 30;

/**
 * Turns pairs of vectors until all are orthogonal, and their companions along. Vectors not longer than
 * `floor` are left alone.
 */
function orthogonalise(
  left: readonly Float64Array[],
  right: readonly Float64Array[],
  floor: number,
): void {
  const count = left.length;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    const squares = left.map((x) => dot(x, x, x.length));
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const [x, y, p, q] = [left[i], left[j], right[i], right[j]];
        const [xx, yy] = [squares[i] ?? 0, squares[j] ?? 0];
        if (!x || !y || !p || !q || Math.min(xx, yy) <= floor * floor) continue;
        const xy = dot(x, y, x.length);
        if (Math.abs(xy) <= x.length * Number.EPSILON * Math.sqrt(xx * yy)) continue;
        const { c, s } = jacobiRotation(xx, xy, yy);
        rotate(x, y, c, s);
        rotate(p, q, c, s);
        squares[i] = dot(x, x, x.length);
        squares[j] = dot(y, y, y.length);
        turned = true;
      }
    }
    if (!turned) return;
  }
  throw new RangeError("the singular values did not converge");
}

/** The smaller rotation that makes two vectors with these products orthogonal. */
function jacobiRotation(
  xx: number,
  xy: number,
  yy: number,
): { readonly c: number; readonly s: number } {
  const zeta = (xx - yy) / (2 * xy);
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  return { c, s: c * t };
}

function assemble(
  left: readonly Float64Array[],
  right: readonly Float64Array[],
  { rows, scale, floor }: { readonly rows: number; readonly scale: number; readonly floor: number },
): Svd {
  const lengths = left.map(norm);
  const order = [...lengths.keys()].sort((i, j) => (lengths[j] ?? 0) - (lengths[i] ?? 0));
  const units: Float64Array[] = [];
  for (const i of order) {
    const length = lengths[i] ?? 0;
    const vector = left[i];
    // A direction of rounding errors is none: it gets a vector of its own below.
    if (vector !== undefined && length > floor) units.push(vector.map((value) => value / length));
  }
  while (units.length < left.length) units.push(anotherUnit(units, rows));
  return {
    u: transpose(fromRows(units, rows)),
    s: Float64Array.from(order, (i) => (lengths[i] ?? 0) / scale),
    v: transpose(
      fromRows(
        order.flatMap((i) => right[i] ?? []),
        right[0]?.length ?? 0,
      ),
    ),
  };
}

/** A unit vector orthogonal to all of these: the axis that they cover least, made orthogonal twice. */
function anotherUnit(units: readonly Float64Array[], size: number): Float64Array {
  const covered = new Float64Array(size);
  for (const unit of units) {
    for (let i = 0; i < size; i++) covered[i] = (covered[i] ?? 0) + (unit[i] ?? 0) ** 2;
  }
  const vector = new Float64Array(size);
  vector[covered.reduce((best, value, i) => (value < (covered[best] ?? 0) ? i : best), 0)] = 1;
  for (let pass = 0; pass < 2; pass++) {
    for (const unit of units) addScaled(vector, unit, -dot(unit, vector, size));
  }
  const length = norm(vector);
  return vector.map((value) => value / length);
}
