// What a whole training run will need, told from its first epochs, with a 90 % interval.
//
// Epochs before the series settles are kept as spent but not extrapolated. The settled ones give a
// level and a drift per epoch, and those the epochs to come. How wrong that can be is not derived
// from a model of the noise: the same forecast is made again from ever fewer of the epochs seen, and
// its errors over the rest of them are the measure. See docs/methods/prediction.md.

import { mean, median, Z90 } from "../../core/index.ts";
import { sinceChange, tameExcursion, warmUpOf } from "./settle.ts";

// The constants were chosen on drawn series of seed 2026 and on half of the recorded workloads; how
// they do on the others is told by bench/predict/main.ts and in docs/methods/prediction.md.

/** Standard deviation of the drift over a whole run, before any was seen: 10 % of the level. */
const PRIOR_DRIFT = 0.1;
/**
 * How much of a drift goes on after the last epoch seen: some last (a growing data set), some end
 * (a machine that has warmed through).
 */
const DRIFT_KEPT = 0.6;
/** Part of the level that a drift may add or take away at most. */
const MOST_CHANGE = 0.5;
/** Noise of one epoch before any was seen, relative, and how many observations that is worth. */
const PRIOR_NOISE = 0.01;
const PRIOR_NOISE_WEIGHT = 4;
/** Pseudo-observations that pull the estimated autocorrelation towards zero. */
const AUTOCORRELATION_SHRINKAGE = 8;
const MAX_AUTOCORRELATION = 0.8;

/**
 * Error of a forecast before any was tried in this run, relative, beside the noise of one epoch; and
 * how many observations that is worth.
 */
const PRIOR_ERROR = 0.08;
const PRIOR_ERROR_WEIGHT = 3;
/** Forecasts that are tried again in the epochs seen, and the fewest epochs that one is made from. */
const TRIALS = 8;
const FEWEST_EPOCHS = 3;
/** Fewest epochs that a trial is held against. */
const FEWEST_AHEAD = 2;
/** Independent observations in one trial: trials of one run share most of their epochs. */
const TRIAL_WEIGHT = 0.5;
/** Errors grow with this power of the epochs ahead: 0 for chance alone, 1 for a lasting drift. */
const ERROR_GROWTH = 1 / 3;

/** What the run will need in all, in the unit of the epochs. */
export interface Prediction {
  readonly value: number;
  /** 5 % and 95 % points. */
  readonly low: number;
  readonly high: number;
  /** Epochs that were left out as warm-up. */
  readonly warmUp: number;
  /** Level of the next epoch, and its change from one epoch to the next. */
  readonly level: number;
  readonly drift: number;
}

/**
 * Predicts the sum over `total` epochs from the amounts of the first ones. `total` need not be
 * whole. Null until the epochs have settled. Amounts must be positive.
 */
export function predictTotal(epochs: readonly number[], total: number): Prediction | null {
  const warmUp = warmUpOf(epochs);
  if (warmUp === null || !epochs.every((amount) => amount > 0)) return null;
  const seen = epochs.reduce((sum, amount) => sum + amount, 0);
  const ahead = Math.max(0, total - epochs.length);
  const settled = tameExcursion(epochs.slice(warmUp));
  const trend = trendOf(settled, total);
  const rest = ahead * carriedOn(trend, ahead);
  const factor = errorFactor(settled, { ahead, total, noise: trend.noise });
  return {
    value: seen + rest,
    low: seen + rest / factor,
    high: seen + rest * factor,
    warmUp,
    level: trend.level + trend.drift * ((trend.count + 1) / 2),
    drift: trend.drift,
  };
}

/** A run as its epochs were seen: what came before the first mark, and between marks. */
export interface EpochCourse {
  readonly startUp: number;
  readonly epochs: readonly number[];
}

/** Part of an epoch's time that a start-up must last for an epoch to have fitted into it. */
const FITS_AN_EPOCH = 0.5;

/**
 * Whether scripts mark an epoch when it begins or when it has ended. Marks at the end show in a
 * start-up that is long enough to hold the first epoch.
 */
export function marksAtEnd({ startUp, epochs }: EpochCourse): boolean {
  return epochs.length > 0 && startUp > FITS_AN_EPOCH * median(epochs);
}

/** What a run of `total` epochs will need in all, start-up included. Null until it has settled. */
export function predictRun(
  course: EpochCourse,
  options: { readonly total: number; readonly atEnd: boolean },
): Prediction | null {
  // With marks at the end the first epoch is inside the start-up.
  const between = options.atEnd ? options.total - 1 : options.total;
  const prediction = predictTotal(course.epochs, between);
  if (prediction === null) return null;
  // A long start-up may have held no epoch after all: then one more is to come.
  const doubt = options.atEnd ? prediction.level : 0;
  return {
    ...prediction,
    value: prediction.value + course.startUp,
    low: prediction.low + course.startUp,
    high: prediction.high + course.startUp + doubt,
  };
}

