// Weights where passes look for them: stored tensors that no caller can replace. Old files state them as
// inputs because their format demands it, and some exporters write them as Constant nodes.

import type { Model } from "../../onnx/index.ts";
import type { PassContext } from "./pass.ts";
import { runSteps, stepOf } from "./run-passes.ts";
import { fixWeights } from "./simplify/fix-weights.ts";
import { storeConstants } from "./simplify/store-constants.ts";

/** The model with its weights stored; the very same one where they are. */
export async function withStoredWeights(model: Model, context: PassContext): Promise<Model> {
  const steps = [stepOf(fixWeights, { formatOnly: true }), stepOf(storeConstants, undefined)];
  return (await runSteps(model, steps, context)).model;
}
