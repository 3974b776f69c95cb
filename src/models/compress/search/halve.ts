// Successive halving: the worse half is dropped on each slice, the slices grow (Jamieson & Talwalkar 2016).

import { assess, type Bench } from "./assess.ts";
import type { Candidate } from "./candidate.ts";
import { bestOf, FINAL, rankedOf } from "./ranking.ts";
import type { RecipeStep } from "./recipe.ts";
import type { SearchUnderWay } from "./search-options.ts";
import { beforeTheEnd, endingAfter } from "./time.ts";

/** Rows of the rungs: the next rung sees all rows of the one before. */
export const FIRST_RUNG = 32;
export const RUNG_FACTOR = 4;

/** Candidates best first, as the last slice that there was time for shows them. */
export async function halve(
  recipes: readonly (readonly RecipeStep[])[],
  bench: Bench,
  options: SearchUnderWay,
): Promise<readonly Candidate[]> {
  const { splits, onEvent, onRefused, secondsLeft } = options;
  let alive = recipes;
  let judged: readonly Candidate[] = [];
  let rung = Math.min(FIRST_RUNG, splits.search.length);
  for (;;) {
    const rows = splits.search.slice(0, rung);
    onEvent({ kind: "stage", stage: `judging on ${rung} samples`, total: alive.length });
    const seen: Candidate[] = [];
    for (const [done, steps] of alive.entries()) {
      bench.signal?.throwIfAborted();
      // Without time what the last rung said stands; two are judged in any case.
      const isFirst = judged.length === 0 && seen.length < 2;
      if (secondsLeft() <= 0 && !isFirst) break;
      const own = isFirst ? bench : { ...bench, signal: endingAfter(secondsLeft(), bench.signal) };
      const candidate = await beforeTheEnd(() => assess(steps, rows, own, onRefused));
      if (candidate === null) continue;
      seen.push(candidate);
      onEvent({ kind: "candidate", candidate, done: done + 1 });
    }
    if (seen.length > 0 || judged.length === 0) judged = seen;
    const ranked = rankedOf(judged, options);
    if (rung >= splits.search.length || secondsLeft() <= 0) return ranked;
    rung = nextRung(rung, splits.search.length);
    alive = bestOf(ranked, Math.max(FINAL, Math.ceil(ranked.length / 2))).map(({ steps }) => steps);
  }
}

/** A last rung that hardly adds rows would judge all the others once more. */
const nextRung = (rung: number, all: number): number =>
  2 * rung * RUNG_FACTOR > all ? all : rung * RUNG_FACTOR;
