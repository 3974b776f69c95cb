// What a whole training run will need, told from its first epochs, with a 90 % interval.
//
// The first epoch and those before the series settles are kept as spent but not extrapolated. The
// settled ones give a level and a drift per epoch (Bayesian linear regression: a drift is believed
// only as far as the data carry it), and the noise; their uncertainty and that of the epochs to
// come make a Student-t interval. See docs/methods/prediction.md.

import { mean, median, Z90 } from "../../core/index.ts";

/** A change between neighbours that still counts as steady. */
const STEADY_CHANGE = 0.05;
/** Neighbours in a row that must be steady. */
const STEADY_EPOCHS = 3;
/** How far the tail of a warm-up stands out, in standard deviations, from how many epochs after. */
const TAIL_SIGMAS = 2;
const TAIL_WINDOW = 5;
/** Epochs after which a series that never settles is taken as noisy, not as warming up. */
const NOISY_AFTER = 8;
/** Standard deviation of the drift over a whole run, before any was seen: 10 % of the level. */
const PRIOR_DRIFT = 0.1;
/**
 * How much of a drift goes on after the last epoch seen, and its standard deviation: some drifts
 * last (a growing data set), some end (a machine that has warmed through).
 */
const DRIFT_KEPT = 0.6;
const DRIFT_KEPT_SPREAD = 0.5;
/** Noise of one epoch before any was seen, relative, and how many observations that is worth. */
const PRIOR_NOISE = 0.01;
const PRIOR_NOISE_WEIGHT = 4;
/** A normal sample's median absolute deviation times this estimates its standard deviation. */
const MAD_TO_SIGMA = 1.4826;
/** Excursions beyond this many robust standard deviations are told apart. */
const EXCURSION = 5;
/** Pseudo-observations that pull the estimated autocorrelation towards zero. */
const AUTOCORRELATION_SHRINKAGE = 8;
const MAX_AUTOCORRELATION = 0.8;

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
  const remaining = Math.max(0, total - epochs.length);
  const fit = fitEpochs(tameExcursion(epochs.slice(warmUp)), total);

  // From the middle of the epochs fitted to the last one the drift was seen; from there to the
  // middle of those to come it is carried on in part.
  const [behind, ahead] = [fit.count / 2, remaining / 2];
  const reach = behind + DRIFT_KEPT * ahead;
  const value = seen + remaining * (fit.level + fit.drift * reach);
  const variance =
    remaining ** 2 *
      (fit.levelVariance +
        reach ** 2 * fit.driftVariance +
        (DRIFT_KEPT_SPREAD * ahead * fit.drift) ** 2) +
    remaining * fit.noiseVariance * fit.inflation;
  const margin = studentQuantile95(fit.freedom) * Math.sqrt(variance);
  return {
    value,
    low: Math.max(seen, value - margin),
    high: value + margin,
    warmUp,
    level: fit.level + fit.drift * ((fit.count + 1) / 2),
    drift: fit.drift,
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

/** Number of epochs before the series settles; null when it has not. */
function warmUpOf(epochs: readonly number[]): number | null {
  const limit = steadyChange(epochs);
  let run = 1;
  for (let i = 2; i < epochs.length; i++) {
    run = Math.abs(changeAt(epochs, i)) <= limit ? run + 1 : 1;
    if (run === STEADY_EPOCHS)
      return i - STEADY_EPOCHS + 1 + tailOf(epochs.slice(i - STEADY_EPOCHS + 1));
  }
  return null;
}

/**
 * Epochs at the start of a settled series that still stand above the noise: each that differs from
 * the median of those after it by more than chance explains. At most half of the series.
 */
function tailOf(epochs: readonly number[]): number {
  const jumps = epochs.slice(1).map((amount, i) => Math.abs(amount - (epochs[i] ?? 0)));
  const later = jumps.slice(Math.floor(jumps.length / 2));
  const sigma = (MAD_TO_SIGMA * median(later)) / Math.SQRT2;
  const limit = Math.floor((epochs.length - STEADY_EPOCHS) / 2);
  let tail = 0;
  while (tail < limit) {
    const next = epochs.slice(tail + 1, tail + 1 + TAIL_WINDOW);
    if (Math.abs((epochs[tail] ?? 0) - median(next)) <= TAIL_SIGMAS * sigma) break;
    tail++;
  }
  return tail;
}

/** 5 %; more for a series whose later half still jumps after many epochs: that is its noise. */
function steadyChange(epochs: readonly number[]): number {
  if (epochs.length < NOISY_AFTER) return STEADY_CHANGE;
  const half = Math.floor(epochs.length / 2);
  const changes = epochs.slice(half).map((_, i) => Math.abs(changeAt(epochs, half + i)));
  return Math.max(STEADY_CHANGE, 2 * median(changes));
}

const changeAt = (epochs: readonly number[], i: number): number =>
  (epochs[i] ?? 0) / (epochs[i - 1] ?? 1) - 1;

/**
 * One epoch far from all others was an accident and is drawn in; two are a habit, such as a
 * validation pass every tenth epoch, and count in full.
 */
function tameExcursion(epochs: readonly number[]): readonly number[] {
  if (epochs.length < 4) return epochs;
  const middle = median(epochs);
  const sigma = MAD_TO_SIGMA * median(epochs.map((amount) => Math.abs(amount - middle)));
  const reach = EXCURSION * Math.max(sigma, PRIOR_NOISE * middle);
  const far = epochs.filter((amount) => Math.abs(amount - middle) > reach);
  if (far.length !== 1) return epochs;
  return epochs.map((amount) => Math.min(middle + reach, Math.max(middle - reach, amount)));
}

interface Fit {
  readonly count: number;
  readonly level: number;
  readonly levelVariance: number;
  readonly drift: number;
  readonly driftVariance: number;
  readonly noiseVariance: number;
  /** Factor on the variance of a mean because neighbours resemble each other. */
  readonly inflation: number;
  readonly freedom: number;
}

/** Level and drift around the middle of the epochs; the drift has a normal prior around zero. */
function fitEpochs(epochs: readonly number[], total: number): Fit {
  const count = epochs.length;
  const level = mean(epochs);
  const positions = epochs.map((_, i) => i - (count - 1) / 2);
  const spread = positions.reduce((sum, x) => sum + x * x, 0);
  const slope = positions.reduce((sum, x, i) => sum + x * (epochs[i] ?? 0), 0) / spread;
  const priorNoise = (PRIOR_NOISE * level) ** 2;
  const priorDrift = ((PRIOR_DRIFT * level) / total) ** 2;

  const noiseOf = (drift: number, parameters: number) => {
    const residuals = epochs.map((amount, i) => amount - level - drift * (positions[i] ?? 0));
    const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
    const freedom = PRIOR_NOISE_WEIGHT + count - parameters;
    return {
      residuals,
      freedom,
      variance: (PRIOR_NOISE_WEIGHT * priorNoise + squares) / freedom,
    };
  };
  const belief = (variance: number): number => spread / (spread + variance / priorDrift);
  // Once with the full slope to learn the noise, once with the slope that this noise allows.
  const full = noiseOf(slope, 2);
  const drift = slope * belief(full.variance * inflationOf(full.residuals));
  const { residuals, freedom, variance } = noiseOf(drift, 1 + belief(full.variance));
  const inflation = inflationOf(residuals);
  return {
    count,
    level,
    levelVariance: (variance * inflation) / count,
    drift,
    driftVariance: 1 / (spread / (variance * inflation) + 1 / priorDrift),
    noiseVariance: variance,
    inflation,
    freedom,
  };
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
