// Largest and mean absolute value of each channel of activations, and some of their rows, as they go by.

import { inferShapes, type Model } from "../../../../onnx/index.ts";
import type { PassContext } from "../../pass.ts";
import { streamValues } from "../calibrate/stream.ts";

export interface ChannelExtremes {
  /** Largest absolute value of each channel, the last axis. */
  readonly largest: Float64Array;
  /** Mean absolute value of each channel. */
  readonly mean: Float64Array;
  /** Some rows, at most `ROWS`, spread over the runs. */
  readonly rows: readonly Float32Array[];
}

/** Rows that are kept of each value. */
const ROWS = 32;

/** Watches values whose last axis has a known size; others are left out. */
export async function watchChannels(
  model: Model,
  values: readonly string[],
  context: PassContext,
  pass: string,
): Promise<ReadonlyMap<string, ChannelExtremes>> {
  const { graph } = inferShapes(model);
  const watched = new Map<string, Watch>();
  for (const value of values) {
    const type = graph.values.get(value);
    const size = type?.kind === "tensor" ? type.shape?.at(-1) : undefined;
    if (typeof size === "number") watched.set(value, newWatch(size));
  }
  await streamValues(
    model,
    [...watched.keys()],
    context,
    (name, elements) => {
      const watch = watched.get(name);
      if (watch !== undefined && elements instanceof Float32Array) look(watch, elements);
    },
    { pass, step: "channels" },
  );
  return new Map(
    [...watched].map(([name, { largest, sum, count, rows }]) => [
      name,
      { largest, mean: sum.map((of) => of / Math.max(1, count)), rows },
    ]),
  );
}

interface Watch {
  readonly largest: Float64Array;
  readonly sum: Float64Array;
  readonly rows: Float32Array[];
  count: number;
}

const newWatch = (size: number): Watch => ({
  largest: new Float64Array(size),
  sum: new Float64Array(size),
  rows: [],
  count: 0,
});

function look(watch: Watch, elements: Float32Array): void {
  const size = watch.largest.length;
  for (let start = 0; start < elements.length; start += size) {
    for (let channel = 0; channel < size; channel++) {
      const value = Math.abs(elements[start + channel] ?? 0);
      if (value > (watch.largest[channel] ?? 0)) watch.largest[channel] = value;
      watch.sum[channel] = (watch.sum[channel] ?? 0) + value;
    }
    // Powers of two thin out what is kept, so that late runs are seen too.
    if (watch.rows.length < ROWS || isPowerOfTwo(watch.count)) {
      const row = elements.slice(start, start + size);
      if (watch.rows.length < ROWS) watch.rows.push(row);
      else watch.rows[watch.count % ROWS] = row;
    }
    watch.count++;
  }
}

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));
