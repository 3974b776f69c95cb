// The search itself: workers take tasks from the scheduler, configurations from the sampler, and put what
// came out before both. What is already known (from an earlier, interrupted search) is not run again.

import {
  createRandom,
  type Joules,
  joules as joulesOf,
  total,
  UserError,
} from "../../core/index.ts";
import { type Goal, type Outcome, observationsOf, paretoFront, ranked } from "./goal.ts";
import type { Sampler } from "./sampler.ts";
import type { Scheduler, Task } from "./scheduler.ts";
import type { Config, Space } from "./space.ts";

/** What a worker is given. */
export interface Assignment extends Task {
  readonly config: Config;
}

export interface SearchOptions {
  readonly space: Space;
  readonly sampler: Sampler;
  readonly scheduler: Scheduler;
  readonly goal: Goal;
  readonly seed: number;
  /** Tasks at a time. Results depend on the order in which they end; with one worker they repeat. */
  readonly workers?: number;
  /** Runs one task. A rejection ends the search; a run that failed is an outcome of value null. */
  readonly evaluate: (
    assignment: Assignment,
    signal: AbortSignal,
  ) => Promise<Pick<Outcome, "value" | "joules">>;
  /** Outcomes of this search from before, in the order in which they came. */
  readonly known?: readonly Outcome[];
  /** No task is started once the search has used more. Needs outcomes with energies. */
  readonly maxEnergy?: Joules;
  readonly signal?: AbortSignal;
  readonly onOutcome?: (outcome: Outcome, all: readonly Outcome[]) => void;
}

export interface SearchResult {
  /** In the order in which they came. */
  readonly outcomes: readonly Outcome[];
  /** Best at the largest resource that was reached; null when nothing succeeded. */
  readonly best: Outcome | null;
  /** Metric against energy, at that resource. */
  readonly front: readonly Outcome[];
  /** Energy of the whole search, failures included; null when that of a run is not known. */
  readonly energy: Joules | null;
  readonly stopped: "done" | "energy" | "aborted";
}

/** Runs a search to its end, its energy, or an abort. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { workers = 1, signal } = options;
  if (!(Number.isInteger(workers) && workers > 0)) {
    throw new UserError("usage", `${workers} workers`, { hint: "Give a whole number above 0." });
  }
  const run = startRun(options);
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const running = new Set<Promise<void>>();
  try {
    for (;;) {
      const task = mayStart(run) && running.size < workers ? nextTask(run) : null;
      if (task !== null) {
        const work: Promise<void> = perform(run, task, stop.signal).finally(() =>
          running.delete(work),
        );
        running.add(work);
        continue;
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(running);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  return resultOf(run);
}

interface Run {
  readonly options: SearchOptions;
  readonly outcomes: Outcome[];
  readonly known: ReadonlyMap<string, Outcome>;
  readonly configs: Map<number, Config>;
}

function startRun(options: SearchOptions): Run {
  const known = new Map((options.known ?? []).map((outcome) => [keyOf(outcome), outcome]));
  // A trial that was begun goes on with the configuration it had, whatever order things came in.
  const configs = new Map((options.known ?? []).map(({ trial, config }) => [trial, config]));
  return { options, outcomes: [], known, configs };
}

const keyOf = ({ trial, resource }: Task): string => `${trial}@${resource}`;

function mayStart({ options, outcomes }: Run): boolean {
  if (options.signal?.aborted) return false;
  if (options.maxEnergy === undefined) return true;
  const energy = energyOf(outcomes);
  if (energy !== null) return energy < options.maxEnergy;
  throw new UserError("nothing-measured", "a run of the search has no energy to count", {
    hint: "Leave out the bound on energy, or see why with `godwit doctor`.",
  });
}

function nextTask({ options, outcomes }: Run): Task | null {
  const { goal, scheduler } = options;
  return scheduler.next((trials, resource) =>
    ranked(
      goal,
      outcomes.filter((outcome) => outcome.resource === resource && trials.includes(outcome.trial)),
    )
      // A run that failed is not worth more of the resource.
      .filter(({ value }) => value !== null)
      .map(({ trial }) => trial),
  );
}

async function perform(run: Run, task: Task, signal: AbortSignal): Promise<void> {
  const { options, outcomes, known } = run;
  const config = configOf(run, task.trial);
  const before = known.get(keyOf(task));
  if (before === undefined) {
    const { value, joules } = await options.evaluate({ ...task, config }, signal);
    if (signal.aborted) return;
    outcomes.push({ ...task, config, value, joules });
  } else outcomes.push(before);
  options.scheduler.done(task);
  const last = outcomes.at(-1);
  if (last !== undefined && before === undefined) options.onOutcome?.(last, outcomes);
}

/** Distance between the seeds of neighbouring trials. */
const STRIDE = 1_000_003;

function configOf({ options, outcomes, configs }: Run, trial: number): Config {
  const present = configs.get(trial);
  if (present !== undefined) return present;
  const { space, sampler, goal, seed } = options;
  const random = createRandom(seed * STRIDE + trial);
  const enough = Object.keys(space).length + 2;
  const observed = observationsOf(goal, outcomes, enough, random.uniform());
  const config = sampler.propose(space, observed, random);
  configs.set(trial, config);
  return config;
}

function resultOf({ options, outcomes }: Run): SearchResult {
  const { goal, signal, maxEnergy } = options;
  const succeeded = outcomes.filter(({ value }) => value !== null);
  const most = Math.max(...succeeded.map(({ resource }) => resource));
  const final = succeeded.filter(({ resource }) => resource === most);
  const energy = energyOf(outcomes);
  const spent = maxEnergy !== undefined && (energy ?? 0) >= maxEnergy;
  return {
    outcomes,
    best: ranked(goal, final)[0] ?? null,
    front: paretoFront(goal, final),
    energy,
    stopped: signal?.aborted ? "aborted" : spent ? "energy" : "done",
  };
}

/** Null when one of them is not known: a sum without it would be too small. */
function energyOf(outcomes: readonly Outcome[]): Joules | null {
  const used = outcomes.map(({ joules }) => joules);
  if (used.includes(null)) return null;
  return total(used.map((joules) => joulesOf(joules ?? 0)));
}
