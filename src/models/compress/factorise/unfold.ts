// Dense tensors of doubles, and their products with matrices along one mode (Kolda & Bader, "Tensor
// decompositions and applications", SIAM Review 51, 2009, sections 2.4 and 2.5).

import { type Matrix, matrix, type Products } from "../../../engine/index.ts";

/** Row-major. */
export interface DenseTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** The mode's index along rows, the others along columns in their order. */
export function unfold({ dims, data }: DenseTensor, mode: number): Matrix {
  const size = dims[mode] ?? 1;
  const inner = dims.slice(mode + 1).reduce((product, dim) => product * dim, 1);
  const outer = data.length / (size * inner);
  if (mode === 0) return matrix(size, inner, data);
  const result = new Float64Array(data.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < size; i++) {
      const from = (o * size + i) * inner;
      result.set(data.subarray(from, from + inner), (i * outer + o) * inner);
    }
  }
  return matrix(size, outer * inner, result);
}

/** The tensor of these dimensions whose unfolding this is. */
export function fold({ data }: Matrix, dims: readonly number[], mode: number): DenseTensor {
  if (mode === 0) return { dims, data };
  const size = dims[mode] ?? 1;
  const inner = dims.slice(mode + 1).reduce((product, dim) => product * dim, 1);
  const outer = data.length / (size * inner);
  const result = new Float64Array(data.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < size; i++) {
      const from = (i * outer + o) * inner;
      result.set(data.subarray(from, from + inner), (o * size + i) * inner);
    }
  }
  return { dims, data: result };
}

/** Every fibre of a mode multiplied by a matrix: by M^T of [size, r], or by M of [n, size]. */
export async function multiplyMode(
  products: Products,
  tensor: DenseTensor,
  {
    by,
    mode,
    transposed,
  }: { readonly by: Matrix; readonly mode: number; readonly transposed: boolean },
): Promise<DenseTensor> {
  const product = await products.multiply(by, unfold(tensor, mode), transposed ? "a" : "none");
  const dims = tensor.dims.map((size, axis) => (axis === mode ? product.rows : size));
  return fold(product, dims, mode);
}

/** |a - b| / |a|, Frobenius. */
export function relativeDistance(a: Float64Array, b: Float64Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of a.entries()) {
    difference += (value - (b[i] ?? 0)) ** 2;
    size += value ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}
