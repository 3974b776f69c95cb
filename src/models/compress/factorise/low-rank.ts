// A matrix as a product of two thin ones: the truncated singular value decomposition, plain or weighted
// by the data that the matrix will multiply.
//
// Plain: W = U S V^T cut at rank r is the nearest matrix of that rank (Eckart & Young 1936). Whitened: for
// rows X with X^T X = R^T R, the W_r nearest in |X (W - W_r)| comes from the decomposition of R W, and
// that distance is the root of the sum of the squares of the values cut off, exactly.

import {
  cholesky,
  type Matrix,
  matrix,
  type Products,
  randomisedSvd,
  solveLowerTransposed,
  symmetricEigen,
  transpose,
} from "../../../engine/index.ts";
import { notFinite } from "../statistics.ts";

/** W [k, n] ready to be cut at any rank up to the number of its values. */
export interface Spectrum {
  /** Singular values, falling: of W, or of R W when whitened. */
  readonly values: Float64Array;
  /** Sum of the squares of all singular values, those that were not asked for included. */
  readonly energy: number;
  /** Whether the values measure the error on the data. */
  readonly whitened: boolean;
  /** The factors [k, r] and [r, n]; their product is the best approximation of rank r. */
  cut(rank: number): Promise<Factors>;
}

export interface Factors {
  readonly left: Matrix;
  readonly right: Matrix;
}

export interface SpectrumOptions {
  /** X^T X of the rows that the matrix multiplies. */
  readonly gram?: Matrix | undefined;
  /** How many values are needed. Default: all. */
  readonly leading?: number | undefined;
}

/** Decomposes a matrix, weighted by the Gram matrix of its inputs where one is given. */
export async function spectrumOf(
  products: Products,
  weights: Matrix,
  { gram, leading }: SpectrumOptions = {},
): Promise<Spectrum> {
  const lower = gram === undefined ? null : factorOf(gram);
  // R = L^T of the Cholesky factor.
  const weighted = lower === null ? weights : await products.multiply(lower, weights, "a");
  const { values, basis, side } = await singularVectors(products, weighted, leading);
  return {
    values,
    energy: weighted.data.reduce((sum, value) => sum + value ** 2, 0),
    whitened: lower !== null,
    async cut(rank) {
      // The nearest matrix of rank r is the projection on the leading vectors of either side.
      const vectors = leadingOf(basis, rank);
      const other = await products.multiply(weighted, vectors, side === "right" ? "none" : "a");
      const [u, v] = side === "right" ? [other, vectors] : [vectors, other];
      const { left, right } = balanced(u, v, { values, side });
      return {
        left: lower === null ? left : solveLowerTransposed(lower, left),
        right: transpose(right),
      };
    },
  };
}

/**
 * Above this size a random subspace is tried where a quarter of the vectors suffices. What counts is the
 * energy it keeps, not each vector, so that its certificate may be loose: on a flat spectrum it would
 * never be strict.
 */
const LARGE = 256;
export const LOOSE = { tolerance: 0.05, maxIterations: 12 } as const;

/**
 * Singular values, and the vectors of the shorter side as columns: eigenvectors of the Gram matrix,
 * which resolve values down to 1e-8 of the largest, far below the rounding of stored weights.
 */
async function singularVectors(
  products: Products,
  a: Matrix,
  leading: number | undefined,
): Promise<{
  readonly values: Float64Array;
  readonly basis: Matrix;
  readonly side: "left" | "right";
}> {
  const side = a.columns <= a.rows ? "right" : "left";
  const size = Math.min(a.columns, a.rows);
  if (leading !== undefined && size > LARGE && 4 * leading <= size) {
    const { u, s, v } = await randomisedSvd(products, a, leading, LOOSE);
    return { values: s, basis: side === "right" ? v : u, side };
  }
  const gram = side === "right" ? await products.gram(a) : await products.gram(transpose(a));
  const { values, vectors } = symmetricEigen(gram);
  return { values: values.map((value) => Math.sqrt(Math.max(0, value))), basis: vectors, side };
}

/** U and V scaled so that both carry the root of each singular value. */
function balanced(
  u: Matrix,
  v: Matrix,
  { values, side }: { readonly values: Float64Array; readonly side: "left" | "right" },
): { readonly left: Matrix; readonly right: Matrix } {
  const roots = Float64Array.from({ length: u.columns }, (_, i) => Math.sqrt(values[i] ?? 0) || 1);
  const inverse = roots.map((root) => 1 / root);
  // The side that was multiplied by W already carries the whole value.
  return side === "right"
    ? { left: scaledColumns(u, inverse), right: scaledColumns(v, roots) }
    : { left: scaledColumns(u, roots), right: scaledColumns(v, inverse) };
}

/** Directions that the data never showed must not be thrown away at will. */
const LEAST_DAMPING = 1e-9;

/** L with L L^T = X^T X, damped just enough to exist. */
function factorOf(gram: Matrix): Matrix {
  const size = gram.rows;
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram.data[i * size + i] ?? 0;
  if (trace === 0) return identityFactor(size);
  for (let damping = 0; ; damping = damping === 0 ? LEAST_DAMPING : damping * 10) {
    const data = gram.data.slice();
    for (let i = 0; i < size; i++) {
      data[i * size + i] = (data[i * size + i] ?? 0) + (damping * trace) / size;
    }
    const factor = cholesky(matrix(size, size, data));
    if (factor !== null) return factor;
    if (!(damping <= 1)) throw notFinite();
  }
}

/** Without any signal every direction counts the same. */
function identityFactor(size: number): Matrix {
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return matrix(size, size, data);
}

function scaledColumns({ rows, columns, data }: Matrix, factors: Float64Array): Matrix {
  return matrix(
    rows,
    columns,
    data.map((value, at) => value * (factors[at % columns] ?? 0)),
  );
}

function leadingOf({ rows, columns, data }: Matrix, count: number): Matrix {
  const result = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) {
    result.set(data.subarray(i * columns, i * columns + count), i * count);
  }
  return matrix(rows, count, result);
}
