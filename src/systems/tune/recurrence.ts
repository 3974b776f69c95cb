// A job that comes again and again, tuned as it comes, on recorded runs: what the tuner would have cost
// and saved. The first run at a batch size profiles the power limits within its first epoch; a run is
// stopped before the epoch that would take it over `beta` times the best cost; a failed run is tried again.

import { createRandom, type Random, UserError } from "../../core/index.ts";
import { bestLimit, costOf, epochCost, type Preference } from "./cost.ts";
import { newTuner, nextBatch, observed } from "./tuner.ts";
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
  const preference = { eta: options.eta, highestLimit: highestLimit(workload) };
  const profiled = new Set<number>();
  let tuner = newTuner(
    workload.batches.map(({ batch }) => batch),
    workload.defaultBatch,
  );
  let lowest = Infinity;
  const comings: Recurrence[] = [];
  while (comings.length < options.times) {
    let [seconds, joules, cost] = [0, 0, 0];
    for (let tries = 1; ; tries++) {
      if (tries > MOST_TRIES) throw unreachable(workload);
      const batch = nextBatch(tuner, random);
      const record = recordOf(workload, batch);
      const profile = bestLimit(preference, record.profiles);
      const allowance = options.beta * lowest;
      const most = Math.min(
        workload.mostEpochs,
        Math.floor(allowance / epochCost(preference, profile)),
      );
      if (most === 0) {
        // Not one epoch is affordable: it never ran, and is remembered as very dear.
        tuner = observed(tuner, { batch, cost: 100 * allowance, reached: false });
        continue;
      }
      const first = profiled.has(batch) ? profile : meanOf(record.profiles);
      profiled.add(batch);
      const run = train(record, { profile, first, most }, random);
      seconds += run.seconds;
      joules += run.joules;
      const spent = costOf(preference, run.seconds, run.joules);
      cost += spent;
      tuner = observed(tuner, { batch, cost: spent, reached: run.reached });
      if (!run.reached) continue;
      lowest = Math.min(lowest, cost);
      comings.push({ batch, limit: profile.limit, seconds, joules, cost });
      break;
    }
  }
  return comings;
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
