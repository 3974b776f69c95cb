// Energy over time joined with carbon intensity over time:
//   emissions = sum over pieces of (energy of the piece x intensity of its hour)
// Where a piece of energy spans several hours it is split by time, as if its power were constant. Where the
// series has a gap, the mean that was given takes its place, with the mean's wider interval, and
// that is said.

import {
  type Figure,
  figure,
  type Joules,
  product,
  sum,
  UserError,
  withError,
} from "../../core/index.ts";
import {
  type Accounting,
  type Basis,
  describe,
  type Emissions,
  type Intensity,
  type Kind,
  type Scope,
} from "./intensity.ts";
import type { IntensitySeries } from "./series.ts";

/** Energy used between two moments, milliseconds since 1970 UTC. */
export interface EnergySlice {
  readonly start: number;
  readonly end: number;
  readonly energy: Joules;
}

export interface HourlyEmissions<K extends Kind, B extends Basis, S extends Scope> {
  readonly emissions: Emissions<K, B, S>;
  /** Share of the energy whose hour was known, 0 to 1. */
  readonly covered: number;
  /** Mean intensity by energy, gCO2e/kWh, of the covered part; null when nothing was covered. */
  readonly meanIntensity: number | null;
  /** What the fall-back's mean would have said of all the energy, over what the hours say; less 1. */
  readonly errorOfMean: number | null;
  readonly notices: readonly string[];
}

/**
 * Relative standard deviation of a zone's hourly average intensity: what is left of the error once
 * the hour is known (factors, imports, corrections after the fact).
 */
const HOURLY_ERROR = 0.08;

/**
 * Emissions of energy over time. Throws UserError when the fall-back is of another accounting than the
 * series, RangeError for slices that are none.
 */
export function joinHourly<K extends Kind, B extends Basis, S extends Scope>(
  slices: readonly EnergySlice[],
  series: IntensitySeries,
  fallback: Intensity<K, B, S>,
): HourlyEmissions<K, B, S> {
  requireSame(series, fallback);
  const { covered, uncovered, grams } = split(slices, series);
  const total = covered + uncovered;
  const known = withError("gCO2e", grams, HOURLY_ERROR, {
    method: "estimated",
    source: `energy x intensity of its hour (${series.source})`,
  });
  const parts: Figure<"gCO2e">[] = covered > 0 ? [known] : [];
  const notices: string[] = [];
  if (uncovered > 0 || covered === 0) {
    const percent = total === 0 ? 100 : (100 * uncovered) / total;
    const said = `${percent.toPrecision(2)} % of the energy has no hourly intensity; the mean stands in`;
    parts.push(byMean(uncovered, fallback.figure, said));
    notices.push(said);
  }
  const source = `energy x hourly carbon intensity, ${describe(series)}`;
  const perKilowattHour = covered > 0 ? (grams / covered) * 3.6e6 : null;
  return {
    emissions: {
      kind: fallback.kind,
      basis: fallback.basis,
      scope: fallback.scope,
      figure: sum("gCO2e", parts, { source }),
    },
    covered: total === 0 ? 0 : covered / total,
    meanIntensity: perKilowattHour,
    errorOfMean:
      perKilowattHour === null || perKilowattHour === 0
        ? null
        : fallback.figure.value / perKilowattHour - 1,
    notices,
  };
}

function byMean(joules: number, mean: Figure<"gCO2e/kWh">, reason: string): Figure<"gCO2e"> {
  const energy = figure(
    "J",
    joules,
    { low: joules, high: joules },
    {
      method: "declared",
      source: "energy of hours without an intensity",
      fallbacks: [reason],
    },
  );
  return product("gCO2e", [energy, mean], {
    source: `energy x mean carbon intensity (${mean.source})`,
    scale: 1 / 3.6e6,
  });
}

/** Joules in and out of the series, and grams of those within. Both lists are walked once. */
function split(slices: readonly EnergySlice[], { points }: IntensitySeries) {
  let [covered, uncovered, grams] = [0, 0, 0];
  const sorted = [...slices].sort((a, b) => a.start - b.start);
  let first = 0;
  for (const { start, end, energy } of sorted) {
    if (!(end > start) || !Number.isFinite(energy)) {
      throw new RangeError(`no slice of energy: ${energy} J from ${start} to ${end}`);
    }
    let at = points[first];
    while (at !== undefined && at.end <= start) at = points[++first];
    let known = 0;
    for (let index = first; index < points.length; index++) {
      const point = points[index];
      if (point === undefined || point.start >= end) break;
      const overlap = Math.min(end, point.end) - Math.max(start, point.start);
      const part = (energy * overlap) / (end - start);
      known += overlap;
      grams += (part * point.value) / 3.6e6;
    }
    covered += (energy * known) / (end - start);
    uncovered += (energy * (end - start - known)) / (end - start);
  }
  return { covered, uncovered, grams };
}

function requireSame(series: Accounting, fallback: Accounting): void {
  const same =
    series.kind === fallback.kind &&
    series.basis === fallback.basis &&
    series.scope === fallback.scope;
  if (same) return;
  throw new UserError(
    "invalid-input",
    `hours that are ${describe(series)} cannot fall back on a mean that is ${describe(fallback)}`,
    { hint: "Give a mean of the same accounting." },
  );
}
