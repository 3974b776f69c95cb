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
 * First those whose drop the verification may well show, cheapest first: one that fails costs little, and
 * behind a dearer one that holds nothing is tried any more.
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
    return normalProbability((maxDrop - drop - z * Math.sqrt(there)) / Math.sqrt(here + there));
  };
  const within = gains.filter(({ drop }) => drop <= Math.max(0, maxDrop));
  const cheapest = (list: readonly Candidate[]) =>
    list.toSorted((a, b) => costOf(a, objective) - costOf(b, objective));
  const hopeful = within.filter((of) => chanceOf(of) >= HOPE);
  const others = within.filter((of) => !hopeful.includes(of));
  return [...cheapest(hopeful), ...cheapest(others)];
}
