// The leading singular values and vectors from a random subspace, refined by subspace iteration (Halko,
// Martinsson & Tropp, "Finding structure with randomness", SIAM Review 53, 2011, algorithms 4.4 and
// 5.1), with a certificate, and the full decomposition where the certificate is not reached.
//
// The certificate: with U = Q W and Q^T A = W S V^T, A^T U = V S holds exactly. For the residual
// R = A V - U S the triplets are therefore exact for the matrix A - R V^T, since U^T R = 0. So
// |R| / |A| (Frobenius norms) is the relative change of A for which the answer is exact.

import { createRandom } from "../../core/index.ts";
import { cholesky, solveLower } from "./cholesky.ts";
import { frobeniusNorm, type Matrix, requireFinite, transpose, zeros } from "./matrix.ts";
import type { Products } from "./products.ts";
import { qr } from "./qr.ts";
import { type Svd, svd, truncate } from "./svd.ts";

export interface RandomisedOptions {
  /** Directions beyond the rank that are carried along. Default: 10. */
  readonly oversampling?: number;
  /** Largest relative backward error (see above) that is accepted. Default: 1e-3. */
  readonly tolerance?: number;
  /** Subspace iterations before giving up. Default: 8; two are always made. */
  readonly maxIterations?: number;
  /** Of the random subspace. Default: 1. */
  readonly seed?: number;
}

export interface RandomisedSvd extends Svd {
  readonly method: "randomised" | "exact";
  /** Relative backward error of the triplets; null where the method is exact. */
  readonly backwardError: number | null;
  /** Subspace iterations that were made, in vain where the method is exact. */
  readonly iterations: number;
}

/** Compression quality needs few iterations; see Halko et al., section 1.6. */
const LEAST_ITERATIONS = 2;

/** The `rank` leading singular triplets. */
export async function randomisedSvd(
  products: Products,
  a: Matrix,
  rank: number,
  options: RandomisedOptions = {},
): Promise<RandomisedSvd> {
  const { oversampling = 10, tolerance = 1e-3, maxIterations = 8, seed = 1 } = options;
  const least = Math.min(a.rows, a.columns);
  if (!Number.isInteger(rank) || rank < 1 || rank > least) {
    throw new RangeError(`rank ${rank} of a ${a.rows} x ${a.columns} matrix`);
  }
  requireFinite("singular values", a);
  const width = rank + oversampling;
  let iterations = 0;
  let last = Number.POSITIVE_INFINITY;
  // A subspace of half the space costs as much as all of it.
  if (2 * width < least) {
    const start = await products.multiply(a, gaussian(a.columns, width, seed));
    let basis = await orthonormal(products, start);
    while (iterations < maxIterations) {
      const back = await orthonormal(products, await products.multiply(a, basis, "a"));
      basis = await orthonormal(products, await products.multiply(a, back));
      iterations++;
      if (iterations < LEAST_ITERATIONS) continue;
      const found = await project(products, a, basis, rank);
      const backwardError = await relativeResidual(products, a, found);
      if (backwardError <= tolerance) {
        return { ...found, method: "randomised", backwardError, iterations };
      }
      // Convergence is geometric at best: what this rate will not reach is not worth trying.
      const left = maxIterations - iterations;
      if (last < 1 && backwardError * (backwardError / last) ** left > tolerance) break;
      last = backwardError;
    }
  }
  const exact = truncate(await svd(products, a), rank);
  return { ...exact, method: "exact", backwardError: null, iterations };
}

function gaussian(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed);
  return {
    rows,
    columns,
    data: Float64Array.from({ length: rows * columns }, () => random.normal()),
  };
}

/**
 * An orthonormal basis of the columns: twice Cholesky-QR, whose products run on the engine
 * (Yamamoto et al., ETNA 44, 2015), or reflections where the columns are too dependent for it.
 */
async function orthonormal(products: Products, a: Matrix): Promise<Matrix> {
  let basis = a;
  for (let pass = 0; pass < 2; pass++) {
    const factor = cholesky(await products.gram(basis));
    if (factor === null || conditionOf(factor) > LARGEST_CONDITION) return qr(a).q;
    basis = transpose(solveLower(factor, transpose(basis)));
  }
  return basis;
}

/** Up to 1/sqrt(epsilon) the second pass repairs what the first lost. */
const LARGEST_CONDITION = 1e7;

/** Ratio of the largest and least diagonal element: a lower bound of the condition number. */
function conditionOf({ rows, data }: Matrix): number {
  const diagonal = Array.from({ length: rows }, (_, i) => data[i * rows + i] ?? 0);
  return Math.max(...diagonal) / Math.min(...diagonal);
}

/** The triplets of A within the subspace. */
async function project(products: Products, a: Matrix, basis: Matrix, rank: number): Promise<Svd> {
  const { u, s, v } = await svd(products, await products.multiply(basis, a, "a"));
  return truncate({ u: await products.multiply(basis, u), s, v }, rank);
}

async function relativeResidual(products: Products, a: Matrix, { u, s, v }: Svd): Promise<number> {
  const size = frobeniusNorm(a);
  if (size === 0) return 0;
  const image = await products.multiply(a, v);
  const residual = zeros(image.rows, image.columns);
  image.data.forEach((value, index) => {
    residual.data[index] = value - (u.data[index] ?? 0) * (s[index % s.length] ?? 0);
  });
  return frobeniusNorm(residual) / size;
}