/** A straight line through epochs. */
interface Trend {
  readonly count: number;
  /** At the middle of the epochs. */
  readonly level: number;
  /** From one epoch to the next. */
  readonly drift: number;
  /** Standard deviation of one epoch around the line, relative to the level. */
  readonly noise: number;
}

/** Mean of the `ahead` epochs that follow. */
function carriedOn({ count, level, drift }: Trend, ahead: number): number {
  // From the middle of the epochs fitted to the last one the drift was seen; from there to the
  // middle of those to come it is carried on in part.
  const change = drift * (count / 2 + (DRIFT_KEPT * ahead) / 2);
  const most = MOST_CHANGE * level;
  return level + Math.min(most, Math.max(-most, change));
}

/**
 * The factor within which the epochs ahead lie of their forecast, with 90 % confidence: the mean
 * square of the logarithmic errors of forecasts tried on the epochs seen, together with what such
 * errors were in other runs, as the scale of a Student-t.
 */
function errorFactor(
  epochs: readonly number[],
  { ahead, total, noise }: { readonly [name in "ahead" | "total" | "noise"]: number },
): number {
  const errors = trialOrigins(epochs.length).map((origin) => {
    const [before, after] = [epochs.slice(0, origin), epochs.slice(origin)];
    const error = Math.log(mean(after) / carriedOn(trendOf(before, total), after.length));
    return error * Math.max(1, ahead / after.length) ** ERROR_GROWTH;
  });
  const squares = errors.reduce((sum, error) => sum + error ** 2, 0);
  const freedom = PRIOR_ERROR_WEIGHT + TRIAL_WEIGHT * errors.length;
  const prior = PRIOR_ERROR_WEIGHT * (PRIOR_ERROR ** 2 + noise ** 2);
  const variance = (prior + TRIAL_WEIGHT * squares) / freedom;
  return Math.exp(studentQuantile95(freedom) * Math.sqrt(variance));
}

/** Where the trials stand: how many of `count` epochs each has seen, evenly spread. */
function trialOrigins(count: number): readonly number[] {
  const span = count - FEWEST_AHEAD - FEWEST_EPOCHS;
  if (span < 0) return [];
  const trials = Math.min(TRIALS, span + 1);
  return Array.from(
    { length: trials },
    (_, i) => FEWEST_EPOCHS + Math.round((i * span) / Math.max(1, trials - 1)),
  );
}

/**
 * Least squares around the middle of the epochs since the level last changed, the drift with a
 * normal prior around zero: it is believed only as far as the data carry it.
 */
function trendOf(settled: readonly number[], total: number): Trend {
  const epochs = sinceChange(settled);
  const count = epochs.length;
  const level = mean(epochs);
  const positions = epochs.map((_, i) => i - (count - 1) / 2);
  const spread = positions.reduce((sum, x) => sum + x * x, 0);
  const slope = positions.reduce((sum, x, i) => sum + x * (epochs[i] ?? 0), 0) / spread;
  const residuals = epochs.map((amount, i) => amount - level - slope * (positions[i] ?? 0));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const variance =
    (PRIOR_NOISE_WEIGHT * (PRIOR_NOISE * level) ** 2 + squares) / (PRIOR_NOISE_WEIGHT + count - 2);
  const priorVariance = ((PRIOR_DRIFT * level) / total) ** 2;
  const belief = spread / (spread + (variance * inflationOf(residuals)) / priorVariance);
  return { count, level, drift: slope * belief, noise: Math.sqrt(variance) / level };
}

/** (1 + r) / (1 - r) for the lag-one autocorrelation r of the residuals (Bartlett 1935). */
function inflationOf(residuals: readonly number[]): number {
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  if (squares === 0) return 1;
  const products = residuals
    .slice(1)
    .reduce((sum, value, i) => sum + value * (residuals[i] ?? 0), 0);
  const count = residuals.length;
  // Residuals of a fit lean towards -1/n; few of them say little.
  const r = ((products / squares + 1 / count) * count) / (count + AUTOCORRELATION_SHRINKAGE);
  const bounded = Math.min(MAX_AUTOCORRELATION, Math.max(0, r));
  return (1 + bounded) / (1 - bounded);
}

/**
 * 95 % point of Student's t, for a 90 % interval. Within 0.3 % for two degrees of freedom or more
 * (Abramowitz & Stegun 1964, 26.7.5).
 */
export function studentQuantile95(freedom: number): number {
  const z = Z90;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
  ];
  return terms.reduce((sum, term, power) => sum + term / freedom ** power, 0);
}
