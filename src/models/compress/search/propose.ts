// What to try: recipes along the front that scans of single nodes and groups predict. Prediction only
// proposes; every candidate is run.

import { reasonOf } from "../../../core/index.ts";
import { quantised } from "./eight-bits.ts";
import { type ProposeOptions, SIMPLIFIED, SIMPLIFY } from "./proposing.ts";
import type { RecipeStep } from "./recipe.ts";
import { thinned } from "./thin.ts";
import { endingAfter, isOutOfTime } from "./time.ts";
import type { Workshop } from "./workshop.ts";

/** Shares of the time that is left which each part of the proposing may take. */
const SHARES = { int8: 0.3, thinner: 0.3 } as const;

/** Recipes to try, the plain ones first. What does not come to its end in time is left out, and told. */
export async function propose(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { allow, objective } = options;
  const int8 = allow.includes("quantise");
  const recipes: (readonly RecipeStep[])[] = [[], SIMPLIFIED];
  // Formats of the file alone: nothing is gained in a run.
  if (int8 && objective === "size") {
    recipes.push([SIMPLIFY, { pass: "store-half", options: {} }]);
    recipes.push([SIMPLIFY, { pass: "cluster", options: { clusters: 256 } }]);
    recipes.push([SIMPLIFY, { pass: "cluster", options: { clusters: 16 } }]);
  }
  if (int8) {
    recipes.push([SIMPLIFY, { pass: "quantise-dynamic", options: {} }]);
    recipes.push([SIMPLIFY, { pass: "quantise-weights", options: { bits: 8 } }]);
    const share = SHARES.int8;
    recipes.push(
      ...(await inTime("quantise-static", options, share, (own) => quantised(workshop, own))),
    );
  }
  const ways = (["prune", "factorise"] as const).filter((way) => allow.includes(way));
  for (const way of ways) {
    recipes.push(
      ...(await inTime(way, options, SHARES.thinner, (own) => thinned(way, workshop, own))),
    );
  }
  return recipes;
}

/** What the work proposes in its share of the time; nothing where there is none for it, or it fails. */
async function inTime(
  what: string,
  options: ProposeOptions,
  share: number,
  work: (own: ProposeOptions) => Promise<readonly (readonly RecipeStep[])[]>,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { secondsLeft, onRefused, context } = options;
  const [whole, start] = [share * secondsLeft(), secondsLeft()];
  if (start <= 0) {
    onRefused(what, "there was no time left to look into it");
    return [];
  }
  const signal = endingAfter(whole, context.signal);
  const own = {
    ...options,
    context: { ...context, signal },
    secondsLeft: () => whole - (start - secondsLeft()),
  };
  try {
    return await work(own);
  } catch (error) {
    context.signal?.throwIfAborted();
    onRefused(what, isOutOfTime(error) ? "its share of the time was over" : reasonOf(error));
    return [];
  }
}
