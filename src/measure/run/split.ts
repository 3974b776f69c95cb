// Applies the rules of attribution.ts to a run: every counted sensor, every interval. Each rule has
// assumptions that nobody has measured here; `Assumptions` names them, so that bounds.ts can move
// each to its limits and see what becomes of the result.

import type { Figure } from "../../core/index.ts";
import { type Activity, activityOf } from "./activity.ts";
import {
  type ActiveInterval,
  addParts,
  idleEnergy,
  type Parts,
  splitByActivity,
  splitByOccupation,
  splitExclusive,
} from "./attribution.ts";
import { type GpuActivity, gpuActivity, heldAlone } from "./gpu-activity.ts";
import { idleSeen } from "./idle-seen.ts";
import type { StartRecord } from "./record.ts";
import { deltas, interpolate, type Timeline, type Track } from "./timeline.ts";

/** Where in its interval an assumption stands. */
export type Level = "low" | "value" | "high";

export interface Assumptions {
  /** Energy of a CPU second of the subject against one of the others. */
  readonly weight: Level;
  /** Power that the machine draws when nothing runs. */
  readonly idle: Level;
  /** Subject's share of idle energy. */
  readonly idleShare: Level;
  /** Whether a GPU whose user is not known was the subject's. */
  readonly holding: Level;
}

export const AS_STATED: Assumptions = {
  weight: "value",
  idle: "value",
  idleShare: "value",
  holding: "value",
};

/**
 * Bounds (90 %) of the energy that a CPU second of the subject takes against one of everybody else:
 * a convention. Kepler's guide names 2 to 3 times between compute-bound and memory-bound work at the
 * extreme; a tree of processes against a whole machine's mix differs less.
 */
const WEIGHT = { low: 1 / 1.5, value: 1, high: 1.5 };

/**
 * Idle part of a machine's power without a baseline. Kepler's is 1 - u. Servers draw 0.18 to 0.24 of
 * their full power when idle and their power is concave in load (SPECpower_ssj2008 results of
 * 2017 to 2024, normalised), so the truth lies lower at small loads and higher at full load.
 */
const IDLE_WITHOUT_BASELINE = {
  low: (utilisation: number) => 0.5 * (1 - utilisation),
  value: (utilisation: number) => 1 - utilisation,
  high: (utilisation: number) => Math.max(1 - utilisation, 0.25),
};

/** How a sensor's energy is told apart. */
export type Rule = "activity" | "occupation" | "exclusive" | "gpu-use" | "gpu-unknown";

/** What every sensor of a run is split with. */
export interface SplitContext {
  readonly timeline: Timeline;
  readonly activity: readonly Activity[];
  /** Resident bytes of the subject by interval; null when nobody told. */
  readonly resident: readonly number[] | null;
  /** Idle power by sensor id, watts, where it is known. */
  readonly idle: StartRecord["idle"];
}

export function splitContext(timeline: Timeline): SplitContext {
  const { times, ticks } = timeline;
  const known = ticks.flatMap(({ t, rss }) => (rss === null ? [] : [{ t, rss }]));
  const resident = times.slice(1).map((to, index) => {
    const middle = ((times[index] ?? 0) + to) / 2;
    return interpolate(
      known.map(({ t }) => t),
      known.map(({ rss }) => rss),
      middle,
    );
  });
  return {
    timeline,
    activity: activityOf(timeline),
    resident: known.length === 0 ? null : resident,
    idle: idleOf(timeline),
  };
}

/** Measured before the run; else a GPU's of the run itself; else as earlier runs saw it. */
function idleOf(timeline: Timeline): StartRecord["idle"] {
  const { start, end, tracks } = timeline;
  const seen = tracks.flatMap((track) => {
    const power = track?.sensor.domain === "gpu" ? idleSeen(track, timeline) : null;
    return track === null || power === null ? [] : [[track.sensor.id, power] as const];
  });
  return { ...end?.idle, ...Object.fromEntries(seen), ...start.idle };
}

export function ruleFor(track: Track, { timeline, resident }: SplitContext): Rule {
  const { sensor } = track;
  if (sensor.domain === "memory") return resident === null ? "activity" : "occupation";
  if (sensor.domain !== "gpu") return "activity";
  if (timeline.start.exclusive?.includes(sensor.id) === true) return "exclusive";
  const activity = gpuActivity(sensor.id, timeline);
  if (activity === null) return "gpu-unknown";
  const isTold = activity.every(({ told }) => told === 1);
  return isTold && heldAlone(sensor.id, timeline) ? "exclusive" : "gpu-use";
}

