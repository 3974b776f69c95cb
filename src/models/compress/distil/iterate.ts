// Pruning in rounds: a little at a time, repaired and retrained on the original's answers in between,
// which keeps more than the same cut at once (Han et al., NIPS 2015; Molchanov et al., ICLR 2017).

import { UserError } from "../../../core/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { type PruneOptions, prune } from "../prune/index.ts";
import { type DistilOptions, distil } from "./distil.ts";

export interface PruneInRoundsOptions {
  /** Share of the units that are gone at the end. */
  readonly ratio: number;
  /** Default: 3. */
  readonly rounds?: number;
  readonly prune?: Omit<PruneOptions, "ratio">;
  readonly distil: Omit<DistilOptions, "teacher" | "operators" | "seed" | "kept">;
}

export interface Round {
  /** Share of the original units that are gone after it, before blocks are made whole. */
  readonly gone: number;
  /** Loss on samples left out, before and after training. */
  readonly before: number;
  readonly after: number;
}

/** Prunes by equal factors, each round followed by distillation from the original. */
export async function pruneInRounds(
  model: Model,
  context: PassContext,
  options: PruneInRoundsOptions,
): Promise<{ readonly model: Model; readonly rounds: readonly Round[] }> {
  const { ratio, rounds: count = 3 } = options;
  if (!(ratio > 0 && ratio < 1)) {
    throw new UserError("usage", `a share of ${ratio} cannot be removed`, {
      hint: "Give a number between 0 and 1, such as 0.5.",
    });
  }
  const each = (1 - ratio) ** (1 / count);
  const rounds: Round[] = [];
  let current = model;
  for (let round = 1; round <= count; round++) {
    context.signal?.throwIfAborted();
    context.onProgress?.({ pass: "prune", step: `round ${round}`, done: round - 1, total: count });
    const pruned = await prune.apply(current, context, { ...options.prune, ratio: 1 - each });
    const learned = await distil(pruned.model, {
      ...options.distil,
      operators: context.operators,
      seed: context.seed + round,
      teacher: model,
      runtime: context.runtime,
    });
    current = learned.model;
    rounds.push({ gone: 1 - each ** round, before: learned.before, after: learned.after });
  }
  return { model: current, rounds };
}
