// What the ticks of a run tell of a GPU: how busy it was and with whom, stretch by stretch, who had
// it to himself, and for how long nobody knew.

import type { GpuUse, TickRecord } from "./record.ts";
import { deltas, interpolate, type Timeline } from "./timeline.ts";

/** A GPU in one interval. */
export interface GpuActivity {
  /** Part of the interval in which it is known who used the device, 0 to 1. */
  readonly told: number;
  /** Busy part of the told time, 0 to 1. */
  readonly utilisation: number;
  /** Subject's part of the busy time, 0 to 1. */
  readonly share: number;
  /** Whether, as far as was told, nobody had a process on the device. */
  readonly empty: boolean;
}

type Told = Pick<Timeline, "ticks" | "times">;

/**
 * The driver takes a utilisation sample every 1/6 to 1 s (NVML reference, nvmlUtilization_t): of
 * shorter stretches nothing can be said.
 */
const SHORTEST = 1;
/** Clocks are read a moment after their tick; so much of a stretch is not held against it. */
const CLOCK_SLACK = 0.01;

/** Activity of a device in every interval of a run; null when nothing was told of it. */
export function gpuActivity(sensor: string, run: Told): readonly GpuActivity[] | null {
  const known = knownUse(sensor, run.ticks);
  const last = known.at(-1);
  if (known.length < 2 || last === undefined || toldOf(last) === 0) return null;
  const at = known.map(({ t }) => t);
  const growth = (select: (point: Point) => number): readonly number[] => {
    const values = known.map(select);
    return deltas(run.times.map((t) => interpolate(at, values, t)));
  };
  const seconds = deltas(run.times);
  const sums = {
    told: growth(toldOf),
    busy: growth(({ busyS }) => busyS),
    own: growth(({ subjectS }) => subjectS),
    held: growth(({ heldS }) => heldS ?? 0),
    others: growth(({ othersS }) => othersS ?? 0),
  };
  const countsHolders = last.heldS !== undefined;
  return windows(seconds).flatMap(({ from, to }) => {
    const sum = (values: readonly number[]): number =>
      values.slice(from, to).reduce((total, value) => total + value, 0);
    const [length, told, busy, own] = [sum(seconds), sum(sums.told), sum(sums.busy), sum(sums.own)];
    const [held, others] = [sum(sums.held), sum(sums.others)];
    const alone = countsHolders && held > 0 && others === 0;
    const activity: GpuActivity = {
      told: told >= (1 - CLOCK_SLACK) * length ? 1 : told / length,
      utilisation: told > 0 ? Math.min(1, busy / told) : 0,
      share: alone ? 1 : busy > 0 ? Math.min(1, own / busy) : 0,
      empty: countsHolders && told > 0 && held === 0 && others === 0,
    };
    return seconds.slice(from, to).map(() => activity);
  });
}

/** Whether the subject had processes on a device and nobody else was seen there. */
export function heldAlone(sensor: string, { ticks }: Pick<Timeline, "ticks">): boolean {
  const known = knownUse(sensor, ticks);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last?.heldS === undefined || last.othersS === undefined) return false;
  return last.heldS > (first.heldS ?? 0) && last.othersS === (first.othersS ?? 0);
}

/** Why it was not known who used a device, the last time that it was not. */
export function whyUntold(sensor: string, { ticks }: Pick<Timeline, "ticks">): string | null {
  return knownUse(sensor, ticks).at(-1)?.untold ?? null;
}

interface Point extends GpuUse {
  readonly t: number;
}

function knownUse(sensor: string, ticks: readonly TickRecord[]): readonly Point[] {
  return ticks.flatMap(({ t, gpu }) => {
    const use = gpu?.[sensor];
    return use === undefined ? [] : [{ t, ...use }];
  });
}

const toldOf = ({ t, toldS }: Point): number => toldS ?? t;

/** Neighbouring intervals joined until each is long enough; a short rest joins the last. */
function windows(seconds: readonly number[]): readonly { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let from = 0;
  let length = 0;
  for (const [index, more] of seconds.entries()) {
    length += more;
    // A tick that comes a moment early does not double the stretch.
    if (length < (1 - CLOCK_SLACK) * SHORTEST) continue;
    found.push({ from, to: index + 1 });
    from = index + 1;
    length = 0;
  }
  const last = found.at(-1);
  if (last === undefined) return seconds.length === 0 ? [] : [{ from: 0, to: seconds.length }];
  last.to = seconds.length;
  return found;
}
