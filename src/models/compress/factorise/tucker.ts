// Tucker-2: a convolution's kernel [O, I, ...] as a small core between two matrices of channels (Kim,
// Park, Yoo, Choi, Yang & Shin, "Compression of deep convolutional neural networks for fast and low power
// mobile applications", ICLR 2016). Started by the higher-order singular value decomposition, refined by
// orthogonal iteration (De Lathauwer, De Moor & Vandewalle 2000).

import {
  type Matrix,
  matrix,
  type Products,
  randomisedSvd,
  symmetricEigen,
} from "../../../engine/index.ts";
import { LOOSE } from "./low-rank.ts";
import type { RankSpectrum } from "./method.ts";
import { type DenseTensor, multiplyMode, relativeDistance, unfold } from "./unfold.ts";

/** W = core x_0 output x_1 input; both matrices have orthonormal columns. */
export interface Tucker2 {
  /** [O, r_out]. */
  readonly output: Matrix;
  /** [I, r_in]. */
  readonly input: Matrix;
  /** [r_out, r_in, ...]. */
  readonly core: DenseTensor;
  /** Relative error of the start and of the end. */
  readonly startError: number;
  readonly error: number;
  readonly iterations: number;
}

export interface TuckerOptions {
  /** Ends when the relative error changes less than this. Default: 1e-4, of the error. */
  readonly tolerance?: number;
  /** Default: 100. */
  readonly maxIterations?: number;
}

/** Decomposes a kernel of two or more modes at ranks [r_out, r_in]. */
export async function tucker2(
  products: Products,
  kernel: DenseTensor,
  ranks: readonly [output: number, input: number],
  options: TuckerOptions = {},
): Promise<Tucker2> {
  const { tolerance = 1e-4, maxIterations = 100 } = options;
  const [outputRank, inputRank] = ranks;
  let output = await leadingVectors(products, unfold(kernel, 0), outputRank);
  let input = await leadingVectors(products, unfold(kernel, 1), inputRank);
  let state = await project(products, kernel, output, input);
  const startError = state.error;
  let iterations = 0;
  while (iterations < maxIterations && startError > 0) {
    const alongInput = await multiplyMode(products, kernel, {
      by: input,
      mode: 1,
      transposed: true,
    });
    output = await leadingVectors(products, unfold(alongInput, 0), outputRank);
    const alongOutput = await multiplyMode(products, kernel, {
      by: output,
      mode: 0,
      transposed: true,
    });
    input = await leadingVectors(products, unfold(alongOutput, 1), inputRank);
    const next = await project(products, kernel, output, input);
    iterations++;
    const gained = state.error - next.error;
    state = next;
    if (gained <= tolerance * startError) break;
  }
  return { output, input, core: state.core, startError, error: state.error, iterations };
}

/** The best core for two bases, and the error with it. */
async function project(
  products: Products,
  kernel: DenseTensor,
  output: Matrix,
  input: Matrix,
): Promise<{ readonly core: DenseTensor; readonly error: number }> {
  const half = await multiplyMode(products, kernel, { by: output, mode: 0, transposed: true });
  const core = await multiplyMode(products, half, { by: input, mode: 1, transposed: true });
  const wide = await multiplyMode(products, core, { by: input, mode: 1, transposed: false });
  const back = await multiplyMode(products, wide, { by: output, mode: 0, transposed: false });
  return { core, error: relativeDistance(kernel.data, back.data) };
}

/** Up to this many rows all eigenvectors of the Gram matrix cost less than a random subspace. */
const SMALL = 256;

/** The leading left singular vectors, as columns. */
async function leadingVectors(products: Products, a: Matrix, rank: number): Promise<Matrix> {
  if (a.rows > SMALL && 4 * rank <= a.rows)
    return (await randomisedSvd(products, a, rank, LOOSE)).u;
  const { vectors } = symmetricEigen(await products.multiply(a, a, "b"));
  const data = new Float64Array(a.rows * rank);
  for (let i = 0; i < a.rows; i++) {
    data.set(vectors.data.subarray(i * a.rows, i * a.rows + rank), i * rank);
  }
  return matrix(a.rows, rank, data);
}

/** Singular values of the unfoldings along O and I, from which ranks are chosen. */
export async function modeSpectra(
  products: Products,
  kernel: DenseTensor,
): Promise<readonly RankSpectrum[]> {
  const spectra: RankSpectrum[] = [];
  for (const mode of [0, 1]) {
    const a = unfold(kernel, mode);
    const { values } = symmetricEigen(await products.multiply(a, a, "b"));
    const roots = values.map((value) => Math.sqrt(Math.max(0, value)));
    spectra.push({ values: roots, rows: a.rows, columns: a.columns });
  }
  return spectra;
}
