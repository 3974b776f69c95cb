// The history of a recurring job, as its cards tell it, and what follows from it: which batch size comes next,
// what may be spent on it, and the settings among which a user may choose.

import { createRandom } from "../../core/index.ts";
import { costOf, type Preference } from "./cost.ts";
import { newTuner, nextBatch, observed, type Tuner } from "./tuner.ts";
import type { EpochProfile, Setting } from "./workload.ts";

/** One run of the job. */
export interface TunedRun {
  readonly batch: number;
  /** Limit that it ran at after profiling; null where limits were left alone. */
  readonly limit: number | null;
  /** To the target, or to its end. */
  readonly seconds: number;
  readonly joules: number;
  readonly reached: boolean;
  /** Profiles that were taken in it. */
  readonly profiles: readonly EpochProfile[];
}

export interface RecurringOptions extends Preference {
  readonly batches: readonly number[];
  readonly defaultBatch: number;
  /** A run is stopped at this many times the best cost so far. */
  readonly beta: number;
  /** Only the last so many costs of a batch size count; 0 is all. */
  readonly window: number;
  /** Most time more than the default batch size takes: 0.05 is 5 %; Infinity for any. */
  readonly slowdown: number;
  readonly seed: number;
}

export interface NextRun {
  readonly batch: number;
  readonly phase: Tuner["phase"];
  /** Cost in joules (`costOf`) at which it is stopped; Infinity for the first. */
  readonly allowance: number;
  /** Profiles of this batch size from earlier runs, the newest. */
  readonly profiles: readonly EpochProfile[];
  /** Batch sizes that were left out because they take too long. */
  readonly tooSlow: readonly number[];
}

/** What to run next, after these runs, oldest first. */
export function nextRun(history: readonly TunedRun[], options: RecurringOptions): NextRun {
  const known = history.filter(({ batch }) => options.batches.includes(batch));
  let tuner = newTuner(options.batches, options.defaultBatch, { window: options.window });
  for (const run of known)
    tuner = observed(tuner, {
      batch: run.batch,
      cost: costOf(options, run.seconds, run.joules),
      reached: run.reached,
    });
  const tooSlow = tuner.phase === "sampling" ? slowOnes(known, options) : [];
  const arms = tuner.arms.filter(({ batch }) => !tooSlow.includes(batch));
  const allowed = arms.length === 0 ? tuner : { ...tuner, arms };
  const batch = nextBatch(allowed, createRandom(options.seed + known.length));
  const costs = known
    .filter(({ reached }) => reached)
    .map(({ seconds, joules }) => costOf(options, seconds, joules));
  return {
    ...{ batch, phase: tuner.phase, tooSlow },
    allowance: costs.length === 0 ? Infinity : options.beta * Math.min(...costs),
    profiles:
      known.findLast((run) => run.batch === batch && run.profiles.length > 0)?.profiles ?? [],
  };
}

/** Batch sizes whose mean time to the target is beyond what the default's allows. */
function slowOnes(
  runs: readonly TunedRun[],
  { batches, defaultBatch, slowdown }: RecurringOptions,
): readonly number[] {
  const meanTime = (batch: number): number => {
    const times = runs
      .filter((run) => run.reached && run.batch === batch)
      .map((run) => run.seconds);
    return times.reduce((sum, seconds) => sum + seconds, 0) / times.length;
  };
  const longest = meanTime(defaultBatch) * (1 + slowdown);
  return batches.filter((batch) => batch !== defaultBatch && meanTime(batch) > longest);
}

/** Means over the runs of each setting that reached the target: what a Pareto front is made of. */
export function settingsSeen(
  history: readonly TunedRun[],
): readonly (Setting & { runs: number })[] {
  const groups = new Map<string, TunedRun[]>();
  for (const run of history.filter(({ reached }) => reached)) {
    const key = `${run.batch} ${run.limit}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    if (first === undefined) return [];
    const mean = (of: (run: TunedRun) => number): number =>
      runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
    return [
      {
        ...{ batch: first.batch, limit: first.limit ?? NaN, runs: runs.length },
        seconds: mean(({ seconds }) => seconds),
        joules: mean(({ joules }) => joules),
      },
    ];
  });
}
