// Pieces that several losses are made of.

import type { GraphBuilder } from "../../../onnx/index.ts";
import { ModelError } from "../../../onnx/index.ts";
import type { LossContext, Prediction } from "./loss.ts";

/** A float32 constant without axes. */
export const scalar = (graph: GraphBuilder, value: number): string =>
  graph.constant("float32", { dims: [], values: [value] });

/** Mean over all elements. */
export const meanOf = (graph: GraphBuilder, value: string): string =>
  graph.op("ReduceMean", [value], { keepdims: 0 });

/** Sum over all elements, divided by a count. */
export const sumOver = (graph: GraphBuilder, value: string, count: number): string =>
  graph.op("Div", [graph.op("ReduceSum", [value], { keepdims: 0 }), scalar(graph, count)]);

/** The one prediction of a loss that reads one. */
export function onlyPrediction({ predictions }: LossContext): Prediction {
  const [prediction] = predictions;
  if (prediction !== undefined) return prediction;
  throw new ModelError("a loss needs a prediction", "loss", {
    hint: "Name the output of the model that is to be trained.",
  });
}
