// Which candidates are worth one of the few verifications, and in which order.

import { normalProbability, normalQuantile } from "../../../core/index.ts";
import { type Candidate, costOf, type Objective } from "./candidate.ts";

interface Verification {
  readonly objective: Objective;
  /** Largest drop that is accepted. */
  readonly maxDrop: number;
  /** Chance of a wrong claim in the first verification. */
  readonly alpha: number;
  /** Samples that are verified on. */
  readonly verified: number;
}

/** The least chance with which a candidate is worth one of the few verifications. */
const HOPE = 0.25;

/**
 * Cheaper than the original beyond noise (or smaller, where size is what counts) and within the budget.
 * First those whose drop the verification may well show, cheapest first: behind a dearer one that holds
 * nothing is tried any more. Of those that cost the same as far as was measured the likeliest goes first, since
 * each verification that fails takes its time and leaves less chance of error to the next.
 */
export function finalistsOf(
  candidates: readonly Candidate[],
  { objective, maxDrop, alpha, verified }: Verification,
): readonly Candidate[] {
  const gains = candidates.filter(({ ratio, steps }) =>
    objective === "size" ? steps.length > 0 : ratio !== null && ratio.high < 1,
  );
  const z = normalQuantile(1 - alpha);
  // What was found here is uncertain itself, and so is what the verification will find.
  const chanceOf = ({ drop, spread, rows, changed }: Candidate): number => {
    if (changed === 0) return 1;
    const [here, there] = [spread / Math.max(1, rows), spread / Math.max(1, verified)];
    // The best of many is better than it is: what reads more right than the original was lucky here.
    const expected = Math.max(0, drop);
    return normalProbability((maxDrop - expected - z * Math.sqrt(there)) / Math.sqrt(here + there));
  };
  const within = gains.filter(({ drop }) => drop <= Math.max(0, maxDrop));
  const cheapest = within.toSorted((a, b) => costOf(a, objective) - costOf(b, objective));
  const hopeful = cheapest.filter((of) => chanceOf(of) >= HOPE);
  const others = cheapest.filter((of) => !hopeful.includes(of));
  return [...likeliestFirst(hopeful, objective, chanceOf), ...others];
}

/** Of the cheapest one and those within its noise the likeliest, then so on with the rest. */
function likeliestFirst(
  cheapestFirst: readonly Candidate[],
  objective: Objective,
  chanceOf: (of: Candidate) => number,
): readonly Candidate[] {
  const [cheapest] = cheapestFirst;
  if (cheapest === undefined) return [];
  const noise = objective === "size" ? 1 : noiseOf(cheapest);
  const alike = cheapestFirst.filter(
    (of) => costOf(of, objective) <= noise * costOf(cheapest, objective),
  );
  const likeliest = alike.reduce((best, of) => (chanceOf(of) > chanceOf(best) ? of : best));
  const rest = cheapestFirst.filter((of) => of !== likeliest);
  return [likeliest, ...likeliestFirst(rest, objective, chanceOf)];
}

/** How many times what was measured the cost may be. */
const noiseOf = ({ ratio }: Candidate): number => (ratio === null ? 1 : ratio.high / ratio.value);
