// Many jobs, few nodes. Jobs run in one piece on whole slots; the most regretful is placed first: the
// one that loses most if it does not get its best start. Then each is moved to a better free start
// until none can. A heuristic: `capacityBound` says how far from the optimum it can be at most, and a
// job may be left out though another packing would place it.

/** A job in slots. Times are indices of slots. */
export interface SlotJob {
  readonly id: string;
  readonly nodes: number;
  readonly slots: number;
  readonly earliest: number;
  /** Last slot it may start in, inclusive. */
  readonly latestStart: number;
  /** Watts of all its nodes together. */
  readonly watts: number;
}

/** Where jobs were put. */
export interface Packing {
  /** Start slot by job. */
  readonly starts: ReadonlyMap<string, number>;
  /** Jobs for which no free start was left before their latest one. */
  readonly unplaced: readonly string[];
  /** Sum of watts x intensity over the slots of the placed jobs; comparable with the bound. */
  readonly cost: number;
}

/** Nodes that are free and intensity, for each slot. */
export interface Horizon {
  readonly capacity: ArrayLike<number>;
  readonly intensity: ArrayLike<number>;
}

/** How often those that were left out may go first before packing gives up on regret. */
const ROUNDS = 20;

/**
 * Packs by regret. What is left out goes first in the next round (squeaky wheel optimisation, Joslin and
 * Clements 1999, JAIR 10); if that does not place all, also packs first come first served. Keeps what
 * places most jobs, then what costs least.
 */
export function pack(jobs: readonly SlotJob[], horizon: Horizon): Packing {
  let best = packBy(jobs, horizon, BY_REGRET);
  const squeaking = new Set(best.unplaced);
  for (let round = 0; round < ROUNDS && best.unplaced.length > 0; round++) {
    const next = packBy(jobs, horizon, firstThen(squeaking, BY_REGRET));
    if (isBetter(next, best)) best = next;
    if (next.unplaced.every((id) => squeaking.has(id))) break;
    for (const id of next.unplaced) squeaking.add(id);
  }
  if (best.unplaced.length === 0) return best;
  const served = packBy(jobs, horizon, AS_THEY_COME);
  return isBetter(served, best) ? served : best;
}

/** Whether a packing places more jobs than another, or as many at less cost. */
export function isBetter(a: Packing, b: Packing): boolean {
  const fewer = a.unplaced.length - b.unplaced.length;
  return fewer < 0 || (fewer === 0 && a.cost < b.cost);
}

/** What a job could do with the nodes that are free. */
interface Option {
  readonly job: SlotJob;
  /** Cheapest free start, -1 for none, its cost, and the cost of the next best. */
  readonly best: number;
  readonly cost: number;
  readonly second: number;
  /** Earliest free start, -1 for none. */
  readonly first: number;
}

/** Which job is placed next, and at which of its starts. */
interface Order {
  readonly prefer: (a: Option, b: Option) => number;
  readonly start: (option: Option) => number;
}

function packBy(
  jobs: readonly SlotJob[],
  { capacity, intensity }: Horizon,
  { prefer, start }: Order,
): Packing {
  const free = Float64Array.from(capacity);
  const sums = runningSums(intensity);
  const starts = new Map<string, number>();
  const unplaced: string[] = [];
  let open = jobs.map((job) => optionOf(job, free, sums));
  while (open.length > 0) {
    const next = open.reduce((best, one) => (prefer(one, best) < 0 ? one : best));
    open = open.filter((one) => one !== next);
    if (next.best === -1) {
      unplaced.push(next.job.id);
      continue;
    }
    const at = start(next);
    take(free, next.job, at, 1);
    starts.set(next.job.id, at);
    open = open.map((one) =>
      touches(one.job, next.job, at) ? optionOf(one.job, free, sums) : one,
    );
  }
  const placed = jobs.filter(({ id }) => starts.has(id));
  improve(placed, starts, free, sums);
  const cost = placed.reduce((sum, job) => sum + costOf(job, starts.get(job.id) ?? NaN, sums), 0);
  return { starts, unplaced, cost };
}

/** A job with one free start left regrets without bound; one with none is out, and goes first. */
const regretOf = ({ best, cost, second }: Option): number =>
  best === -1 ? Infinity : second - cost;

const mostUrgent = (a: Option, b: Option): number =>
  a.job.latestStart - b.job.latestStart || b.job.slots * b.job.nodes - a.job.slots * a.job.nodes;

const BY_REGRET: Order = {
  prefer(a, b) {
    const [of, than] = [regretOf(a), regretOf(b)];
    return of === than ? mostUrgent(a, b) : than - of;
  },
  start: ({ best }) => best,
};

/** Some jobs before all others, most urgent first; the rest in another order. */
const firstThen = (first: ReadonlySet<string>, rest: Order): Order => ({
  prefer(a, b) {
    const [of, than] = [first.has(a.job.id), first.has(b.job.id)];
    if (of !== than) return of ? -1 : 1;
    return of ? mostUrgent(a, b) : rest.prefer(a, b);
  },
  start: rest.start,
});

const AS_THEY_COME: Order = {
  prefer: (a, b) => a.job.earliest - b.job.earliest || mostUrgent(a, b),
  start: ({ first }) => first,
};

function optionOf(job: SlotJob, free: Float64Array, sums: Float64Array): Option {
  let [best, cost, second, first] = [-1, Infinity, Infinity, -1];
  let run = 0;
  const end = Math.min(free.length, job.latestStart + job.slots);
  for (let slot = job.earliest; slot < end; slot++) {
    run = (free[slot] ?? 0) >= job.nodes ? run + 1 : 0;
    if (run < job.slots) continue;
    const start = slot - job.slots + 1;
    if (first === -1) first = start;
    const price = costOf(job, start, sums);
    if (price < cost) [best, cost, second] = [start, price, cost];
    else if (price < second) second = price;
  }
  return { job, best, cost, second, first };
}

/** Whether nodes taken by a job placed at `at` can change what another may choose. */
const touches = (job: SlotJob, placed: SlotJob, at: number): boolean =>
  at < job.latestStart + job.slots && at + placed.slots > job.earliest;

function improve(
  jobs: readonly SlotJob[],
  starts: Map<string, number>,
  free: Float64Array,
  sums: Float64Array,
): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const job of jobs) {
      const now = starts.get(job.id) ?? NaN;
      take(free, job, now, -1);
      const { best, cost } = optionOf(job, free, sums);
      const better = cost < costOf(job, now, sums) * (1 - 1e-12);
      take(free, job, better ? best : now, 1);
      if (better) starts.set(job.id, best);
      moved ||= better;
    }
  }
}

/** Takes the nodes of a job from its slots (sign 1) or gives them back (-1). */
export function take(free: Float64Array, job: SlotJob, start: number, sign: 1 | -1): void {
  for (let slot = start; slot < start + job.slots; slot++)
    free[slot] = (free[slot] ?? 0) - sign * job.nodes;
}

/** Sums of intensity up to each slot. */
export function runningSums(intensity: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(intensity.length + 1);
  for (let at = 0; at < intensity.length; at++)
    sums[at + 1] = (sums[at] ?? 0) + (intensity[at] ?? NaN);
  return sums;
}

/** Watts x intensity of a job over its slots. */
export const costOf = (job: SlotJob, start: number, sums: Float64Array): number =>
  job.watts * ((sums[start + job.slots] ?? NaN) - (sums[start] ?? NaN));
