// A number that can defend itself: value, unit, 90 % interval, how it came to be and from where.
//
// Uncertainty is multiplicative: a figure is the median of a two-piece log-normal whose 5 % and
// 95 % points are `low` and `high`. Products combine the relative errors in quadrature, each side
// for itself; sums are drawn by seeded Monte Carlo. Errors are taken as independent.
// The method is described in docs/methods/uncertainty.md.

import type { Quantity, Unit } from "./quantity.ts";
import { createRandom } from "./random.ts";
import { quantile } from "./statistics.ts";

/**
 * How a number came to be. `measured`: a counter or meter. `sampled`: integrated from readings of
 * power. `estimated`: a model. `declared`: said by a person, a file or a published table.
 */
export type Method = "measured" | "sampled" | "estimated" | "declared";

export interface Figure<U extends Unit = Unit> {
  readonly value: Quantity<U>;
  readonly unit: U;
  /** 5 % point. */
  readonly low: Quantity<U>;
  /** 95 % point. */
  readonly high: Quantity<U>;
  readonly method: Method;
  /** Sensor, table with its year, or formula with its citation. */
  readonly source: string;
  /** Why a better method was not used, one reason for each rung that was passed over. */
  readonly fallbacks: readonly string[];
}

/** A figure of any unit, for code that combines unlike ones. */
export interface AnyFigure extends Origin {
  readonly value: number;
  readonly unit: Unit;
  readonly low: number;
  readonly high: number;
}

/** What is known of a figure beside its value. */
export interface Origin {
  readonly method: Method;
  readonly source: string;
  readonly fallbacks?: readonly string[];
}

/** The 95 % point of the standard normal: half of a 90 % interval in standard deviations. */
export const Z90 = 1.6448536269514722;

const DRAWS = 1000;

/** A figure with explicit bounds. Throws RangeError unless low <= value <= high, all finite. */
export function figure<U extends Unit>(
  unit: U,
  value: number,
  interval: { readonly low: number; readonly high: number },
  origin: Origin,
): Figure<U> {
  const { low, high } = interval;
  if (![low, value, high].every(Number.isFinite) || low > value || value > high) {
    throw new RangeError(`not an interval around ${value} ${unit}: ${low} to ${high}`);
  }
  return Object.freeze({
    value: value as Quantity<U>,
    unit,
    low: low as Quantity<U>,
    high: high as Quantity<U>,
    method: origin.method,
    source: origin.source,
    fallbacks: Object.freeze([...(origin.fallbacks ?? [])]),
  });
}

/** A figure without uncertainty: a count, a definition, a clock reading. */
export function exact<U extends Unit>(unit: U, value: number, origin: Origin): Figure<U> {
  return figure(unit, value, { low: value, high: value }, origin);
}

/** A figure whose relative error is log-normal with standard deviation `sigma` (0.03 is 3 %). */
export function withError<U extends Unit>(
  unit: U,
  value: number,
  sigma: number,
  origin: Origin,
): Figure<U> {
  const spread = Math.exp(Z90 * sigma);
  return figure(unit, value, sorted(value / spread, value * spread), origin);
}

/**
 * Product of figures, for example energy x intensity. Relative errors are combined in quadrature,
 * so no side of the result is relatively narrower than that side of any factor.
 */
export function product<U extends Unit>(
  unit: U,
  factors: readonly AnyFigure[],
  options: { readonly source: string; readonly scale?: number },
): Figure<U> {
  const scale = options.scale ?? 1;
  const value = factors.reduce((result, factor) => result * factor.value, scale);
  const origin = { ...combined(factors), source: options.source };
  if (value === 0) {
    // A relative error of zero says nothing; the bounds themselves are what is known.
    const high = factors.reduce((result, factor) => result * factor.high, scale);
    return figure(unit, 0, sorted(0, high), origin);
  }
  const down = Math.hypot(...factors.map((factor) => logDistance(factor.low, factor.value)));
  const up = Math.hypot(...factors.map((factor) => logDistance(factor.value, factor.high)));
  return figure(unit, value, sorted(value * Math.exp(-down), value * Math.exp(up)), origin);
}

/** A figure times an exact number. */
export function scaled<U extends Unit>(of: Figure<U>, factor: number, source?: string): Figure<U> {
  return figure(of.unit, of.value * factor, sorted(of.low * factor, of.high * factor), {
    ...of,
    source: source ?? of.source,
  });
}

/**
 * Sum of figures of one unit. Exact figures add exactly; otherwise the interval is that of 1,000
 * seeded draws, widened where needed so that it is nowhere narrower than any part's own.
 */
export function sum<U extends Unit>(
  unit: U,
  parts: readonly Figure<U>[],
  options: { readonly source: string; readonly seed?: number },
): Figure<U> {
  const value = parts.reduce((result, part) => result + part.value, 0);
  const origin = { ...combined(parts), source: options.source };
  const uncertain = parts.filter((part) => part.low !== part.high);
  if (uncertain.length === 0) return exact(unit, value, origin);

  const random = createRandom(options.seed ?? 1);
  const certain = value - uncertain.reduce((result, part) => result + part.value, 0);
  const draws = Array.from({ length: DRAWS }, () =>
    uncertain.reduce((result, part) => result + draw(part, random.normal()), certain),
  ).sort((a, b) => a - b);
  const down = Math.max(...uncertain.map((part) => part.value - part.low));
  const up = Math.max(...uncertain.map((part) => part.high - part.value));
  const low = Math.min(quantile(draws, 0.05), value - down);
  const high = Math.max(quantile(draws, 0.95), value + up);
  return figure(unit, value, { low, high }, origin);
}

/** One draw of a figure, given a standard normal deviate. */
function draw(of: AnyFigure, deviate: number): number {
  if (of.value <= 0 || of.low <= 0) {
    const side = deviate < 0 ? of.value - of.low : of.high - of.value;
    return of.value + (deviate / Z90) * side;
  }
  const side = deviate < 0 ? logDistance(of.low, of.value) : logDistance(of.value, of.high);
  return of.value * Math.exp((deviate / Z90) * side);
}

/** Half a 90 % interval on the logarithmic scale; infinite bounds are not representable. */
function logDistance(from: number, to: number): number {
  if (from === to) return 0;
  if (from <= 0 || to <= 0) return Math.log(1e6);
  return Math.log(to / from);
}

function sorted(a: number, b: number): { low: number; high: number } {
  return a <= b ? { low: a, high: b } : { low: b, high: a };
}

/** Method and fall-backs of what is computed from several figures. */
function combined(parts: readonly AnyFigure[]): { method: Method; fallbacks: readonly string[] } {
  return {
    method: combinedMethod(parts.map((part) => part.method)),
    fallbacks: [...new Set(parts.flatMap((part) => part.fallbacks ?? []))],
  };
}

/**
 * The method to state for a number computed from others: their common one, `sampled` for measured
 * and sampled together, and `estimated` for every other mixture, because a measured energy times a
 * declared factor is an estimate.
 */
export function combinedMethod(methods: readonly Method[]): Method {
  const kinds = new Set(methods);
  if (kinds.size === 0) return "declared";
  const [first] = kinds;
  if (kinds.size === 1 && first !== undefined) return first;
  if (kinds.size === 2 && kinds.has("measured") && kinds.has("sampled")) return "sampled";
  return "estimated";
}
