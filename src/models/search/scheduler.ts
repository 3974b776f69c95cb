// Deciding what is run next and with how much of the resource (epochs, samples, seconds): everything in full,
// in brackets, or asynchronously.

import type { Bracket } from "./brackets.ts";

/** A configuration, by the number of its trial, to be brought to so much of the resource. */
export interface Task {
  readonly trial: number;
  readonly resource: number;
}

/** The trials, best first. What "best" is, is the caller's: a number, or a place on a front. */
export type Ranking = (trials: readonly number[], resource: number) => readonly number[];

export interface Scheduler {
  readonly name: string;
  /** What can be started now; null when nothing can before a task under way ends, or ever. */
  next(rank: Ranking): Task | null;
  /** A task has ended, well or not. */
  done(task: Task): void;
}

/** Every configuration with all of the resource. */
export function fullRuns(trials: number, resource: number): Scheduler {
  let started = 0;
  return {
    name: "full",
    next: () => (started < trials ? { trial: started++, resource } : null),
    done() {},
  };
}

/**
 * Brackets of successive halving, one after the other; while a rung waits for its last runs, the next
 * bracket's are started. Trials are numbered through all brackets.
 */
export function inBrackets(name: string, brackets: readonly Bracket[]): Scheduler {
  let firstTrial = 0;
  const states = brackets.map((rungs) => {
    const trials = Array.from(
      { length: rungs[0]?.configurations ?? 0 },
      (_, at) => firstTrial + at,
    );
    firstTrial += trials.length;
    return { rungs, rung: 0, waiting: trials, running: new Set<number>(), ended: [] as number[] };
  });
  return {
    name,
    next(rank) {
      for (const state of states) {
        const { resource } = state.rungs[state.rung] ?? { resource: 0 };
        const higher = state.rungs[state.rung + 1];
        if (state.waiting.length === 0 && state.running.size === 0 && higher !== undefined) {
          state.waiting = rank(state.ended, resource).slice(0, higher.configurations);
          state.ended = [];
          state.rung++;
        }
        const trial = state.waiting.shift();
        if (trial === undefined) continue;
        state.running.add(trial);
        return { trial, resource: state.rungs[state.rung]?.resource ?? resource };
      }
      return null;
    },
    done({ trial }) {
      const state = states.find(({ running }) => running.delete(trial));
      state?.ended.push(trial);
    },
  };
}

export interface AshaOptions {
  readonly trials: number;
  readonly least: number;
  readonly most: number;
  readonly eta?: number;
}

/**
 * Asynchronous successive halving (Li et al., A System for Massively Parallel Hyperparameter Tuning, 2020,
 * Algorithm 2): whoever is in the best 1/eta of its rung is promoted as soon as a worker is free; else a new
 * configuration starts. Nobody waits for a rung to fill.
 */
export function asha({ trials, least, most, eta = 3 }: AshaOptions): Scheduler {
  const resources: number[] = [];
  for (let r = least; r <= most * (1 + 1e-9); r *= eta) resources.push(r);
  const rungs = resources.map(() => ({ ended: [] as number[], promoted: new Set<number>() }));
  let started = 0;
  return {
    name: "asha",
    next(rank) {
      for (let level = rungs.length - 2; level >= 0; level--) {
        const { ended, promoted } = rungs[level] as (typeof rungs)[number];
        const count = Math.floor(ended.length / eta);
        const top = count === 0 ? [] : rank(ended, resources[level] as number).slice(0, count);
        const trial = top.find((one) => !promoted.has(one));
        if (trial === undefined) continue;
        promoted.add(trial);
        return { trial, resource: resources[level + 1] as number };
      }
      return started < trials ? { trial: started++, resource: resources[0] as number } : null;
    },
    done({ trial, resource }) {
      rungs[resources.findIndex((r) => Math.abs(r - resource) < 1e-9 * r)]?.ended.push(trial);
    },
  };
}
