// How much each unit of a group matters, from its weights alone: 1 is the mean of its group.

import { UserError } from "../../../core/index.ts";
import { hasRole, type Member, type PruningGroup } from "./groups.ts";
import { sumAlong } from "./sources.ts";

/** What importance is judged by. */
export type Importance =
  /** Mean over the coupled weights of the sum of |w|^p (Torch-Pruning's default: p = 2). */
  | { readonly by: "weight"; readonly p?: 1 | 2 }
  /** Factors of a normalisation (Liu et al., "Network slimming", ICCV 2017); weights where there are none. */
  | { readonly by: "scale" }
  /** |w g| summed: the first-order change of the loss (Molchanov et al., CVPR 2019). Gradients by tensor. */
  | { readonly by: "taylor"; readonly gradients: ReadonlyMap<string, ArrayLike<number>> }
  /** Error of the layers behind that least squares cannot repair, unit after unit. Needs calibration. */
  | { readonly by: "reconstruction" }
  /** w^2 times the mean square of its input (LeCun, Denker & Solla 1990). Needs calibration. */
  | { readonly by: "hessian" };

/** Scores of a group's units that need no data. */
export function scoresFromWeights(
  group: PruningGroup,
  importance: Exclude<Importance, { by: "reconstruction" | "hessian" }>,
): Float64Array {
  const members = group.members.filter(isWeight);
  const scales = group.members.filter((member) => hasRole(member, "scales"));
  switch (importance.by) {
    case "weight": {
      const p = importance.p ?? 2;
      return meanOver(group.size, [...members, ...scales], (value) => Math.abs(value) ** p);
    }
    case "scale": {
      const judged = scales.length > 0 ? scales : members;
      return meanOver(group.size, judged, (value) => Math.abs(value));
    }
    case "taylor": {
      const { gradients } = importance;
      const known = [...members, ...scales].filter(({ tensor }) => gradients.has(tensor));
      if (known.length === 0)
        throw new UserError("invalid-input", `no gradients for any weight of "${group.name}"`, {
          hint: "Take them from `meanGradients` of the same model.",
        });
      return meanOver(group.size, known, (value, position, tensor) =>
        Math.abs(value * Number(gradients.get(tensor)?.[position] ?? 0)),
      );
    }
    default:
      return importance satisfies never;
  }
}

const isWeight = (member: Member): boolean =>
  hasRole(member, "produces") || hasRole(member, "consumes");

/** The mean over members of the sums over each unit's elements. */
function meanOver(
  size: number,
  members: readonly Member[],
  of: (value: number, position: number, tensor: string) => number,
): Float64Array {
  const scores = new Float64Array(size);
  for (const { tensor, axis, source, indices } of members) {
    const sums = sumAlong(source, axis, (value, position) => of(value, position, tensor));
    for (const [unit, own] of indices.entries()) {
      const sum = own.reduce((total, index) => total + (sums[index] ?? 0), 0);
      scores[unit] = (scores[unit] ?? 0) + sum / members.length;
    }
  }
  return scores;
}

/** Scores divided by their mean, so that those of several groups can be ranked together. */
export function normalisedScores(scores: Float64Array): Float64Array {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return mean > 0 ? scores.map((score) => score / mean) : scores;
}
