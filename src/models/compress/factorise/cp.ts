// Canonical polyadic decomposition of a kernel [O, I, h, w] by alternating least squares (Lebedev, Ganin,
// Rakhuba, Oseledets & Lempitsky, "Speeding-up convolutional neural networks using fine-tuned
// CP-decomposition", ICLR 2015), with a small L2 term and columns of equal length, since factors may
// grow without bound against each other otherwise (de Silva & Lim 2008). Fine-tune what comes of it.

import { createRandom } from "../../../core/index.ts";
import {
  cholesky,
  type Matrix,
  matrix,
  type Products,
  solveCholesky,
  transpose,
} from "../../../engine/index.ts";
import { type DenseTensor, relativeDistance, unfold } from "./unfold.ts";

export interface Cp {
  /** One matrix a mode, [size, rank]. */
  readonly factors: readonly Matrix[];
  /** Relative error. */
  readonly error: number;
  readonly iterations: number;
  /** Largest length of a column over that of the tensor: far above 1, terms cancel each other. */
  readonly degeneracy: number;
}

/** Factors grew without bound against each other. */
export class CpDiverged extends Error {
  override readonly name = "CpDiverged";
}

export interface CpOptions {
  /** Ends when the relative error falls less than this in one sweep. Default: 1e-4. */
  readonly tolerance?: number;
  /** Default: 100 sweeps. */
  readonly maxIterations?: number;
  /** Weight of the squares of the factors, relative to the mean of the normal matrix. Default: 1e-6. */
  readonly ridge?: number;
  readonly seed: number;
}

/** Decomposes a tensor of three or more modes. Throws CpDiverged. */
export async function cp(
  products: Products,
  tensor: DenseTensor,
  rank: number,
  { tolerance = 1e-4, maxIterations = 100, ridge = 1e-6, seed }: CpOptions,
): Promise<Cp> {
  const random = createRandom(seed);
  const unfoldings = tensor.dims.map((_, mode) => unfold(tensor, mode));
  const factors = tensor.dims.map((size) =>
    matrix(
      size,
      rank,
      Float64Array.from({ length: size * rank }, () => random.normal()),
    ),
  );
  let error = 1;
  let iterations = 0;
  while (iterations < maxIterations) {
    for (const [mode, unfolding] of unfoldings.entries()) {
      const others = factors.filter((_, other) => other !== mode);
      const right = await products.multiply(unfolding, khatriRao(others));
      factors[mode] = solveNormal(await hadamardGram(products, others), right, ridge);
      balance(factors);
    }
    const next = relativeDistance(tensor.data, (await assemble(products, factors)).data);
    iterations++;
    const gained = error - next;
    error = next;
    if (!Number.isFinite(error)) throw new CpDiverged();
    if (iterations > 1 && gained <= tolerance) break;
  }
  return { factors, error, iterations, degeneracy: degeneracyOf(factors, tensor) };
}

/** Column-wise Kronecker product; the last factor's index runs fastest, as in an unfolding. */
function khatriRao(factors: readonly Matrix[]): Matrix {
  const [first, ...rest] = factors;
  if (first === undefined) throw new RangeError("no factors");
  return rest.reduce((a, b) => {
    const data = new Float64Array(a.rows * b.rows * a.columns);
    for (let i = 0; i < a.rows; i++) {
      for (let j = 0; j < b.rows; j++) {
        const to = (i * b.rows + j) * a.columns;
        for (let r = 0; r < a.columns; r++) {
          data[to + r] = (a.data[i * a.columns + r] ?? 0) * (b.data[j * a.columns + r] ?? 0);
        }
      }
    }
    return matrix(a.rows * b.rows, a.columns, data);
  }, first);
}

/** Element-wise product of the factors' Gram matrices: the Gram matrix of their Khatri-Rao product. */
async function hadamardGram(products: Products, factors: readonly Matrix[]): Promise<Matrix> {
  const [first, ...rest] = await Promise.all(factors.map((factor) => products.gram(factor)));
  if (first === undefined) throw new RangeError("no factors");
  for (const { data } of rest) {
    for (let i = 0; i < data.length; i++) first.data[i] = (first.data[i] ?? 0) * (data[i] ?? 0);
  }
  return first;
}

/** X with X G = B for a symmetric G, damped until it can be solved. */
function solveNormal(gram: Matrix, right: Matrix, ridge: number): Matrix {
  const size = gram.rows;
  let mean = 0;
  for (let i = 0; i < size; i++) mean += (gram.data[i * size + i] ?? 0) / size;
  for (let damping = ridge; damping <= 1; damping *= 10) {
    const data = gram.data.slice();
    for (let i = 0; i < size; i++) data[i * size + i] = (data[i * size + i] ?? 0) + damping * mean;
    const factor = cholesky(matrix(size, size, data));
    if (factor !== null) return transpose(solveCholesky(factor, transpose(right)));
  }
  throw new CpDiverged();
}

/** Makes a component's columns equally long in all modes; their product stays as it is. */
function balance(factors: readonly Matrix[]): void {
  const rank = factors[0]?.columns ?? 0;
  for (let r = 0; r < rank; r++) {
    const lengths = factors.map((factor) => columnLength(factor, r));
    const product = lengths.reduce((a, b) => a * b, 1);
    if (product === 0) continue;
    const even = product ** (1 / factors.length);
    for (const [mode, { rows, data }] of factors.entries()) {
      const scale = even / (lengths[mode] ?? 1);
      for (let i = 0; i < rows; i++) data[i * rank + r] = (data[i * rank + r] ?? 0) * scale;
    }
  }
}

function columnLength({ rows, columns, data }: Matrix, column: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += (data[i * columns + column] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** The tensor that the factors stand for, unfolded along the first mode. */
const assemble = (products: Products, factors: readonly Matrix[]): Promise<Matrix> => {
  const [first, ...rest] = factors;
  if (first === undefined) throw new RangeError("no factors");
  return products.multiply(first, khatriRao(rest), "b");
};

function degeneracyOf(factors: readonly Matrix[], { data }: DenseTensor): number {
  const size = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0));
  const rank = factors[0]?.columns ?? 0;
  let largest = 0;
  for (let r = 0; r < rank; r++) {
    largest = Math.max(
      largest,
      factors.reduce((product, factor) => product * columnLength(factor, r), 1),
    );
  }
  return size === 0 ? 0 : largest / size;
}
