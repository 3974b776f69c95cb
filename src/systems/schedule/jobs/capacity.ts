// What a machine has room for, and how late jobs may start when they must share it.
//
// Latest starts are found backwards: in order of falling deadlines each job is put as late as the jobs
// behind it leave room. It is the list schedule of the reversed problem, so it is a heuristic for jobs of
// unlike size; a job whose own latest start is sooner keeps that.

import type { JobRecord, Resources } from "./record.ts";

export interface Capacity extends Omit<Resources, "nodes"> {
  /** Jobs that may run at once. */
  readonly jobs: number;
}

/** What is left of a capacity once these jobs run. */
export function roomLeft(capacity: Capacity, running: readonly Resources[]): Capacity {
  return running.reduce(
    (left, used) => ({
      jobs: left.jobs - 1,
      cpus: left.cpus - used.cpus,
      memoryBytes: left.memoryBytes - used.memoryBytes,
      gpus: left.gpus - used.gpus,
    }),
    capacity,
  );
}

/** Whether a job fits; rounding of thousandths of a processor is no reason why not. */
export const fits = (needed: Resources, left: Capacity): boolean =>
  left.jobs >= 1 &&
  needed.cpus <= left.cpus + 1e-9 &&
  needed.memoryBytes <= left.memoryBytes &&
  needed.gpus <= left.gpus;

/** What a job needs that the whole machine does not have; null when it can run at all. */
export function lackOf(needed: Resources, capacity: Capacity): string | null {
  if (needed.cpus > capacity.cpus) return `${needed.cpus} processors of ${capacity.cpus}`;
  if (needed.memoryBytes > capacity.memoryBytes)
    return `${needed.memoryBytes} bytes of memory of ${capacity.memoryBytes}`;
  if (needed.gpus > capacity.gpus) return `${needed.gpus} GPUs of ${capacity.gpus}`;
  return null;
}

/** A job that is still to run, in the eyes of the guard. */
export interface Pending {
  readonly id: string;
  readonly resources: Resources;
  readonly after: readonly string[];
  readonly deadline: number;
  /** Seconds set aside for it. */
  readonly seconds: number;
}

interface Placed extends Pending {
  readonly start: number;
  readonly end: number;
}

/** Latest start of each job by id such that all can be in time, sharing the capacity. */
export function latestStarts(
  pending: readonly Pending[],
  capacity: Capacity,
): ReadonlyMap<string, number> {
  const placed = new Map<string, Placed>();
  for (const job of successorsFirst(pending)) {
    // What comes after it must be in time too.
    const followers = [...placed.values()].filter(({ after }) => after.includes(job.id));
    const due = Math.min(job.deadline, ...followers.map(({ start }) => start));
    const end = latestEnd(job, due, [...placed.values()], capacity);
    placed.set(job.id, { ...job, start: end - job.seconds, end });
  }
  return new Map([...placed.values()].map(({ id, start }) => [id, start]));
}

/** In order of falling deadlines, each job after all that wait for it. */
function successorsFirst(pending: readonly Pending[]): readonly Pending[] {
  const left = [...pending].sort((a, b) => b.deadline - a.deadline);
  const ordered: Pending[] = [];
  while (left.length > 0) {
    const free = left.findIndex(({ id }) => !left.some(({ after }) => after.includes(id)));
    // Jobs that wait for each other cannot be submitted; a damaged store must not hang the queue.
    ordered.push(...left.splice(Math.max(0, free), 1));
  }
  return ordered;
}

/** The latest end, at `due` or where a later job starts, at which it fits for all its time. */
function latestEnd(
  job: Pending,
  due: number,
  placed: readonly Placed[],
  capacity: Capacity,
): number {
  const candidates = [due, ...placed.map(({ start }) => start).filter((start) => start < due)];
  for (const end of candidates.sort((a, b) => b - a))
    if (fitsDuring(job, end - job.seconds, end, placed, capacity)) return end;
  return Math.min(...candidates);
}

function fitsDuring(
  job: Pending,
  from: number,
  to: number,
  placed: readonly Placed[],
  capacity: Capacity,
): boolean {
  const overlapping = placed.filter(({ start, end }) => start < to && end > from);
  const moments = [from, ...overlapping.map(({ start }) => start).filter((start) => start > from)];
  return moments.every((moment) => {
    const busy = overlapping.filter(({ start, end }) => start <= moment && end > moment);
    return fits(
      job.resources,
      roomLeft(
        capacity,
        busy.map(({ resources }) => resources),
      ),
    );
  });
}

/** What a record holds of the machine in its state; a stopped job keeps its memory and its GPUs. */
export function held({ state, process, resources }: JobRecord): Resources | null {
  if (state === "starting" || state === "running") return resources;
  if (state === "paused" && process !== null) return { ...resources, cpus: 0 };
  return null;
}
