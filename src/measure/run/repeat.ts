// What several runs of one command say together: mean, spread, range, and runs that stand out.

import { mean, median, standardDeviation } from "../../core/index.ts";

/** One measure over several runs, all in the measure's unit. */
export interface Spread {
  readonly runs: number;
  readonly mean: number;
  /** Sample standard deviation; null for a single run. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
}

/** Throws RangeError when there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  return {
    runs: values.length,
    mean: mean(values),
    deviation: values.length < 2 ? null : standardDeviation(values),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** Turns a median absolute deviation into the standard deviation of a normal sample. */
const MAD_TO_SIGMA = 1.4826;

/**
 * Robust standard deviations from the median beyond which a run stands out. Iglewicz & Hoaglin
 * (1993) advise 3.5 for normal data; run times are skewed, and hyperfine's 10 is kept to.
 */
const OUTLIER_SIGMAS = 10;

/** Indices of runs whose modified z-score is too large (Iglewicz & Hoaglin 1993). */
export function outliersOf(values: readonly number[]): readonly number[] {
  if (values.length < 3) return [];
  const centre = median(values);
  const sigma = MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - centre)));
  if (sigma === 0) return [];
  return values.flatMap((value, index) =>
    Math.abs(value - centre) > OUTLIER_SIGMAS * sigma ? [index] : [],
  );
}

/** Advice on runs that stand out, in words; null when none does. */
export function outlierAdvice(values: readonly number[], warmUps: number): string | null {
  const outliers = outliersOf(values);
  if (outliers.length === 0) return null;
  if (outliers[0] === 0 && warmUps === 0) {
    return "the first run stands out: caches were cold; add --warmup 1, or clear them before each";
  }
  const list = outliers.map((index) => index + 1).join(", ");
  return `run ${list} of ${values.length} stands out: run again on a quieter machine`;
}
