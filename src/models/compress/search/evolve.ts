// (mu + lambda) evolution of recipes: children of good recipes are judged, and the best of parents and children
// go on. Unlike local search it changes several things at once and joins what two recipes found apart.

import type { Random } from "../../../core/index.ts";
import type { Candidate } from "./candidate.ts";
import { type Point, selectBest } from "./nsga.ts";
import type { RecipeStep } from "./recipe.ts";
import { childOf, type Knobs } from "./vary.ts";

export interface EvolveOptions {
  readonly knobs: Knobs;
  /** Judges a generation; what cannot be built or run is missing in the answer. */
  readonly judge: (
    recipes: readonly (readonly RecipeStep[])[],
    generation: number,
  ) => Promise<readonly Candidate[]>;
  /** What candidates are compared in. */
  readonly pointOf: (candidate: Candidate) => Point;
  readonly random: Random;
  /** Asked before each generation. */
  readonly goOn: () => boolean;
  /** Default: 40. */
  readonly generations?: number;
}

/** Candidates that go on (mu), and new ones of a generation (lambda). */
export const PARENTS = 12;
const CHILDREN = 8;

const GENERATIONS = 40;

/** Generations without a new one among the best after which it ends. */
const PATIENCE = 5;

/** How often chance is asked for a recipe that is not known yet. */
const ATTEMPTS = 20;

/** The best that it comes to, best first; no recipe is judged twice. */
export async function evolve(
  start: readonly Candidate[],
  options: EvolveOptions,
): Promise<readonly Candidate[]> {
  const { judge, goOn, pointOf, generations = GENERATIONS } = options;
  const known = new Set(start.map(keyOf));
  const best = (all: readonly Candidate[]): readonly Candidate[] =>
    selectBest(all.map(pointOf), PARENTS).flatMap((at) => all[at] ?? []);
  let parents = best(start);
  let idle = 0;
  for (let generation = 1; generation <= generations && idle < PATIENCE; generation++) {
    if (parents.length === 0 || !goOn()) break;
    const children = childrenOf(parents, known, options);
    if (children.length === 0) break;
    const next = best([...parents, ...(await judge(children, generation))]);
    idle = next.every((one) => parents.includes(one)) ? idle + 1 : 0;
    parents = next;
  }
  return parents;
}

const keyOf = ({ steps }: { readonly steps: readonly RecipeStep[] }): string =>
  JSON.stringify(steps);

/** New recipes of parents drawn by tournaments of two: the one that stands first wins. */
function childrenOf(
  parents: readonly Candidate[],
  known: Set<string>,
  { knobs, random }: EvolveOptions,
): readonly (readonly RecipeStep[])[] {
  const drawn = (): readonly RecipeStep[] => {
    const place = Math.min(random.integer(parents.length), random.integer(parents.length));
    return parents[place]?.steps ?? [];
  };
  const children: (readonly RecipeStep[])[] = [];
  for (let attempt = 0; attempt < ATTEMPTS * CHILDREN; attempt++) {
    if (children.length === CHILDREN) break;
    const child = childOf([drawn(), drawn()], knobs, random);
    if (known.has(keyOf({ steps: child }))) continue;
    known.add(keyOf({ steps: child }));
    children.push(child);
  }
  return children;
}
