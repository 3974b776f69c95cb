// Easy samples first: how much of the data, sorted by difficulty, a step may draw from (Platanios et al.,
// Competence-based Curriculum Learning, 2019).

import type { Random } from "../../../core/index.ts";
import { shuffled } from "../../data/index.ts";

/** The share of the data that is in use at a share of the curriculum's duration, both in [0, 1]. */
export type Pacing = (progress: number) => number;

/** c(t) = min(1, t (1 - c0) / T + c0) (Platanios et al., equation 6). */
export const linearPacing =
  (start: number): Pacing =>
  (t) =>
    Math.min(1, t * (1 - start) + start);

/**
 * c(t) = min(1, (t (1 - c0^p) / T + c0^p)^(1/p)) (Platanios et al., equation 8; the square root of equation 7
 * for p = 2): each new sample gets as much time as the ones before it.
 */
export const rootPacing =
  (start: number, p = 2): Pacing =>
  (t) =>
    Math.min(1, (t * (1 - start ** p) + start ** p) ** (1 / p));

/** Rows from the easiest to the hardest; equals in their order. */
export const byDifficulty = (difficulty: ArrayLike<number>): number[] =>
  Array.from(difficulty, (_, row) => row).sort(
    (a, b) => (difficulty[a] as number) - (difficulty[b] as number) || a - b,
  );

/**
 * The rows of an epoch, for `order` of `fit`: passes over the easiest rows that the pacing allows, each
 * shuffled, until there are as many as a whole epoch takes. The curriculum ends after `duration` epochs; from
 * there on all rows are in use.
 */
export function curriculum(
  order: readonly number[],
  { duration, pacing }: { readonly duration: number; readonly pacing: Pacing },
): (epoch: number, random: Random) => number[] {
  return (epoch, random) => {
    const share = pacing(Math.min(1, epoch / duration));
    const open = order.slice(0, Math.max(1, Math.round(share * order.length)));
    const rows: number[] = [];
    while (rows.length < order.length) rows.push(...shuffled(open, random));
    return rows.slice(0, order.length);
  };
}
