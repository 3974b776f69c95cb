// FLOPs of a training step, from those of a forward pass: the backward pass computes gradients of inputs
// and of weights, twice the forward work by rule, and the optimiser so much for each parameter.

import { suggest, UserError } from "../../core/index.ts";
import { addSizes, multiplySizes } from "../../onnx/index.ts";
import { OPTIMIZER_FLOPS } from "../methods/greenness-flops.ts";
import { type Amount, unlessTooComplex } from "./amount.ts";
import type { ModelCount } from "./count-model.ts";

/** Gradients of inputs and of weights take a product each where the forward pass takes one. */
const BACKWARD_OVER_FORWARD = 2;

export interface TrainingCost {
  /** As the table of optimisers spells it. */
  readonly optimizer: string;
  readonly forward: Amount;
  readonly backward: Amount;
  /** Parameters times the optimiser's operations, whatever the batch. */
  readonly update: number;
  /** Of one step. */
  readonly total: Amount;
}

/**
 * A step with one of the optimisers whose operations are known (greenness_track_toolkit 0.1, Apache-2.0:
 * gradient descent 1, momentum 3, Adam 10 a parameter). Null when the forward work is not expressible.
 */
export function trainingCost(model: ModelCount, optimizer: string): TrainingCost | null {
  const name = optimizerNamed(optimizer);
  const forward = model.totals.flops;
  if (forward === null) return null;
  const update = model.parameters.trainable * (OPTIMIZER_FLOPS[name] ?? 0);
  const scale = (factor: number, added: number): Amount | null =>
    unlessTooComplex(() => ({
      least: addSizes(multiplySizes(forward.least, factor), added),
      most: addSizes(multiplySizes(forward.most, factor), added),
    }));
  const backward = scale(BACKWARD_OVER_FORWARD, 0);
  const total = scale(1 + BACKWARD_OVER_FORWARD, update);
  return backward === null || total === null
    ? null
    : { optimizer: name, forward, backward, update, total };
}

/** SGD is what the table calls gradient descent. */
const ALSO: Readonly<Record<string, string>> = { sgd: "GradientDescent", adamw: "Adam" };

function optimizerNamed(wanted: string): string {
  const names = Object.keys(OPTIMIZER_FLOPS);
  const lower = wanted.toLowerCase();
  const found = ALSO[lower] ?? names.find((name) => name.toLowerCase() === lower);
  if (found !== undefined) return found;
  const near = suggest(wanted, names);
  throw new UserError("usage", `the operations of optimiser ${wanted} are not known`, {
    hint: near === null ? `Known are ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}
