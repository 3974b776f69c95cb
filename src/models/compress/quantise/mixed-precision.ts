// Which nodes stay in floats so that a score is kept. The most sensitive nodes are proposed first, but the
// score does not fall steadily with their number, so every proposal is verified.

import type { Model } from "../../../onnx/index.ts";
import type { Change, PassContext } from "../pass.ts";
import type { Sensitivity } from "./sensitivity.ts";
import type { StaticQuantiser } from "./static.ts";

export interface MixOptions {
  /** Scores a model; higher is better. */
  readonly evaluate: (model: Model) => Promise<number>;
  /** The least score that will do. */
  readonly least: number;
  /** Evaluations at most. Default: 40. */
  readonly trials?: number;
}

/** One model that was scored. */
export interface MixTrial {
  readonly keepFloat: readonly string[];
  readonly score: number;
}

export interface Mix {
  /** Keys of the nodes in floats; null where nothing that was tried will do. */
  readonly keepFloat: readonly string[] | null;
  /** The model; null where nothing will do. */
  readonly model: Model | null;
  readonly changes: readonly Change[];
  readonly trials: readonly MixTrial[];
}

const MOST_TRIALS = 40;

/**
 * Starts from everything in 8 bits, keeps ever more of the most sensitive nodes in floats until the score
 * will do, then tries to put each of them back, those with most weights first.
 */
export async function mixPrecision(
  quantiser: StaticQuantiser,
  ranking: readonly Sensitivity[],
  { evaluate, least, trials: most = MOST_TRIALS }: MixOptions,
  context: Pick<PassContext, "signal" | "onProgress"> = {},
): Promise<Mix> {
  const trials: MixTrial[] = [];
  const holds = async (keepFloat: readonly string[]): Promise<boolean> => {
    context.signal?.throwIfAborted();
    const score = await evaluate(quantiser.build(keepFloat).model);
    trials.push({ keepFloat, score });
    const progress = { step: `${keepFloat.length} nodes in floats`, total: most };
    context.onProgress?.({ pass: "mix-precision", done: trials.length, ...progress });
    return score >= least;
  };
  const worstFirst = ranking.toSorted((a, b) => b.error - a.error);
  let kept: readonly Sensitivity[] | null = null;
  for (const count of proposals(worstFirst.length)) {
    if (trials.length >= most) break;
    const proposal = worstFirst.slice(0, count);
    if (await holds(keysOf(proposal))) {
      kept = proposal;
      break;
    }
  }
  if (kept === null) return { keepFloat: null, model: null, changes: [], trials };
  for (const node of kept.toSorted((a, b) => b.weights - a.weights)) {
    if (trials.length >= most) break;
    const without: readonly Sensitivity[] = kept.filter((other) => other !== node);
    if (await holds(keysOf(without))) kept = without;
  }
  const keepFloat = keysOf(kept);
  return { keepFloat, ...quantiser.build(keepFloat), trials };
}

const keysOf = (nodes: readonly Sensitivity[]): readonly string[] => nodes.map(({ key }) => key);

/** How many nodes are kept in floats in turn: one by one at first, then in growing steps. */
function proposals(count: number): readonly number[] {
  const numbers: number[] = [];
  for (let kept = 0; kept < count; kept += Math.max(1, Math.floor(kept / 4))) numbers.push(kept);
  return [...numbers, count];
}
