// What is known of one way to make the model smaller.

import type { Recipe } from "./recipe.ts";

/** A recipe and what it was found to cost and lose on samples of the search. */
export interface Candidate {
  /** The recipe in words. */
  readonly name: string;
  readonly steps: Recipe["steps"];
  /** Size of the model file. */
  readonly bytes: number;
  /** Quality and drop on the rows looked at so far; the drop is of scores where higher is better. */
  readonly quality: number;
  readonly drop: number;
  /** Share of the samples looked at whose score changed. */
  readonly changed: number;
  /** Variance of the paired differences of scores. */
  readonly spread: number;
  readonly rows: number;
  /** Seconds a sample; null for those dropped before it was measured. */
  readonly cpu: number | null;
  readonly latency: number | null;
  /** CPU time over that of the tuned original, with its 95 % interval. */
  readonly ratio: { readonly value: number; readonly low: number; readonly high: number } | null;
  /** Nodes that the recipe's passes left alone, with the reason. */
  readonly refusals: number;
}

/** What can be asked to be small. */
export type Objective = "energy" | "latency" | "size";

/** The candidate's cost in the objective; lower is better, unknown is worst. */
export function costOf({ cpu, latency, bytes }: Candidate, objective: Objective): number {
  switch (objective) {
    case "energy":
      return cpu ?? Number.POSITIVE_INFINITY;
    case "latency":
      return latency ?? Number.POSITIVE_INFINITY;
    case "size":
      return bytes;
    default:
      return objective satisfies never;
  }
}

/** Each recipe once. */
export const distinct = (all: readonly Candidate[]): readonly Candidate[] => [
  ...new Map(all.map((one) => [JSON.stringify(one.steps), one])).values(),
];

/** Recipes that read alike, with other nodes in floats for instance, get numbers: reports tell by names. */
export function namedApart(all: readonly Candidate[]): readonly Candidate[] {
  const seen = new Map<string, number>();
  return all.map((candidate) => {
    const count = (seen.get(candidate.name) ?? 0) + 1;
    seen.set(candidate.name, count);
    return count === 1 ? candidate : { ...candidate, name: `${candidate.name} #${count}` };
  });
}
