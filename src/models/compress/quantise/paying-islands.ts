// Islands of 8 bits must save more than the way into and out of them costs. Which do is measured, on this
// machine, with the profile of what ONNX Runtime really runs.

import { type Seconds, seconds } from "../../../core/index.ts";
import { profileModel } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import type { StaticQuantiser } from "./static.ts";

export interface Island {
  /** Keys of its nodes with weights. */
  readonly nodes: readonly string[];
  /** Time that a run takes less with the island in 8 bits; negative where it takes more. */
  readonly saving: Seconds;
}

export interface PayingIslands {
  readonly islands: readonly Island[];
  /** Keys of the nodes of islands that do not pay, and of those that were to stay in floats anyway. */
  readonly keepFloat: readonly string[];
}

export interface IslandOptions {
  /** Nodes that stay in floats in any case. */
  readonly keepFloat?: readonly string[];
  /** Runs of each profile. Default: 10. */
  readonly runs?: number;
}

/** Takes each island out in turn, and leaves it out where the model is then no slower. */
export async function payingIslands(
  quantiser: StaticQuantiser,
  feeds: Feeds,
  context: PassContext,
  { keepFloat = [], runs = 10 }: IslandOptions = {},
): Promise<PayingIslands> {
  let kept = keepFloat;
  let time = await timeOf(quantiser.build(kept).model, feeds, context, runs);
  const islands: Island[] = [];
  const found = quantiser.islands(kept);
  for (const [done, nodes] of found.entries()) {
    context.signal?.throwIfAborted();
    const progress = { step: `island of ${nodes.length}`, done, total: found.length };
    context.onProgress?.({ pass: "paying-islands", ...progress });
    const without = [...kept, ...nodes];
    const other = await timeOf(quantiser.build(without).model, feeds, context, runs);
    islands.push({ nodes, saving: seconds(other - time) });
    if (other > time) continue;
    kept = without;
    time = other;
  }
  return { islands, keepFloat: kept };
}

/** Sum of the least times of all nodes: what is left when nothing else disturbs. */
async function timeOf(
  model: Model,
  feeds: Feeds,
  { runtime }: PassContext,
  runs: number,
): Promise<number> {
  const { nodes } = await profileModel(model, feeds, { runtime, threads: 1, runs });
  return nodes.reduce((sum, { least }) => sum + least, 0);
}
