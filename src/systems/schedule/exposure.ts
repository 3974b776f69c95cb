// Running integrals of a signal, so that the emissions of any window cost two look-ups, and their
// expectation over a duration known as quantiles two more for each quantile.
//
// With C(t) the integral of intensity from the signal's start, a constant power P from a to b emits
// P (C(b) - C(a)) / 3.6e6 grams. Exposure is that without P: gCO2e/kWh x seconds.

import { JOULES_PER_KILOWATT_HOUR, UserError } from "../../core/index.ts";
import type { DurationQuantile } from "./duration.ts";
import { endOf, type Signal } from "./signal.ts";

/** A signal with its first and second integral at the step boundaries. */
export interface Exposure {
  readonly signal: Signal;
  /** Integral from the start to each boundary, gCO2e/kWh x s. */
  readonly first: Float64Array;
  /** Integral of the first integral, gCO2e/kWh x s2. */
  readonly second: Float64Array;
}

/** The running integrals of a signal. One pass; reused by every decision on that signal. */
export function exposureOf(signal: Signal): Exposure {
  const { values, step } = signal;
  const first = new Float64Array(values.length + 1);
  const second = new Float64Array(values.length + 1);
  for (const [at, value] of values.entries()) {
    const before = first[at] ?? 0;
    first[at + 1] = before + value * step;
    second[at + 1] = (second[at] ?? 0) + before * step + (value * step * step) / 2;
  }
  return { signal, first, second };
}

/** Throws UserError when a forecast does not reach over a window that a decision needs. */
export function requireReach({ signal }: Exposure, from: number, to: number): void {
  if (from >= signal.start && to <= endOf(signal)) return;
  const at = (second: number): string => new Date(second * 1000).toISOString().slice(0, 16);
  throw new UserError(
    "invalid-input",
    `the signal of ${signal.zone} covers ${at(signal.start)} to ${at(endOf(signal))} UTC, ` +
      `the job needs ${at(from)} to ${at(to)}`,
    { hint: "Give a longer forecast, or an earlier deadline." },
  );
}

/** Exposure from `a` to `b`. Both must lie within the signal. */
export function between(of: Exposure, a: number, b: number): number {
  return firstAt(of, b) - firstAt(of, a);
}

/** Expected exposure of a window that starts at `start` and lasts as the quantiles say. */
export function expectedExposure(
  of: Exposure,
  start: number,
  duration: readonly DurationQuantile[],
): number {
  let expected = 0;
  let p = 0;
  let from = duration[0]?.seconds ?? 0;
  for (const { p: to, seconds } of duration) {
    const weight = to - p;
    expected += weight * meanFirst(of, start + from, start + seconds);
    [p, from] = [to, seconds];
  }
  expected += (1 - p) * firstAt(of, start + from);
  return expected - firstAt(of, start);
}

/** Mean of the first integral over [a, b]; its value at a when they are one. */
function meanFirst(of: Exposure, a: number, b: number): number {
  return b > a ? (secondAt(of, b) - secondAt(of, a)) / (b - a) : firstAt(of, a);
}

function firstAt({ signal: { start, step, values }, first }: Exposure, at: number): number {
  const index = Math.min(Math.floor((at - start) / step), values.length - 1);
  return (first[index] ?? NaN) + (values[index] ?? NaN) * (at - start - index * step);
}

function secondAt({ signal, first, second }: Exposure, at: number): number {
  const { start, step, values } = signal;
  const index = Math.min(Math.floor((at - start) / step), values.length - 1);
  const into = at - start - index * step;
  return (
    (second[index] ?? NaN) + (first[index] ?? NaN) * into + ((values[index] ?? NaN) * into ** 2) / 2
  );
}

/** Grams emitted by a power (watts) over an exposure (gCO2e/kWh x s). */
export const gramsOf = (watts: number, exposure: number): number =>
  (watts * exposure) / JOULES_PER_KILOWATT_HOUR;
