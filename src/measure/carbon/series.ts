// A grid's carbon intensity over time, as plain data: what providers hand back, what the hourly join and a
// scheduler read.

import { UserError } from "../../core/index.ts";
import type { Accounting } from "./intensity.ts";

export interface IntensityPoint {
  /** Milliseconds since 1970 UTC. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** gCO2e/kWh. */
  readonly value: number;
  /** The provider says that it filled a gap by a model. */
  readonly estimated?: boolean;
}

export interface IntensitySeries extends Accounting {
  /** The provider's name of the grid. */
  readonly zone: string;
  /** Provider and kind of data, with its attribution. */
  readonly source: string;
  /** By start, without overlaps; gaps are simply absent. */
  readonly points: readonly IntensityPoint[];
  /** When a forecast was issued, milliseconds since 1970 UTC; absent on what was measured. */
  readonly issuedAt?: number;
}

/** Above this no grid is known, not even by its marginal plants. */
const HIGHEST = 3000;

/** No grid's cleanest hour is below this in every hour of a series: the values are in kg. */
const LOWEST = 2;

/**
 * A series that can be right: sorted, in range, without overlaps. Throws UserError naming the source
 * for values in another unit and for points that contradict each other.
 */
export function createSeries(series: IntensitySeries): IntensitySeries {
  const { source } = series;
  const points = [...series.points].sort((a, b) => a.start - b.start);
  if (points.length === 0) throw unusable(source, "it has no values", "Ask for another time.");
  let [last, highest]: [IntensityPoint | undefined, number] = [undefined, 0];
  for (const point of points) {
    const { start, end, value } = point;
    if (![start, end, value].every(Number.isFinite) || end <= start) {
      throw unusable(source, `a point of ${value} from ${start} to ${end}`, REPORT);
    }
    if (value < 0 || value > HIGHEST) throw unusable(source, `${value} is no gCO2e/kWh`, UNIT);
    if (last !== undefined && start < last.end) {
      throw unusable(source, `two values for ${new Date(start).toISOString()}`, REPORT);
    }
    [last, highest] = [point, Math.max(highest, value)];
  }
  if (highest > 0 && highest < LOWEST) {
    throw unusable(source, `values up to ${highest} look like kg per kWh`, UNIT);
  }
  return Object.freeze({ ...series, points: Object.freeze(points) });
}

const UNIT = "Carbon intensity is expected in grams of CO2e per kWh.";
const REPORT = "The data is faulty at its source; use another source, or the yearly mean.";

const unusable = (source: string, fault: string, hint: string): UserError =>
  new UserError("invalid-input", `the carbon intensity of ${source} cannot be used: ${fault}`, {
    hint,
  });
