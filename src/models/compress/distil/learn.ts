// Distillation as a step among passes: what the passes before it have made smaller learns from the model
// that they began with.

import { UserError } from "../../../core/index.ts";
import type { Pass, PassContext } from "../pass.ts";
import { noCalibration } from "../statistics.ts";
import { distil, logitsOf } from "./distil.ts";
import { datasetOfFeeds } from "./taught.ts";

export interface LearnOptions {
  /** Rounds over the training inputs. Default: 10. */
  readonly epochs?: number;
  /** Default: 16. */
  readonly batchSize?: number;
  /** Learning rate at the start. Default: 1e-3. */
  readonly rate?: number;
  /** Of softened logits. Default: 4. */
  readonly temperature?: number;
  /**
   * What is matched of the only output: softened probabilities over its last axis, or its numbers as they
   * are. Default: logits.
   */
  readonly match?: "logits" | "features";
}

const name = "distil";

/**
 * Teaches a model by the context's teacher on the context's training inputs, on one thread, so that the same
 * inputs give the same weights. What does not help on inputs left out is not kept.
 */
export const learn: Pass<LearnOptions> = {
  name,
  fidelity: "approximate",
  async apply(model, context, { match = "logits", ...options }) {
    const { teacher, signal, runtime, operators, seed } = context;
    if (teacher === undefined) throw noTeacher();
    const subject = model.graph?.name || "the model";
    const value = match === "logits" ? logitsOf(model) : (model.graph?.outputs[0]?.name ?? "");
    const { before, after, ...learnt } = await distil(model, {
      ...{ teacher, operators, runtime, seed, threads: 1, ...options },
      data: await datasetOfFeeds(inputsOf(context)),
      matches: [{ value, kind: match }],
      ...(signal === undefined ? {} : { signal }),
    });
    const distance = `${before.toPrecision(3)} to ${after.toPrecision(3)}`;
    if (!learnt.kept) {
      const reason = `what it learnt does not help on inputs left out (${distance})`;
      return { model, changes: [], refused: [{ pass: name, subject, reason }] };
    }
    const what = `its distance from the teacher on inputs left out fell from ${distance}`;
    return { model: learnt.model, changes: [{ pass: name, subject, what }], refused: [] };
  },
};

function inputsOf({
  training,
  calibration,
}: PassContext): ReturnType<NonNullable<typeof training>> {
  const inputs = training ?? calibration;
  if (inputs === undefined) throw noCalibration();
  return inputs();
}

function noTeacher(): UserError {
  return new UserError("usage", "there is no teacher to learn from", {
    hint: "A recipe's teacher is the model that the recipe is applied to.",
  });
}
