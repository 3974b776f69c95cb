// Energy of each sensor that counts: its figure over the run, whose part of it is the subject's,
// its power over time. A sensor that cannot resolve the run gives no figure and a notice, never a
// zero.

import type { Component, Series } from "../../core/card.ts";
import { exact, type Figure, figure, product } from "../../core/index.ts";
import { energyBetween, energyFigure } from "../sensors/bridge.ts";
import { type Owned, ownedEnergy } from "./bounds.ts";
import { idleSeen } from "./idle-seen.ts";
import { decimate, type PowerStretch, peakOf, powerCurve } from "./power.ts";
import type { SplitContext } from "./split.ts";
import { durationOf, type Timeline, type Track } from "./timeline.ts";

/** What one sensor says of the run. */
export interface SensorEnergy {
  readonly track: Track;
  readonly energy: Figure<"J">;
  /** Null when the subject's part cannot be told. */
  readonly owned: Owned | null;
}

/** Energy of every sensor that counts, and a notice for each that cannot tell. */
export function sensorEnergies(context: SplitContext): {
  readonly energies: readonly SensorEnergy[];
  readonly notices: readonly string[];
} {
  const { timeline } = context;
  const notices: string[] = [];
  const energies = timeline.start.sensors.flatMap((sensor, index): SensorEnergy[] => {
    if (!sensor.counted) return [];
    const track = timeline.tracks[index] ?? null;
    const energy = track === null ? SILENT : energyOfSensor(track, timeline);
    if (track === null || typeof energy === "string") {
      notices.push(`no energy of ${sensor.device} (${sensor.source}): ${energy}`);
      return [];
    }
    return [{ track, energy, owned: ownedEnergy(track, energy, context) }];
  });
  return { energies, notices };
}

const SILENT = "it gave fewer than two readings";

/** A sensor's figure over the whole run, or why there is none. */
function energyOfSensor({ sensor, pieces }: Track, timeline: Timeline): Figure<"J"> | string {
  const duration = durationOf(timeline);
  const { updatePeriod = 0 } = sensor;
  const length = `${duration.toPrecision(3)} s`;
  if (sensor.kind === "counter" && duration < updatePeriod) {
    return `below resolution: it is updated every ${updatePeriod} s, the run took ${length}`;
  }
  const window = { from: timeline.times[0] ?? 0, to: timeline.times.at(-1) ?? 0 };
  const energy = energyBetween(pieces, window, sensor);
  if (energy === null) return SILENT;
  if (sensor.kind === "counter" && energy.joules === 0) {
    return `below resolution: its counter did not move in ${length}`;
  }
  return energyFigure(sensor, energy, sensor.fallbacks);
}

/** The card's line of a sensor. */
export function componentOf({ track, energy, owned }: SensorEnergy, timeline: Timeline): Component {
  const { sensor } = track;
  const { start, times } = timeline;
  const mean = meanPower(energy, durationOf({ times }));
  const peak = peakOf(curveOf(track, times));
  const measured = sensor.method === "estimated" ? undefined : start.idle[sensor.id];
  const idle = measured ?? idleSeen(track, timeline);
  return {
    domain: sensor.domain,
    device: sensor.device,
    provider: sensor.provider,
    energy,
    ...(owned === null ? {} : { attributed: owned.attributed }),
    meanPower: mean,
    ...(peak === null ? {} : { peakPower: peakFigure(peak, mean) }),
    ...(idle === null ? {} : { idlePower: idle }),
  };
}

/** Power over time of a sensor, thinned for a card. Times are the middles of the stretches. */
export function seriesOf(track: Track, times: readonly number[]): Series {
  const thin = decimate(curveOf(track, times));
  return {
    domain: track.sensor.domain,
    device: track.sensor.device,
    timesS: thin.map(({ from, to }) => (from + to) / 2),
    watts: thin.map(({ watts }) => watts),
  };
}

/** Mean power of an energy over a duration in seconds. */
export function meanPower(energy: Figure<"J">, duration: number): Figure<"W"> {
  const clock = { method: energy.method, source: "monotonic clock" } as const;
  const perSecond = exact("1", 1 / duration, clock);
  return product("W", [energy, perSecond], { source: `${energy.source}, mean over the run` });
}

/** A peak has the relative error of the mean that it belongs to; a later stretch may be higher. */
export function peakFigure(peak: number, mean: Figure<"W">): Figure<"W"> {
  const scale = mean.value === 0 ? 1 : peak / mean.value;
  const bounds = { low: Math.min(peak, mean.low * scale), high: Math.max(peak, mean.high * scale) };
  return figure("W", peak, bounds, {
    ...mean,
    source: `${mean.source.replace("mean over the run", "highest stretch of the run")}`,
  });
}

function curveOf(track: Track, times: readonly number[]): readonly PowerStretch[] {
  return powerCurve(
    { times, joules: track.joules, silent: track.silent },
    track.sensor.updatePeriod,
  );
}
