// Samples in a few numbers or as sets, straight from the data: what distances and duplicates are found by where
// no model has been trained yet.

import { createRandom } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { allRows, batched, type Dataset } from "../../data/index.ts";

/** Rows that are read at once. */
const BATCH = 256;

/** The values of some columns of each row, after one another. */
async function* flatRows(
  dataset: Dataset,
  columns: readonly string[],
): AsyncGenerator<Float32Array, void, undefined> {
  for (const rows of batched(allRows(dataset.length), BATCH)) {
    const batch = await dataset.batch(rows, columns);
    for (let row = 0; row < rows.length; row++) {
      const samples = columns.map((name) => sampleOf(batch.get(name), row));
      const values = new Float32Array(samples.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const sample of samples) {
        values.set(sample, at);
        at += sample.length;
      }
      yield values;
    }
  }
}

function sampleOf(value: TensorValue | undefined, row: number): ArrayLike<number> {
  if (value === undefined) throw new TypeError("a batch without a column that was asked for");
  const size = value.data.length / (value.dims[0] ?? 1);
  const own = value.data.slice(row * size, (row + 1) * size) as ArrayLike<number | bigint>;
  return typeof own[0] === "bigint" ? Array.from(own, Number) : (own as ArrayLike<number>);
}

/**
 * Random projections [rows, width] of the values of some columns: distances are kept in the mean, with a
 * relative deviation of about 1 / sqrt(2 width) (Johnson & Lindenstrauss 1984, by Gaussian numbers as Dasgupta
 * & Gupta 2003), at a fraction of the cost of comparing all values.
 */
export async function projectRows(
  dataset: Dataset,
  columns: readonly string[],
  { width = 32, seed }: { readonly width?: number; readonly seed: number },
): Promise<TensorValue> {
  const data = new Float32Array(dataset.length * width);
  const random = createRandom(seed);
  let matrix: Float32Array | null = null;
  let at = 0;
  for await (const values of flatRows(dataset, columns)) {
    matrix ??= Float32Array.from({ length: width * values.length }, () => random.normal());
    for (let column = 0; column < width; column++) {
      let sum = 0;
      const start = column * values.length;
      for (let i = 0; i < values.length; i++) {
        sum += (values[i] as number) * (matrix[start + i] as number);
      }
      data[at++] = sum / Math.sqrt(width);
    }
  }
  return { dataType: "float32", dims: [dataset.length, width], data };
}

/**
 * Each row as a set of places with their values, for MinHash: means of at most `parts` runs of its values,
 * rounded to `levels` steps of the range that they take in all rows.
 */
export async function valueSets(
  dataset: Dataset,
  columns: readonly string[],
  { parts = 256, levels = 16 }: { readonly parts?: number; readonly levels?: number } = {},
): Promise<readonly ReadonlySet<string>[]> {
  const means: Float64Array[] = [];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const values of flatRows(dataset, columns)) {
    const own = meansOfRuns(values, Math.min(parts, values.length));
    for (const value of own) [low, high] = [Math.min(low, value), Math.max(high, value)];
    means.push(own);
  }
  const step = high > low ? (high - low) / levels : 1;
  return means.map(
    (own) =>
      new Set(Array.from(own, (value, place) => `${place}:${Math.round((value - low) / step)}`)),
  );
}

function meansOfRuns(values: Float32Array, runs: number): Float64Array {
  return Float64Array.from({ length: runs }, (_, run) => {
    const start = Math.floor((run * values.length) / runs);
    const end = Math.floor(((run + 1) * values.length) / runs);
    let sum = 0;
    for (let at = start; at < end; at++) sum += values[at] as number;
    return sum / (end - start);
  });
}
