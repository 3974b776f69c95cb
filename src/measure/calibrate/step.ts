// One step of a calibration: what was asked of the processors and what was seen meanwhile. Pure: the
// ticks of a sampler in, means out.

import { mean, median } from "../../core/statistics.ts";
import type { GapRecord, TickRecord } from "../run/record.ts";

/** Means over the quiet part of one step. */
export interface CalibrationStep {
  /** Share of all logical processors that was asked for, 0..1. */
  readonly asked: number;
  /** Share that was busy, whoever made it so. */
  readonly utilisation: number;
  /** Share that was busy for others than godwit. */
  readonly others: number;
  /** Watts of the truth source. */
  readonly wall: number;
  /** Standard deviation of its readings, watts; 0 for a reading that was typed. */
  readonly spread: number;
  /** Readings in the mean, and those left out as outliers. */
  readonly readings: number;
  readonly discarded: number;
  /** Watts of processor and memory sensors and all others that count; null where there are none. */
  readonly components: number | null;
  /** Watts of the sensors among them that are of neither processor nor memory: GPUs. */
  readonly besides: number;
  /** Seconds from the start of the calibration to the middle of the quiet part. */
  readonly at: number;
  /** Whether power had become steady before the readings that count. */
  readonly settled: boolean;
}

/** A stretch of time between two readings of some sensors, without a gap. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly watts: number;
}

/** Mean power between readings that all the sensors at these places of a tick gave together. */
export function stretchesOf(
  ticks: readonly TickRecord[],
  gaps: readonly GapRecord[],
  places: readonly number[],
): readonly Stretch[] {
  const points = ticks.flatMap(({ t, values }) => {
    const known = places.flatMap((place) => values[place] ?? []);
    return known.length < places.length ? [] : [{ t, joules: known.reduce((a, b) => a + b, 0) }];
  });
  return points.slice(1).flatMap((point, index) => {
    const before = points[index];
    if (before === undefined || point.t <= before.t) return [];
    if (gaps.some(({ from, to }) => from < point.t && to > before.t)) return [];
    const watts = (point.joules - before.joules) / (point.t - before.t);
    return [{ from: before.t, to: point.t, watts }];
  });
}

/** Mean over time; null of nothing. */
export function meanWatts(stretches: readonly Stretch[]): number | null {
  const length = stretches.reduce((sum, { from, to }) => sum + (to - from), 0);
  if (length === 0) return null;
  return stretches.reduce((sum, { from, to, watts }) => sum + watts * (to - from), 0) / length;
}

/** Readings further from the median than this many deviations are left out (Hampel 1974) ... */
const OUTLIER = 4;
/** ... of at least so many watts or this share: a meter that shows whole watts has none often. */
const LEAST_DEVIATION = { watts: 0.5, share: 0.005 } as const;
/** Standard deviations in one median absolute deviation of normal errors. Rounded. */
const MAD_SCALE = 1.4826;

/** The stretches whose power belongs to the others'. */
export function withoutOutliers(stretches: readonly Stretch[]): readonly Stretch[] {
  if (stretches.length === 0) return [];
  const middle = median(stretches.map(({ watts }) => watts));
  const mad = median(stretches.map(({ watts }) => Math.abs(watts - middle)));
  const least = Math.max(LEAST_DEVIATION.watts, LEAST_DEVIATION.share * Math.abs(middle));
  const limit = OUTLIER * Math.max(MAD_SCALE * mad, least);
  return stretches.filter(({ watts }) => Math.abs(watts - middle) <= limit);
}

/** Readings on each side of the comparison that finds power steady. */
const SIDE = 4;
/** Part of its power by which a steady machine still moves. */
const STEADY = 0.01;
/** Standard errors within which two means are one. */
const STANDARD_ERRORS = 2;

/**
 * Whether power has become steady: the last readings and those before have one mean. Where power
 * must have left `from`, a meter that still shows it has not followed yet.
 */
export function isSteady(stretches: readonly Stretch[], from: number | null): boolean {
  if (stretches.length < 2 * SIDE) return false;
  const watts = stretches.slice(-2 * SIDE).map((stretch) => stretch.watts);
  const [before, after] = [watts.slice(0, SIDE), watts.slice(SIDE)];
  const level = mean(after);
  const noise = Math.sqrt((varianceOf(before) + varianceOf(after)) / SIDE);
  const tolerance = Math.max(STEADY * Math.abs(level), STANDARD_ERRORS * noise);
  if (Math.abs(level - mean(before)) > tolerance) return false;
  return from === null || Math.abs(level - from) > tolerance;
}

function varianceOf(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
