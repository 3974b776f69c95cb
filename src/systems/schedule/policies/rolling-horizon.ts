// Packing as time goes on: at every slot the jobs known by then are packed on the newest forecast, and
// only those that are due now are started. What has started is never moved. The plan of the slot before
// stands unless the new packing is better: packing is a heuristic, and may lose a place it once had found.

import {
  costOf,
  type Horizon,
  isBetter,
  type Packing,
  pack,
  runningSums,
  type SlotJob,
  take,
} from "./capacity.ts";

/** A job and the slot in which it becomes known. */
export interface ArrivingJob extends SlotJob {
  readonly arrives: number;
}

/** Intensity for every slot of the horizon as it is seen at slot `now`. */
export type Outlook = (now: number) => ArrayLike<number>;

/**
 * Runs the horizon slot by slot. `horizon.intensity` is what really came, and what the cost is counted
 * in; decisions see only `outlook`. A job that finds no start before its latest one is left out.
 */
export function rollingHorizon(
  jobs: readonly ArrivingJob[],
  horizon: Horizon,
  outlook: Outlook,
): Packing {
  const free = Float64Array.from(horizon.capacity);
  const starts = new Map<string, number>();
  let standing: Packing["starts"] = new Map();
  const late = new Set<string>();
  for (let now = 0; now < free.length; now++) {
    const open = jobs
      .filter((job) => job.arrives <= now && !starts.has(job.id) && !late.has(job.id))
      .map((job) => ({ ...job, earliest: Math.max(now, job.earliest) }));
    if (open.length === 0) continue;
    const seen = { capacity: free, intensity: outlook(now) };
    const [anew, kept] = [pack(open, seen), keep(standing, open, seen)];
    standing = (isBetter(kept, anew) ? kept : anew).starts;
    for (const job of open) {
      if (standing.get(job.id) === now) {
        starts.set(job.id, now);
        take(free, job, now, 1);
      } else if (now >= job.latestStart) late.add(job.id);
    }
  }
  const sums = runningSums(horizon.intensity);
  const cost = jobs.reduce((sum, job) => {
    const start = starts.get(job.id);
    return start === undefined ? sum : sum + costOf(job, start, sums);
  }, 0);
  const unplaced = jobs.filter(({ id }) => !starts.has(id)).map(({ id }) => id);
  return { starts, unplaced, cost };
}

/** The standing plan on a newer forecast, with the jobs that are not in it packed into what it leaves. */
function keep(standing: Packing["starts"], open: readonly SlotJob[], seen: Horizon): Packing {
  const free = Float64Array.from(seen.capacity);
  const sums = runningSums(seen.intensity);
  const starts = new Map<string, number>();
  let cost = 0;
  for (const job of open) {
    const start = standing.get(job.id);
    if (start === undefined) continue;
    starts.set(job.id, start);
    take(free, job, start, 1);
    cost += costOf(job, start, sums);
  }
  const others = open.filter(({ id }) => !starts.has(id));
  const added = pack(others, { capacity: free, intensity: seen.intensity });
  return {
    starts: new Map([...starts, ...added.starts]),
    unplaced: added.unplaced,
    cost: cost + added.cost,
  };
}
