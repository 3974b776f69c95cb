// Whether the samples that ranges were taken on are like those that the model is verified on: the population
// stability index of each input, as credit scoring uses it (Siddiqi, Credit Risk Scorecards, 2006; its rule:
// below 0.1 alike, above 0.25 not), and the share of values beyond the range that was seen.

import { isTensorValue } from "../../../engine/index.ts";
import type { Feeds } from "../pass.ts";
import { batchesOf, type Samples, withRows } from "./samples.ts";

/** How far an input of the second rows is from that of the first. */
export interface Drift {
  readonly input: string;
  /** Sum over bins of (p - q) ln(p / q); 0 for equal shares. */
  readonly psi: number;
  /** Share of the second rows' values beyond the range of the first. */
  readonly outside: number;
}

/** Rows of each part that are looked at, and values of each input of a run. */
const ROWS = 256;
const VALUES = 4096;

/** Bins within the range of the first rows; one more on either side. */
const BINS = 10;

/** Of each floating-point input that comes from the samples. */
export async function inputDrift(
  samples: Omit<Samples, "rows">,
  first: readonly number[],
  second: readonly number[],
): Promise<readonly Drift[]> {
  const before = await valuesOf(withRows(samples, first.slice(0, ROWS)));
  const after = await valuesOf(withRows(samples, second.slice(0, ROWS)));
  return [...before].map(([input, values]) => ({
    input,
    ...between(values, after.get(input) ?? []),
  }));
}

async function valuesOf(samples: Samples): Promise<ReadonlyMap<string, readonly number[]>> {
  const values = new Map<string, number[]>();
  for await (const { feeds } of batchesOf(samples)) {
    for (const name of samples.columns.keys()) {
      const list = values.get(name) ?? [];
      values.set(name, list);
      list.push(...someOf(feeds, name));
    }
  }
  return values;
}

/** Values spread evenly over an input of floats. */
function someOf(feeds: Feeds, name: string): readonly number[] {
  const feed = feeds[name];
  if (feed === undefined || !isTensorValue(feed) || !(feed.data instanceof Float32Array)) return [];
  const { data } = feed;
  const stride = Math.max(1, Math.ceil(data.length / VALUES));
  return Array.from({ length: Math.ceil(data.length / stride) }, (_, at) => data[at * stride] ?? 0);
}

function between(first: readonly number[], second: readonly number[]): Omit<Drift, "input"> {
  if (first.length === 0 || second.length === 0) return { psi: 0, outside: 0 };
  const min = first.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const max = first.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const width = max > min ? (max - min) / BINS : 1;
  const binOf = (value: number): number => {
    if (value < min) return 0;
    if (value > max) return BINS + 1;
    return 1 + Math.min(BINS - 1, Math.floor((value - min) / width));
  };
  const [p, q] = [sharesOf(first.map(binOf)), sharesOf(second.map(binOf))];
  const psi = p.reduce((sum, share, bin) => {
    const other = q[bin] ?? 0;
    return sum + (share - other) * Math.log(share / other);
  }, 0);
  const outside = second.filter((value) => value < min || value > max).length / second.length;
  return { psi, outside };
}

/** Shares of the bins; half a value is added to each, so that none is empty. */
function sharesOf(bins: readonly number[]): readonly number[] {
  const counts = Array.from({ length: BINS + 2 }, () => 0.5);
  for (const bin of bins) counts[bin] = (counts[bin] ?? 0) + 1;
  const total = bins.length + counts.length / 2;
  return counts.map((count) => count / total);
}
