// How sure a quality is, seen from the samples alone: they are taken for a random draw.

import { createRandom, normalProbability, normalQuantile, Z90 } from "../../../core/index.ts";

export type Interval = readonly [low: number, high: number];

/**
 * 90 % interval of a proportion by Wilson's score (JASA 22, 1927): inside [0, 1], and wide enough for
 * proportions near 0 and 1, where the usual p +- z sqrt(p (1 - p) / n) shrinks to nothing.
 */
export function wilsonInterval(successes: number, trials: number, z = Z90): Interval {
  if (!(trials > 0)) throw new RangeError(`a proportion of ${trials} trials`);
  const p = successes / trials;
  const centre = p + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  const scale = 1 + (z * z) / trials;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}

/** A number computed from a choice of rows, each possibly more than once. */
export type Statistic = (rows: Int32Array) => number;

export interface BootstrapOptions {
  /** Redrawn samples. Default 1,000. */
  readonly resamples?: number;
  readonly seed?: number;
  /** Probability that the interval is to hold. Default 0.9. */
  readonly level?: number;
}

/** Rows are left out in at most this many groups for the acceleration, so that it stays cheap. */
const JACKKNIFE_GROUPS = 100;

/**
 * Bias-corrected and accelerated bootstrap interval (Efron, JASA 82, 1987; Efron & Tibshirani, An
 * Introduction to the Bootstrap, 14.3). Null when the statistic does not vary or is not finite: then
 * nothing is known of its spread.
 */
export function bootstrapInterval(
  count: number,
  statistic: Statistic,
  { resamples = 1000, seed = 1, level = 0.9 }: BootstrapOptions = {},
): Interval | null {
  const all = Int32Array.from({ length: count }, (_, row) => row);
  const estimate = statistic(all);
  const random = createRandom(seed);
  const drawn = new Int32Array(count);
  const replicates = Float64Array.from({ length: resamples }, () => {
    for (let at = 0; at < count; at++) drawn[at] = random.integer(count);
    return statistic(drawn);
  }).sort();
  const [lowest, highest] = [replicates[0] ?? 0, replicates.at(-1) ?? 0];
  if (count < 2 || !Number.isFinite(lowest) || !Number.isFinite(highest) || lowest === highest) {
    return null;
  }
  // Ties count half, so that a discrete statistic is not taken for a biased one.
  const below = replicates.filter((value) => value < estimate).length;
  const equal = replicates.filter((value) => value === estimate).length;
  const share = (below + equal / 2) / resamples;
  const bias = normalQuantile(Math.min(Math.max(share, 0.5 / resamples), 1 - 0.5 / resamples));
  const acceleration = accelerationOf(all, statistic);
  const bound = (probability: number): number => {
    const z = bias + normalQuantile(probability);
    const adjusted = normalProbability(bias + z / (1 - acceleration * z));
    const place = Math.round(adjusted * (resamples - 1));
    return replicates[place] ?? estimate;
  };
  return [bound((1 - level) / 2), bound((1 + level) / 2)];
}

/** Skewness of the jackknife values over six (Efron & Tibshirani, equation 14.15). */
function accelerationOf(all: Int32Array, statistic: Statistic): number {
  const groups = Math.min(all.length, JACKKNIFE_GROUPS);
  const values = Float64Array.from({ length: groups }, (_, group) =>
    statistic(all.filter((row) => row % groups !== group)),
  );
  const centre = values.reduce((sum, value) => sum + value, 0) / groups;
  let [squares, cubes] = [0, 0];
  for (const value of values) {
    squares += (centre - value) ** 2;
    cubes += (centre - value) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Interval of the mean of scores. */
export function meanInterval(scores: Float64Array, options?: BootstrapOptions): Interval | null {
  const mean: Statistic = (rows) => {
    let sum = 0;
    for (const row of rows) sum += scores[row] as number;
    return sum / rows.length;
  };
  return bootstrapInterval(scores.length, mean, options);
}

/** Interval of the ratio of two sums, such as edits over letters. */
export function ratioInterval(
  numerators: Float64Array,
  denominators: Float64Array,
  then: (ratio: number) => number = (ratio) => ratio,
): Interval | null {
  return bootstrapInterval(numerators.length, (rows) => {
    let [top, bottom] = [0, 0];
    for (const row of rows) {
      top += numerators[row] as number;
      bottom += denominators[row] as number;
    }
    return then(top / bottom);
  });
}
