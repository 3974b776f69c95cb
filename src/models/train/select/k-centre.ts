// A coreset by k-centre: rows such that every other is near one of them (Sener & Savarese, Active Learning
// for Convolutional Neural Networks: A Core-Set Approach, 2018, Algorithm 1).

import type { TensorValue } from "../../../engine/index.ts";

export interface CoreSet {
  /** In the order chosen: the first rows of it are the choice for a smaller count. */
  readonly rows: readonly number[];
  /** Largest Euclidean distance of any row to its nearest chosen one. */
  readonly radius: number;
}

/**
 * Greedy k-centre: always the row that is farthest from those chosen. Its radius is at most twice the
 * smallest possible (Gonzalez, Theoretical Computer Science 38, 1985). Costs rows x count x width
 * multiplications. `chosen` are rows that one has already; without any, `start` is the first.
 */
export function kCentre(
  features: TensorValue,
  count: number,
  { chosen = [], start = 0 }: { readonly chosen?: readonly number[]; readonly start?: number } = {},
): CoreSet {
  const rows = features.dims[0] ?? 0;
  const width = features.data.length / Math.max(1, rows);
  const values = features.data as Float32Array;
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const add = (row: number): void => {
    for (let other = 0; other < rows; other++) {
      const distance = squaredDistance(values, row * width, other * width, width);
      if (distance < (nearest[other] as number)) nearest[other] = distance;
    }
    // Nearer than any twin: what is chosen is not chosen again.
    nearest[row] = -1;
  };
  for (const row of chosen) add(row);
  const picked: number[] = [];
  while (picked.length < Math.min(count, rows - chosen.length)) {
    const next = chosen.length + picked.length === 0 ? start : farthest(nearest);
    picked.push(next);
    add(next);
  }
  return { rows: picked, radius: Math.sqrt(Math.max(0, nearest[farthest(nearest)] ?? 0)) };
}

function farthest(distances: Float64Array): number {
  let best = 0;
  for (let row = 1; row < distances.length; row++) {
    if ((distances[row] as number) > (distances[best] as number)) best = row;
  }
  return best;
}

function squaredDistance(values: Float32Array, a: number, b: number, width: number): number {
  let sum = 0;
  for (let at = 0; at < width; at++) {
    const difference = (values[a + at] as number) - (values[b + at] as number);
    sum += difference * difference;
  }
  return sum;
}
