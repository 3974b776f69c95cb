// Packing as time goes on: at every slot the jobs known by then are packed on the newest forecast, and
// only those that are due now are started. What has started is never moved.

import { costOf, type Horizon, type Packing, pack, runningSums, type SlotJob } from "./capacity.ts";

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
  const late = new Set<string>();
  for (let now = 0; now < free.length; now++) {
    const open = jobs
      .filter((job) => job.arrives <= now && !starts.has(job.id) && !late.has(job.id))
      .map((job) => ({ ...job, earliest: Math.max(now, job.earliest) }));
    if (open.length === 0) continue;
    const plan = pack(open, { capacity: free, intensity: outlook(now) });
    for (const job of open) {
      if (plan.starts.get(job.id) === now) {
        starts.set(job.id, now);
        for (let slot = now; slot < now + job.slots; slot++)
          free[slot] = (free[slot] ?? 0) - job.nodes;
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
