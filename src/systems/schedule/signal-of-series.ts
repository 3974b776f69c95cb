// From what the providers of carbon intensity hand back to what the planner reads. A series has points of
// any length and may have holes; a signal has even steps and none. The step is the longest that fits all
// points, so that nothing is averaged or thinned.

import { UserError } from "../../core/index.ts";
import type { IntensityPoint, IntensitySeries } from "../../measure/carbon/index.ts";
import { type Signal, signal } from "./signal.ts";

/** A signal and what must be said about how it was made. */
export interface SignalRead {
  readonly signal: Signal;
  readonly notices: readonly string[];
}

/** Steps below a minute are a faulty time stamp, not a market interval. */
const SHORTEST_STEP_MS = 60_000;

/**
 * The signal of a forecast or a record. Throws UserError naming the first hole: a plan that spans one
 * would be a guess.
 */
export function signalOfSeries(series: IntensitySeries): Signal {
  const hole = holesOf(series.points)[0];
  if (hole === undefined) return evenly(series, series.points);
  throw new UserError(
    "invalid-input",
    `${series.source} has no value from ${utc(hole.from)} to ${utc(hole.to)}`,
    { hint: "Fill the hole, or give a file that begins after it." },
  );
}

/** The newest part of a record without a hole; what was left out is said. */
export function newestStretch(series: IntensitySeries): SignalRead {
  const hole = holesOf(series.points).at(-1);
  if (hole === undefined) return { signal: signalOfSeries(series), notices: [] };
  const points = series.points.filter(({ start }) => start >= hole.to);
  const said = `${series.source} has a hole before ${utc(hole.to)}: what lies before it was not used`;
  return { signal: evenly(series, points), notices: [said] };
}

const utc = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16)}Z`;

function holesOf(points: readonly IntensityPoint[]) {
  return points.flatMap(({ end }, at) => {
    const next = points[at + 1]?.start ?? end;
    return next > end ? [{ from: end, to: next }] : [];
  });
}

function evenly(series: IntensitySeries, points: readonly IntensityPoint[]): Signal {
  const { zone, kind, basis, source } = series;
  const stepMs = points.reduce((step, { start, end }) => divisor(step, end - start), 0);
  if (stepMs < SHORTEST_STEP_MS)
    throw new UserError("invalid-input", `${source} has no even steps`, {
      hint: "Its times must lie whole minutes apart.",
    });
  const values = points.flatMap(({ start, end, value }) =>
    Array.from({ length: (end - start) / stepMs }, () => value),
  );
  const [from, to] = [points[0]?.start ?? NaN, points.at(-1)?.end ?? NaN];
  return signal({
    ...{ zone, kind, basis, values, source },
    start: from / 1000,
    step: stepMs / 1000,
    issuedAt: (series.issuedAt ?? to) / 1000,
  });
}

/** Greatest common divisor (Euclid). */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
