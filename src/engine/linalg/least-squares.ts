// Linear least squares: the X that brings A X nearest to B, the shortest where there are several.
//
// Normal equations with iterative refinement (Bjorck, Numerical Methods for Least Squares Problems,
// 1996, section 6.6) where they converge, since their products run on the engine; else the complete
// orthogonal decomposition from pivoted QR (Golub & Van Loan, 4th ed., 2013, section 5.5).

import { cholesky, solveCholesky, solveLower, solveLowerTransposed } from "./cholesky.ts";
import {
  leadingColumns,
  type Matrix,
  norm,
  requireFinite,
  subtract,
  transpose,
  zeros,
} from "./matrix.ts";
import type { Products } from "./products.ts";
import { qr } from "./qr.ts";

export interface LeastSquares {
  /** n x (columns of B). */
  readonly x: Matrix;
  /** Independent columns of A to working precision. */
  readonly rank: number;
  readonly method: "normal-equations" | "orthogonal";
}

/** Solves for every column of B. Throws RangeError for sizes that do not fit and elements not finite. */
export async function leastSquares(
  products: Products,
  a: Matrix,
  b: Matrix,
): Promise<LeastSquares> {
  if (a.rows !== b.rows) throw new RangeError(`${a.rows} equations, ${b.rows} right-hand sides`);
  requireFinite("least squares, A", a);
  requireFinite("least squares, B", b);
  const x = a.rows < a.columns ? null : await byNormalEquations(products, a, b);
  return x === null
    ? byOrthogonalDecomposition(products, a, b)
    : { x, rank: a.columns, method: "normal-equations" };
}

/** Each step must shrink the correction this much, or A is too ill-conditioned for the normal equations. */
const LEAST_PROGRESS = 0.1;
const MOST_STEPS = 10;

/** Null where A^T A is singular to working precision or refinement does not converge. */
async function byNormalEquations(products: Products, a: Matrix, b: Matrix): Promise<Matrix | null> {
  // Columns of unit length come near the best condition that scaling can give (van der Sluis 1969).
  const lengths = columnLengths(a);
  if (lengths.some((length) => length === 0)) return null;
  const scaled = divideColumns(a, lengths);
  const factor = cholesky(await products.gram(scaled));
  if (factor === null) return null;
  let x = zeros(a.columns, b.columns);
  let last = Number.POSITIVE_INFINITY;
  for (let step = 0; step < MOST_STEPS; step++) {
    const residual = step === 0 ? b : subtract(b, await products.multiply(scaled, x));
    const correction = solveCholesky(factor, await products.multiply(scaled, residual, "a"));
    x = { ...x, data: x.data.map((value, i) => value + (correction.data[i] ?? 0)) };
    const size = norm(correction.data);
    if (size <= a.columns * Number.EPSILON * norm(x.data)) return divideRows(x, lengths);
    // The first correction is the solution itself.
    if (step > 0 && size > LEAST_PROGRESS * last) {
      return size <= SETTLED * norm(x.data) ? divideRows(x, lengths) : null;
    }
    last = size;
  }
  return null;
}

/** Corrections this small that do not shrink any more are rounding errors of the residual. */
const SETTLED = 1e-13;

async function byOrthogonalDecomposition(
  products: Products,
  a: Matrix,
  b: Matrix,
): Promise<LeastSquares> {
  const { q, r, order, rank } = qr(a, "pivot");
  const x = zeros(a.columns, b.columns);
  if (rank > 0) {
    const right = await products.multiply(leadingColumns(q, rank), b, "a");
    const top = { rows: rank, columns: a.columns, data: r.data.subarray(0, rank * a.columns) };
    const solution = await shortestSolution(products, top, right);
    order.forEach((column, i) => {
      const from = solution.data.subarray(i * b.columns, (i + 1) * b.columns);
      x.data.set(from, column * b.columns);
    });
  }
  return { x, rank, method: "orthogonal" };
}

/** The shortest solution of an upper trapezoidal system with independent rows. */
async function shortestSolution(products: Products, r: Matrix, b: Matrix): Promise<Matrix> {
  const tall = transpose(r);
  if (r.rows === r.columns) return solveLowerTransposed(tall, b);
  const { q, r: upper } = qr(tall);
  return products.multiply(q, solveLower(transpose(upper), b));
}

function columnLengths(a: Matrix): Float64Array {
  const tall = transpose(a);
  return Float64Array.from({ length: a.columns }, (_, j) =>
    norm(tall.data.subarray(j * a.rows, (j + 1) * a.rows)),
  );
}

const divideColumns = (a: Matrix, by: Float64Array): Matrix => ({
  ...a,
  data: a.data.map((value, index) => value / (by[index % a.columns] ?? 1)),
});

const divideRows = (a: Matrix, by: Float64Array): Matrix => ({
  ...a,
  data: a.data.map((value, index) => value / (by[Math.floor(index / a.columns)] ?? 1)),
});
