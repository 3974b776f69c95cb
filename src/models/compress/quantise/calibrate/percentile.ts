// A range that leaves out the same share of values at either end.

import type { Range } from "../grid.ts";
import { edge, type Histogram } from "./histogram.ts";

/** Of a hundred values, so many lie inside the range. */
export const DEFAULT_PERCENTILE = 99.999;

/**
 * The range that cuts off (100 - percentile) / 2 % of the values at either end, to the bins of the
 * histogram; only at the upper end where no value is negative.
 */
export function percentileRange(histogram: Histogram, percentile: number): Range {
  const { counts } = histogram;
  const total = counts.reduce((sum, of) => sum + of, 0);
  const oneSided = histogram.min >= 0;
  const cut = (total * (100 - percentile)) / 100 / (oneSided ? 1 : 2);
  let [low, high] = [0, counts.length];
  for (let seen = counts[0] ?? 0; !oneSided && seen <= cut && low < high - 1; ) {
    seen += counts[++low] ?? 0;
  }
  for (let seen = counts[high - 1] ?? 0; seen <= cut && high > low + 1; ) {
    high--;
    seen += counts[high - 1] ?? 0;
  }
  return { min: edge(histogram, low), max: edge(histogram, high) };
}
