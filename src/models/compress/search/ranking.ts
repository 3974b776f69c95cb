// In which order candidates go on, and how many of them.

import type { Candidate } from "./candidate.ts";
import type { RecipeStep } from "./recipe.ts";
import type { SearchOptions } from "./search-options.ts";

/** Candidates that are measured and judged on all rows. */
export const FINAL = 8;

/** The first so many, and the simplified original: it is what there is where nothing else holds. */
export function bestOf(ranked: readonly Candidate[], count: number): readonly Candidate[] {
  const plain = ranked.slice(count).filter((of) => isPlain(of) && of.steps.length > 0);
  return [...ranked.slice(0, count), ...plain];
}

/** The original, and the simplified one. */
const isPlain = ({ steps }: Candidate): boolean => steps.length <= 1;

/**
 * Those within the budget, smallest file first as the cheapest guess of cost, then the others by how far
 * they miss it.
 */
export function rankedOf(
  candidates: readonly Candidate[],
  { maxDrop }: Pick<SearchOptions, "maxDrop">,
): readonly Candidate[] {
  const fits = (of: Candidate): boolean => isWithin(of, maxDrop);
  const plain = candidates.filter((of) => isPlain(of) && of.steps.length > 0);
  const others = candidates.filter((of) => !isPlain(of));
  return [
    ...inTurns(
      others.filter(fits).sort((a, b) => a.bytes - b.bytes),
      ({ steps }) => steps,
    ),
    ...plain,
    ...others.filter((of) => !fits(of)).sort((a, b) => a.drop - b.drop),
  ];
}

/** The first of each way to make a model smaller, then the second of each: variants of one way are many. */
export function inTurns<T>(
  all: readonly T[],
  stepsOf: (one: T) => readonly RecipeStep[],
): readonly T[] {
  const places = new Map<string, number>();
  const turns = all.map((one) => {
    const way = stepsOf(one)
      .map(({ pass }) => pass)
      .join();
    const place = places.get(way) ?? 0;
    places.set(way, place + 1);
    return { one, place };
  });
  return turns.toSorted((a, b) => a.place - b.place).map(({ one }) => one);
}

/** Whether the drop may be within the budget, chance allowed for. */
export const isWithin = (of: Candidate, maxDrop: number): boolean =>
  of.drop <= maxDrop + slackOf(of);

/** What chance alone may add to a drop on so few rows. */
const slackOf = ({ spread, rows }: Candidate): number => Math.sqrt(spread / Math.max(1, rows));
