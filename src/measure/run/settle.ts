// Which epochs tell of those to come: where the warm-up ends, which lone epoch was an accident, and
// since when the level is what it is now. See docs/methods/prediction.md, steps 1 to 3.

import { mean, median } from "../../core/index.ts";

/** A change between neighbours that still counts as steady. */
const STEADY_CHANGE = 0.05;
/** Neighbours in a row that must be steady. */
const STEADY_EPOCHS = 3;
/** How far the tail of a warm-up stands out, in standard deviations, from how many epochs after. */
const TAIL_SIGMAS = 2;
const TAIL_WINDOW = 5;
/** Epochs after which a series that never settles is taken as noisy, not as warming up. */
const NOISY_AFTER = 8;
/** A normal sample's median absolute deviation times this estimates its standard deviation. */
const MAD_TO_SIGMA = 1.4826;
/** An excursion is farther than so many robust standard deviations, taken as at least 1 %. */
const EXCURSION = 5;
const LEAST_SIGMA = 0.01;
/** A change of level stands out by so many standard deviations, with so many epochs on each side. */
const CHANGE_SIGMAS = 4;
const FEWEST_BESIDE_CHANGE = 3;
/** Observations that the least standard deviation is worth where a change is looked for. */
const LEAST_SIGMA_WEIGHT = 4;

/** Number of epochs before the series settles; null when it has not. */
export function warmUpOf(epochs: readonly number[]): number | null {
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
export function tameExcursion(epochs: readonly number[]): readonly number[] {
  if (epochs.length < 4) return epochs;
  const middle = median(epochs);
  const sigma = MAD_TO_SIGMA * median(epochs.map((amount) => Math.abs(amount - middle)));
  const reach = EXCURSION * Math.max(sigma, LEAST_SIGMA * middle);
  const far = epochs.filter((amount) => Math.abs(amount - middle) > reach);
  if (far.length !== 1) return epochs;
  return epochs.map((amount) => Math.min(middle + reach, Math.max(middle - reach, amount)));
}

/**
 * The epochs since the level last changed: those after the split into two levels that explains most
 * of the squares, if that is more than chance would (an F test with one degree of freedom); all of
 * them otherwise.
 */
export function sinceChange(epochs: readonly number[]): readonly number[] {
  const count = epochs.length;
  const centre = mean(epochs);
  const deviations = epochs.map((amount) => amount - centre);
  const squares = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
  let best = { at: 0, explained: 0 };
  let before = 0;
  deviations.forEach((deviation, at) => {
    // Between two parts whose deviations sum to `before` and `-before`.
    const explained = before ** 2 * (1 / at + 1 / (count - at));
    const isInside = at >= FEWEST_BESIDE_CHANGE && count - at >= FEWEST_BESIDE_CHANGE;
    if (isInside && explained > best.explained) best = { at, explained };
    before += deviation;
  });
  const least = LEAST_SIGMA_WEIGHT * (LEAST_SIGMA * centre) ** 2;
  const variance = (squares - best.explained + least) / (count - 2 + LEAST_SIGMA_WEIGHT);
  return best.explained > CHANGE_SIGMAS ** 2 * variance ? epochs.slice(best.at) : epochs;
}
