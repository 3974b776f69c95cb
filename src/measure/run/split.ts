// Applies the rules of attribution.ts to a run: every counted sensor, every interval. Each rule has
// assumptions that nobody has measured here; `Assumptions` names them, so that bounds.ts can move
// each to its limits and see what becomes of the result.

import type { Figure } from "../../core/index.ts";
import { type Activity, activityOf } from "./activity.ts";
import {
  idleEnergy,
  type Parts,
  splitByActivity,
  splitByOccupation,
  splitExclusive,
} from "./attribution.ts";
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
  };
}

export function ruleFor(track: Track, { timeline, resident }: SplitContext): Rule {
  const { sensor } = track;
  if (sensor.domain === "memory") return resident === null ? "activity" : "occupation";
  if (sensor.domain !== "gpu") return "activity";
  if (timeline.start.exclusive?.includes(sensor.id) === true) return "exclusive";
  const told = timeline.ticks.some(({ gpu }) => gpu?.[sensor.id] !== undefined);
  return told ? "gpu-use" : "gpu-unknown";
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
  const baseline = start.idle[track.sensor.id];
  const rule = ruleFor(track, context);
  const at = (index: number) => ({ joules: joules[index] ?? 0, seconds: seconds[index] ?? 0 });
  switch (rule) {
    case "activity":
    case "gpu-use": {
      const activity = rule === "activity" ? context.activity : gpuActivity(track, context);
      const parts = activity.map(({ utilisation, share }, index): Parts | null => {
        if (utilisation === null || share === null) return null;
        const interval = { ...at(index), utilisation, share: weighted(share, assumptions.weight) };
        return splitByActivity(
          interval,
          idlePower(interval, baseline, assumptions.idle),
          idleShare,
        );
      });
      return parts.every((part) => part !== null) ? parts : null;
    }
    case "occupation":
      return joules.map((energy, index) =>
        splitByOccupation(energy, ...occupation(start, context.resident?.[index] ?? 0, idleShare)),
      );
    case "exclusive":
      return joules.map((energy, index) =>
        splitExclusive(energy, at(index).seconds, exclusiveIdle(track, baseline, assumptions.idle)),
      );
    case "gpu-unknown": {
      const held = assumptions.holding === "low" ? 0 : 1;
      return joules.map((energy, index) => {
        const idle = exclusiveIdle(track, baseline, assumptions.idle);
        const parts = splitExclusive(energy, at(index).seconds, idle);
        return held === 1
          ? parts
          : { ownActive: 0, ownIdle: 0, otherActive: parts.ownActive, otherIdle: parts.ownIdle };
      });
    }
    default:
      return rule satisfies never;
  }
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
  if (level === "value") return null;
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

/** Activity of a GPU that tells by process: its busy time against the clock and the subject's. */
function gpuActivity({ sensor }: Track, { timeline }: SplitContext): readonly Activity[] {
  const { ticks, times } = timeline;
  const known = ticks.flatMap(({ t, gpu }) => {
    const use = gpu?.[sensor.id];
    return use === undefined ? [] : [{ t, ...use }];
  });
  const at = known.map(({ t }) => t);
  const growth = (values: readonly number[]): number[] =>
    deltas(times.map((t) => interpolate(at, values, t)));
  const busy = growth(known.map(({ busyS }) => busyS));
  const own = growth(known.map(({ subjectS }) => subjectS));
  return deltas(times).map((seconds, index) => {
    const [busyS, ownS] = [busy[index] ?? 0, own[index] ?? 0];
    const share = busyS > 0 ? Math.min(1, ownS / busyS) : 0;
    return { seconds, utilisation: Math.min(1, busyS / seconds), share };
  });
}
