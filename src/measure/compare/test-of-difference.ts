// Do two means differ by more than noise? Welch's test for repeats, a z test for one value each.
// On logarithms the difference is the logarithm of a ratio. See docs/methods/comparison.md.

import { mean, standardDeviation } from "../../core/index.ts";
import { studentQuantile, studentTails } from "./student.ts";

/** A difference with its 90 % interval. */
export interface Difference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Probability of a difference at least so large when there is none; two-sided. */
  readonly p: number;
  /** Effective degrees of freedom; Infinity when the spread was not estimated from repeats. */
  readonly freedom: number;
}

/** Both tails of a 90 % interval. */
const TAILS = 0.1;

/** `second - first` for one value each, with known standard deviations: z test. */
export function zTest(
  first: { readonly value: number; readonly sigma: number },
  second: { readonly value: number; readonly sigma: number },
): Difference {
  const error = Math.hypot(first.sigma, second.sigma);
  return difference(second.value - first.value, error, Number.POSITIVE_INFINITY);
}

/**
 * Mean of `second` less mean of `first`, spread estimated from the values: Welch (1947) with the
 * degrees of freedom of Satterthwaite (1946). With one value on one side, its spread is taken to be
 * that of the other. `common` is a standard deviation that repeats do not average away, such as two
 * sensors' calibration; it is known, so it adds its share with infinite degrees of freedom (GUM,
 * JCGM 100:2008, G.4). Throws RangeError when neither side has two values.
 */
export function welchTest(
  first: readonly number[],
  second: readonly number[],
  common = 0,
): Difference {
  const terms = spreadTerms(first, second);
  const variance = terms.reduce((sum, term) => sum + term.variance, common ** 2);
  const weights = terms.reduce((sum, term) => sum + term.variance ** 2 / term.freedom, 0);
  const freedom = weights === 0 ? Number.POSITIVE_INFINITY : variance ** 2 / weights;
  return difference(mean(second) - mean(first), Math.sqrt(variance), freedom);
}

/** The mean of two or more values with its 90 % interval, by Student's t. */
export function meanInterval(values: readonly number[]): Omit<Difference, "p" | "freedom"> {
  const centre = mean(values);
  const error = standardDeviation(values) / Math.sqrt(values.length);
  const reach = studentQuantile(TAILS, values.length - 1) * error;
  return { value: centre, low: centre - reach, high: centre + reach };
}

interface SpreadTerm {
  readonly variance: number;
  readonly freedom: number;
}

/** Variances of the two means, each with its degrees of freedom. */
function spreadTerms(first: readonly number[], second: readonly number[]): readonly SpreadTerm[] {
  const repeated = [first, second].filter((values) => values.length > 1);
  const [only] = repeated;
  if (only === undefined) throw new RangeError("Welch's test needs two values on one side");
  if (repeated.length === 1) {
    const scale = 1 / first.length + 1 / second.length;
    return [{ variance: standardDeviation(only) ** 2 * scale, freedom: only.length - 1 }];
  }
  return repeated.map((values) => ({
    variance: standardDeviation(values) ** 2 / values.length,
    freedom: values.length - 1,
  }));
}

function difference(value: number, error: number, freedom: number): Difference {
  if (error === 0) return { value, low: value, high: value, p: value === 0 ? 1 : 0, freedom };
  const reach = studentQuantile(TAILS, freedom) * error;
  const p = studentTails(value / error, freedom);
  return { value, low: value - reach, high: value + reach, p, freedom };
}
