// Counts of values in equal bins, filled as values go by.

import type { Range } from "../grid.ts";

export interface Histogram extends Range {
  readonly counts: Float64Array;
}

export const emptyHistogram = ({ min, max }: Range, bins: number): Histogram => ({
  min,
  max: max > min ? max : min + 1,
  counts: new Float64Array(bins),
});

/**
 * Counts the values, each `weight` times; the last bin holds its upper end too, values outside are left
 * out.
 */
export function count({ min, max, counts }: Histogram, values: Float32Array, weight = 1): void {
  const factor = counts.length / (max - min);
  const last = counts.length - 1;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    if (!(value >= min && value <= max)) continue;
    const bin = Math.min(last, Math.floor((value - min) * factor));
    counts[bin] = (counts[bin] ?? 0) + weight;
  }
}

/** The middle of a bin. */
export const centre = ({ min, max, counts }: Histogram, bin: number): number =>
  min + ((bin + 0.5) * (max - min)) / counts.length;

/** Where a bin begins; that of the number of bins is the upper end. */
export const edge = ({ min, max, counts }: Histogram, bin: number): number =>
  min + (bin * (max - min)) / counts.length;
