// The ratio of a measure on two sides, with its interval: from the spread of repeats where there are
// any, else from the figures' own intervals. See docs/methods/comparison.md.

import type { Card } from "../../core/card.ts";
import { type AnyFigure, mean, Z90 } from "../../core/index.ts";
import type { Sides } from "./boundary.ts";
import { figuresOf, type Measure } from "./measures.ts";
import { type Difference, welchTest, zTest } from "./test-of-difference.ts";

/** The candidate's value over the baseline's, with its 90 % interval. */
export interface RatioTest {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Probability of a ratio at least so far from 1 when there is no difference. */
  readonly p: number;
  /** Null when the spread was not estimated from repeats. */
  readonly freedom: number | null;
  readonly test: "welch" | "z" | "exact";
}

/**
 * Tests the ratio of a measure that every card has, above zero. `spread` is the relative standard
 * deviation from run to run to assume for one run each.
 */
export function ratioOf(measure: Measure, sides: Sides, spread: number): RatioTest {
  const first = figuresOf(measure, sides.baseline);
  const second = figuresOf(measure, sides.candidate);
  const a = first.map(({ value }) => Math.log(value));
  const b = second.map(({ value }) => Math.log(value));
  // The sides of the intervals that face each other.
  const falls = mean(b) < mean(a);
  const shared = measure.key === "emissions" ? sharedSignal(sides) : null;
  const errorA = calibration(first, falls ? "low" : "high", shared);
  const errorB = calibration(second, falls ? "high" : "low", shared);

  if (a.length > 1 || b.length > 1) {
    const common = sameInstrument(sides, [...first, ...second]) ? 0 : Math.hypot(errorA, errorB);
    return ratioTest(welchTest(a, b, common), "welch");
  }
  const noise = measure.nature === "timed" ? spread : 0;
  const sigmaA = Math.hypot(errorA, noise);
  const sigmaB = Math.hypot(errorB, noise);
  const test = zTest({ value: mean(a), sigma: sigmaA }, { value: mean(b), sigma: sigmaB });
  return ratioTest(test, sigmaA === 0 && sigmaB === 0 ? "exact" : "z");
}

function ratioTest(difference: Difference, test: RatioTest["test"]): RatioTest {
  const { value, low, high, p, freedom } = difference;
  return {
    value: Math.exp(value),
    low: Math.exp(low),
    high: Math.exp(high),
    p,
    freedom: Number.isFinite(freedom) ? freedom : null,
    test,
  };
}

/** Whether one sensor or model, on one machine, gave all of the figures. */
function sameInstrument({ baseline, candidate }: Sides, figures: readonly AnyFigure[]): boolean {
  const machines = new Set([...baseline, ...candidate].map(({ machine }) => machine.id));
  const instruments = new Set(figures.map(({ method, source }) => `${method} ${source}`));
  return machines.size === 1 && instruments.size === 1;
}

/** The intensity that every card was computed with; null when there are several, or none. */
function sharedSignal({ baseline, candidate }: Sides): AnyFigure | null {
  const signals = [...baseline, ...candidate].map(({ signal }: Card) => signal);
  const [first] = signals;
  if (first === undefined) return null;
  const same = signals.every(
    (signal) =>
      signal !== undefined &&
      signal.zone === first.zone &&
      signal.year === first.year &&
      signal.intensity.value === first.intensity.value,
  );
  return same ? first.intensity : null;
}

/**
 * Standard deviation of a figure's own error, relative, on one side; the largest of several, since
 * repeats do not average it away. `shared` is a factor common to both sides: its error is taken out.
 */
function calibration(
  figures: readonly AnyFigure[],
  side: "low" | "high",
  shared: AnyFigure | null,
): number {
  const sigma = Math.max(...figures.map((figure) => logDistance(figure, side))) / Z90;
  const common = shared === null ? 0 : logDistance(shared, side) / Z90;
  return Math.sqrt(Math.max(0, sigma ** 2 - common ** 2));
}

/** From the value to a bound on the logarithmic scale; a bound at zero is taken as very far. */
function logDistance({ value, low, high }: AnyFigure, side: "low" | "high"): number {
  if (side === "high") return Math.log(high / value);
  return low > 0 ? Math.log(value / low) : Math.log(1e6);
}
