// A job that comes again and again, tuned as it comes, on recorded runs: what the tuner would have cost
// and saved. The first run at a batch size profiles the power limits within its first epoch; a run is
// stopped before the epoch that would take it over `beta` times the best cost; a failed run is tried again.

import { createRandom, type Random, UserError } from "../../core/index.ts";
import { bestLimit, costOf, epochCost, type Preference } from "./cost.ts";
import { newTuner, nextBatch, observed, type Tuner } from "./tuner.ts";
import {
  type BatchRecord,
  type EpochProfile,
  highestLimit,
  settingsOf,
  type Workload,
} from "./workload.ts";

export interface RecurrenceOptions {
  /** Weight of energy against time, [0, 1]. */
  readonly eta: number;
  /** A run is stopped at this many times the best cost so far. */
  readonly beta: number;
  /** How often the job comes. */
  readonly times: number;
  readonly seed: number;
}

/** One coming of the job: all its tries together. */
export interface Recurrence {
  /** Batch size and limit of the try that reached the target. */
  readonly batch: number;
  readonly limit: number;
  readonly seconds: number;
  readonly joules: number;
  readonly cost: number;
}

const MOST_TRIES = 20;

/** Every coming of the job in order. */
export function recur(workload: Workload, options: RecurrenceOptions): readonly Recurrence[] {
  const random = createRandom(options.seed);
  const choices = workload.batches.map(({ batch }) => batch);
  let known: Known = {
    tuner: newTuner(choices, workload.defaultBatch),
    profiled: [],
    lowest: Infinity,
  };
  const comings: Recurrence[] = [];
  while (comings.length < options.times) {
    const { coming, after } = come(workload, options, known, random);
    comings.push(coming);
    known = after;
  }
  return comings;
}

/** What earlier comings have taught. */
interface Known {
  readonly tuner: Tuner;
  /** Batch sizes whose power limits have been profiled. */
  readonly profiled: readonly number[];
  /** Cost of the cheapest coming so far. */
  readonly lowest: number;
}

/** One coming of the job: tries until one reaches the target. */
function come(workload: Workload, { eta, beta }: RecurrenceOptions, before: Known, random: Random) {
  const preference = { eta, highestLimit: highestLimit(workload) };
  const allowance = beta * before.lowest;
  let { tuner, profiled } = before;
  let [seconds, joules, cost] = [0, 0, 0];
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const batch = nextBatch(tuner, random);
    const record = recordOf(workload, batch);
    const profile = bestLimit(preference, record.profiles);
    const affordable = Math.floor(allowance / epochCost(preference, profile));
    if (affordable === 0) {
      // Not one epoch may be spent: it never ran, and is remembered as very dear.
      tuner = observed(tuner, { batch, cost: 100 * allowance, reached: false });
      continue;
    }
    const first = profiled.includes(batch) ? profile : meanOf(record.profiles);
    const most = Math.min(workload.mostEpochs, affordable);
    const run = train(record, { profile, first, most }, random);
    const spent = costOf(preference, run.seconds, run.joules);
    profiled = [...new Set([...profiled, batch])];
    tuner = observed(tuner, { batch, cost: spent, reached: run.reached });
    [seconds, joules, cost] = [seconds + run.seconds, joules + run.joules, cost + spent];
    if (!run.reached) continue;
    const coming: Recurrence = { batch, limit: profile.limit, seconds, joules, cost };
    return { coming, after: { tuner, profiled, lowest: Math.min(before.lowest, cost) } };
  }
  throw unreachable(workload);
}

function unreachable({ name }: Workload): UserError {
  return new UserError("invalid-input", `${name} did not reach its target in ${MOST_TRIES} tries`, {
    hint: "Its target may be out of reach, or its default batch size may fail.",
  });
}

function recordOf({ name, batches }: Workload, batch: number): BatchRecord {
  const record = batches.find((one) => one.batch === batch);
  if (record === undefined) throw new RangeError(`${name} has no batch size ${batch}`);
  return record;
}

/** The first epoch of a batch size, spent in equal parts at each limit. */
function meanOf(profiles: readonly EpochProfile[]): Epoch {
  const mean = (of: (one: EpochProfile) => number): number =>
    profiles.reduce((sum, one) => sum + of(one), 0) / profiles.length;
  const seconds = mean((one) => one.seconds);
  return { seconds, watts: mean((one) => one.seconds * one.watts) / seconds };
}

type Epoch = Pick<EpochProfile, "seconds" | "watts">;

interface Allowed {
  readonly profile: Epoch;
  readonly first: Epoch;
  readonly most: number;
}

/** One recorded run, drawn at random, cut at the epochs it is allowed. */
function train({ epochs }: BatchRecord, { profile, first, most }: Allowed, random: Random) {
  const needed = epochs[random.integer(epochs.length)] ?? Infinity;
  const reached = needed <= most;
  const count = reached ? needed : most;
  return {
    reached,
    seconds: first.seconds + (count - 1) * profile.seconds,
    joules: first.seconds * first.watts + (count - 1) * profile.seconds * profile.watts,
  };
}

/** Mean cost of the best setting, known from the start: what regret is counted against. */
export function oracleCost(workload: Workload, eta: number): number {
  const preference: Preference = { eta, highestLimit: highestLimit(workload) };
  const costs = settingsOf(workload).map((one) => costOf(preference, one.seconds, one.joules));
  return Math.min(...costs);
}
