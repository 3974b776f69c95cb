// Recipes next to a good one: the curve of accuracy over nodes in 8 bits is not monotone, so the best one
// is looked around.

import type { Candidate } from "./candidate.ts";
import type { RecipeStep } from "./recipe.ts";

/** Neighbours that are tried. */
const MOST = 6;

/** The recipe with one node fewer, or one more, in floats; those more are nodes that others left so. */
export function neighboursOf(
  { steps }: Candidate,
  all: readonly Candidate[],
): readonly (readonly RecipeStep[])[] {
  const last = steps.at(-1);
  if (last?.pass !== "quantise-static") return [];
  const before = steps.slice(0, -1);
  const own = keptIn(last);
  const others = all.flatMap(({ steps: theirs }) => {
    const end = theirs.at(-1);
    return end?.pass === "quantise-static" ? keptIn(end) : [];
  });
  // The nodes that most recipes leave in floats are the most sensitive ones.
  const counts = new Map<string, number>();
  for (const key of others) counts.set(key, (counts.get(key) ?? 0) + 1);
  const bySensitivity = [...counts.keys()].sort(
    (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0),
  );
  const more = bySensitivity.filter((key) => !own.includes(key)).slice(0, MOST / 2);
  const fewer = bySensitivity
    .filter((key) => own.includes(key))
    .reverse()
    .slice(0, MOST / 2);
  const withKept = (keepFloat: readonly string[]): readonly RecipeStep[] => [
    ...before,
    { ...last, options: { ...last.options, keepFloat: keepFloat.toSorted() } },
  ];
  return [
    ...fewer.map((key) => withKept(own.filter((other) => other !== key))),
    ...more.map((key) => withKept([...own, key])),
  ];
}

const keptIn = ({ options }: RecipeStep): readonly string[] =>
  (options["keepFloat"] as readonly string[] | undefined) ?? [];
