// What is sought: a good metric, and little energy as a limit, as the aim itself, or as the other axis of a
// front.

import type { Observation } from "./sampler.ts";
import type { Config } from "./space.ts";

/** What one run of a configuration came to. */
export interface Outcome {
  readonly trial: number;
  readonly config: Config;
  readonly resource: number;
  /** The metric; null where the run failed or did not say. */
  readonly value: number | null;
  /** Energy of the run; null where it is not known. */
  readonly joules: number | null;
}

export interface Goal {
  readonly better: "higher" | "lower";
  readonly energy?:
    | { readonly role: "limit"; readonly joules: number }
    /** Least energy among what is good enough. */
    | { readonly role: "objective"; readonly goodEnough: number }
    | { readonly role: "front" };
}

/** The metric turned so that lower is better; Infinity for a failure. */
const badness = (goal: Goal, { value }: Outcome): number => {
  if (value === null || Number.isNaN(value)) return Number.POSITIVE_INFINITY;
  return goal.better === "lower" ? value : -value;
};

/**
 * A score for each outcome, lower is better. Outcomes that break a limit come after all that keep it, by how
 * much they break it (the rules of Deb, CMAME 186, 2000). On a front, the score is a weighted Tchebycheff
 * distance (Knowles, ParEGO, 2006) under `weight`, which a search changes from proposal to proposal, so that
 * it looks along the whole front.
 */
export function scoresOf(goal: Goal, outcomes: readonly Outcome[], weight = 0.5): number[] {
  const values = outcomes.map((outcome) => badness(goal, outcome));
  const joules = outcomes.map((outcome) => outcome.joules ?? Number.POSITIVE_INFINITY);
  switch (goal.energy?.role) {
    case undefined:
      return values;
    case "limit": {
      const { joules: limit } = goal.energy;
      return feasibleFirst(
        values,
        joules.map((used) => used / limit - 1),
      );
    }
    case "objective": {
      const { goodEnough } = goal.energy;
      const bound = goal.better === "lower" ? goodEnough : -goodEnough;
      return feasibleFirst(
        joules,
        values.map((value) => value - bound),
      );
    }
    case "front": {
      const [first, second] = [normalised(values), normalised(joules)];
      return first.map((value, at) => {
        const [a, b] = [(1 - weight) * value, weight * (second[at] as number)];
        return Math.max(a, b) + 0.05 * (a + b);
      });
    }
    default:
      throw new TypeError(goal.energy satisfies never);
  }
}

function feasibleFirst(aims: readonly number[], excess: readonly number[]): number[] {
  const feasible = aims.filter((aim, at) => (excess[at] as number) <= 0 && Number.isFinite(aim));
  const worst = Math.max(0, ...feasible);
  return aims.map((aim, at) => {
    const over = excess[at] as number;
    return over <= 0 ? aim : worst + 1 + over;
  });
}

/** To [0, 1] by the finite ones; the others stay infinite. */
function normalised(values: readonly number[]): number[] {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low;
  return values.map((value) =>
    span > 0 ? (value - low) / span : Number.isFinite(value) ? 0 : value,
  );
}

/** For a sampler: every trial once, at the largest resource that enough trials have reached. */
export function observationsOf(
  goal: Goal,
  outcomes: readonly Outcome[],
  enough: number,
  weight?: number,
): readonly Observation[] {
  const levels = [...new Set(outcomes.map(({ resource }) => resource))].sort((a, b) => b - a);
  // As BOHB does (Falkner, Klein & Hutter 2018): scores at unlike resources are not comparable.
  const level =
    levels.find((r) => outcomes.filter(({ resource }) => resource === r).length >= enough) ??
    levels.at(-1);
  const comparable = outcomes.filter(({ resource }) => resource === level);
  const scores = scoresOf(goal, comparable, weight);
  return comparable.map(({ config }, at) => ({ config, score: scores[at] as number }));
}

/** Outcomes, best first. On a front: by how many others beat them in both, then in the middle first. */
export function ranked(goal: Goal, outcomes: readonly Outcome[]): readonly Outcome[] {
  const scores = scoresOf(goal, outcomes);
  const beaten =
    goal.energy?.role === "front"
      ? outcomes.map((one) => outcomes.filter((other) => dominates(goal, other, one)).length)
      : outcomes.map(() => 0);
  return outcomes
    .map((outcome, at) => ({ outcome, score: scores[at] as number, beaten: beaten[at] as number }))
    .sort(
      (a, b) =>
        a.beaten - b.beaten || compare(a.score, b.score) || a.outcome.trial - b.outcome.trial,
    )
    .map(({ outcome }) => outcome);
}

/** Subtracting infinities gives no order. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** Whether one is at least as good in metric and energy, and better in one of them. */
function dominates(goal: Goal, one: Outcome, other: Outcome): boolean {
  const [v1, v2] = [badness(goal, one), badness(goal, other)];
  const [j1, j2] = [one.joules ?? Infinity, other.joules ?? Infinity];
  return v1 <= v2 && j1 <= j2 && (v1 < v2 || j1 < j2);
}

/** Outcomes that no other beats in both metric and energy, cheapest first; failures are never among them. */
export function paretoFront(goal: Goal, outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes
    .filter(({ value, joules }) => value !== null && joules !== null)
    .filter((one, _, all) => !all.some((other) => dominates(goal, other, one)))
    .sort((a, b) => (a.joules ?? 0) - (b.joules ?? 0));
}
