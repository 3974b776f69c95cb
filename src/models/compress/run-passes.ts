// Several passes one after the other, each on what the one before it gave.

import { checkModel, type Model, ModelError, type OperatorTable } from "../../onnx/index.ts";
import type { Change, Fidelity, Pass, PassContext, PassResult, Refusal } from "./pass.ts";

/** A pass with its options, ready to be applied. */
export interface Step {
  readonly pass: string;
  readonly fidelity: Fidelity;
  apply(model: Model, context: PassContext): Promise<PassResult>;
}

/** Binds a pass to its options. */
export function stepOf<Options>(pass: Pass<Options>, options: Options): Step {
  return {
    pass: pass.name,
    fidelity: pass.fidelity,
    apply: (model, context) => pass.apply(model, context, options),
  };
}

/** Result of several passes; `fidelity` is the weakest promise among those that changed something. */
export interface StepsResult extends PassResult {
  readonly fidelity: Fidelity;
}

/**
 * Applies steps in order. Throws the signal's reason between two steps, and ModelError where a step
 * makes a model that the checker finds an error in which it did not find before.
 */
export async function runSteps(
  model: Model,
  steps: readonly Step[],
  context: PassContext,
): Promise<StepsResult> {
  let result: StepsResult = { model, changes: [], refused: [], fidelity: "exact" };
  const known = new Set(faultsOf(model, context.operators));
  for (const [done, step] of steps.entries()) {
    context.signal?.throwIfAborted();
    context.onProgress?.({ pass: step.pass, step: "start", done, total: steps.length });
    const { model: next, changes, refused } = await step.apply(result.model, context);
    const fault = faultsOf(next, context.operators).find((text) => !known.has(text));
    if (fault !== undefined) {
      throw new ModelError(`${step.pass} made a faulty model: ${fault}`, "", {
        hint: "Leave this pass out, and report the model: this is a fault of godwit.",
      });
    }
    result = joined(result, { model: next, changes, refused }, step.fidelity);
  }
  return result;
}

function joined(before: StepsResult, after: PassResult, fidelity: Fidelity): StepsResult {
  const changes: readonly Change[] = [...before.changes, ...after.changes];
  const refused: readonly Refusal[] = [...before.refused, ...after.refused];
  const promise = after.changes.length === 0 ? before.fidelity : weakest(before.fidelity, fidelity);
  return { model: after.model, changes, refused, fidelity: promise };
}

const ORDER: readonly Fidelity[] = ["exact", "reordered", "approximate"];

/** The weaker of two promises. */
function weakest(a: Fidelity, b: Fidelity): Fidelity {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

const faultsOf = (model: Model, operators: OperatorTable): readonly string[] =>
  checkModel(model, operators)
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message);