/** One sensor's energy by interval, by owner; null when what the rule needs is not known. */
export function splitTrack(
  track: Track,
  context: SplitContext,
  assumptions: Assumptions = AS_STATED,
): readonly Parts[] | null {
  const { start, times } = context.timeline;
  const joules = deltas(track.joules);
  const seconds = deltas(times);
  const idleShare = start.idleShare[assumptions.idleShare];
  const baseline = context.idle[track.sensor.id];
  const rule = ruleFor(track, context);
  const at = (index: number) => ({ joules: joules[index] ?? 0, seconds: seconds[index] ?? 0 });
  const byActivity = (interval: ActiveInterval): Parts => {
    const weighed = { ...interval, share: weighted(interval.share, assumptions.weight) };
    return splitByActivity(weighed, idlePower(weighed, baseline, assumptions.idle), idleShare);
  };
  switch (rule) {
    case "activity": {
      const parts = context.activity.map(({ utilisation, share }, index) =>
        utilisation === null || share === null
          ? null
          : byActivity({ ...at(index), utilisation, share }),
      );
      return parts.every((part) => part !== null) ? parts : null;
    }
    case "occupation":
      return joules.map((energy, index) =>
        splitByOccupation(energy, ...occupation(start, context.resident?.[index] ?? 0, idleShare)),
      );
    case "exclusive":
    case "gpu-unknown":
    case "gpu-use": {
      const idle = exclusiveIdle(track, baseline, assumptions.idle);
      const whole = (interval: Interval): Parts =>
        splitExclusive(interval.joules, interval.seconds, idle);
      if (rule === "exclusive") return joules.map((_, index) => whole(at(index)));
      const untold = (interval: Interval): Parts => held(whole(interval), assumptions.holding);
      if (rule === "gpu-unknown") return joules.map((_, index) => untold(at(index)));
      const alone = heldAlone(track.sensor.id, context.timeline);
      return (gpuActivity(track.sensor.id, context.timeline) ?? []).map((activity, index) => {
        const [known, rest] = divide(at(index), activity.told);
        const { utilisation, share } = activity;
        const parts = alone ? whole(known) : byActivity({ ...known, utilisation, share });
        return addParts(parts, untold(rest));
      });
    }
    default:
      return rule satisfies never;
  }
}

type Interval = Pick<ActiveInterval, "joules" | "seconds">;

/** The told part of an interval and the rest. */
function divide({ joules, seconds }: Interval, told: GpuActivity["told"]): [Interval, Interval] {
  const known = { joules: joules * told, seconds: seconds * told };
  return [known, { joules: joules - known.joules, seconds: seconds - known.seconds }];
}

/** All that a device used, by one who held it, or who may not have. */
function held(parts: Parts, level: Level): Parts {
  if (level !== "low") return parts;
  return { ownActive: 0, ownIdle: 0, otherActive: parts.ownActive, otherIdle: parts.ownIdle };
}

/** A share of CPU time as a share of energy, when the subject's seconds weigh more or less. */
function weighted(share: number, level: Level): number {
  const own = WEIGHT[level] * share;
  return own === 0 ? 0 : own / (own + (1 - share));
}

/** Idle watts of one interval: the baseline's, or what Kepler's rule makes of its utilisation. */
function idlePower(
  interval: { readonly joules: number; readonly seconds: number; readonly utilisation: number },
  baseline: Figure<"W"> | undefined,
  level: Level,
): number | null {
  if (baseline !== undefined) return baseline[level];
  if (level === "value" || interval.seconds === 0) return null;
  const part = IDLE_WITHOUT_BASELINE[level](interval.utilisation);
  return idleEnergy({ ...interval, utilisation: 1 - part }, null) / interval.seconds;
}

/** Idle watts of a device held alone. Without a baseline idle is at most the least power seen. */
function exclusiveIdle(
  track: Track,
  baseline: Figure<"W"> | undefined,
  level: Level,
): number | null {
  if (baseline !== undefined) return baseline[level];
  if (level !== "high") return null;
  const powers = track.pieces
    .filter(({ gap }) => gap === null)
    .map(({ joules, from, to }) => joules / (to - from));
  return powers.reduce((least, power) => Math.min(least, power), Number.POSITIVE_INFINITY);
}

/** Used and reserved parts of memory. What nothing limits is reserved like the idle machine. */
function occupation(start: StartRecord, rss: number, idleShare: number): [number, number] {
  const total = start.machine.memoryBytes;
  const used = Math.min(1, rss / total);
  const limit = start.memoryLimit === undefined ? idleShare : start.memoryLimit / total;
  return [used, Math.min(1, Math.max(limit, used))];
}
