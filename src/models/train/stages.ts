// A training run in stages: small images before large ones, the head before the whole model, layers frozen
// one after the other. Each stage is a `fit` of its own with an optimiser and a schedule of its own.

import type { Model } from "../../onnx/index.ts";
import { fit as fitModel } from "./fit.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";
import { graphOf, withInitializers } from "./graph-surgery.ts";

export interface Stage {
  readonly epochs: number;
  /** Initializers that are trained in this stage. Default: those of the options. */
  readonly parameters?: readonly string[];
  /** The model as this stage trains it, such as `onSmallerImages`; weights keep their names. */
  readonly prepare?: (model: Model) => Model;
}

export interface StagedResult {
  /** The model that was given, with what was learnt. */
  readonly model: Model;
  readonly stages: readonly FitResult[];
}

/** Trains in stages, each from the weights of the one before. A stage that is cut short is the last. */
export async function fitInStages(
  model: Model,
  stages: readonly Stage[],
  options: Omit<FitOptions, "epochs" | "resume">,
): Promise<StagedResult> {
  const results: FitResult[] = [];
  let current = model;
  for (const { epochs, parameters, prepare = unchanged } of stages) {
    const chosen = parameters ?? options.parameters;
    const result = await fitModel(prepare(current), {
      ...options,
      epochs,
      ...(chosen === undefined ? {} : { parameters: chosen }),
    });
    results.push(result);
    current = withWeightsOf(current, result.model);
    if (result.stopped !== "epochs" && result.stopped !== "patience") break;
  }
  return { model: current, stages: results };
}

const unchanged = (model: Model): Model => model;

/** The model with the initializers that another has under the same names. */
const withWeightsOf = (model: Model, other: Model): Model =>
  withInitializers(
    model,
    new Map(graphOf(other).initializers.map((tensor) => [tensor.name ?? "", tensor])),
  );
