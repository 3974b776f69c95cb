// How many singular values are kept, and how much of a layer that leaves.

/** Least rank whose values hold this share of the energy, the sum of squares of all of them. */
export function rankByEnergy(values: Float64Array, share: number): number {
  const total = tailOf(values, 0);
  let kept = 0;
  for (const [index, value] of values.entries()) {
    kept += value ** 2;
    if (kept >= share * total) return index + 1;
  }
  return values.length;
}

/** Sum of the squares of the values that a rank cuts off: the squared error. */
export const tailOf = (values: Float64Array, rank: number): number =>
  values.subarray(rank).reduce((sum, value) => sum + value ** 2, 0);

/**
 * The rank as the kernels like it: a multiple of `align`, upward, and at most `most`. ONNX Runtime's
 * blocked kernels lose their layout at other widths (compress.md 0.8).
 */
export function alignedRank(rank: number, align: number, most: number): number {
  return Math.max(1, Math.min(most, Math.ceil(rank / align) * align));
}

/**
 * Chains that keep this much of a layer's parameters or work are refused: more operators and less regular
 * ones eat the rest. For a [k, n] matrix that is 0.8 of the rank k n / (k + n) that breaks even.
 */
export const MOST_KEPT = 0.8;
