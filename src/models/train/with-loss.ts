// The loss as a part of the graph.

import {
  type DataType,
  extendModel,
  inferShapes,
  type Model,
  ModelError,
  type OperatorTable,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import type { Loss, Prediction } from "./losses/index.ts";

/** An input that the loss added. */
export interface TargetInput {
  /** What the loss calls it: `labels`, `targets` ... */
  readonly role: string;
  /** Its name in the graph. */
  readonly input: string;
  readonly dataType: DataType;
  /** Sizes, the batch first. */
  readonly dims: readonly number[];
}

export interface WithLoss {
  readonly model: Model;
  /** The scalar: a value of the graph, and an output. */
  readonly loss: string;
  readonly targets: readonly TargetInput[];
}

/**
 * Appends a loss on outputs of a model whose sizes are fixed, the batch included. `predictions` are
 * names of values; the model's first outputs when absent. Throws ModelError where their shapes are not
 * known or do not suit the loss.
 */
export function withLoss(
  model: Model,
  options: {
    readonly operators: OperatorTable;
    readonly loss: Loss;
    readonly predictions?: readonly string[];
  },
): WithLoss {
  const { operators, loss } = options;
  const { outputs } = graphOf(model);
  const wanted = options.predictions ?? outputs.slice(0, loss.predictions).map(({ name }) => name);
  if (wanted.length !== loss.predictions) {
    throw new ModelError(
      `the loss ${loss.name} reads ${loss.predictions} outputs, not ${wanted.length}`,
      "loss",
      { hint: "Name as many outputs of the model." },
    );
  }
  const predictions = predictionsOf(model, wanted);
  const graph = extendModel(model, { operators });
  const targets: TargetInput[] = [];
  const taken = new Set(graphOf(model).inputs.map(({ name }) => name));
  const value = loss.emit({
    graph: graph.scope("loss"),
    predictions,
    target(role, dataType, dims) {
      const input = graph.input(taken.has(role) ? `loss target ${role}` : role, dataType, dims);
      targets.push({ role, input, dataType, dims });
      return input;
    },
  });
  graph.output(value);
  return { model: graph.finish(), loss: value, targets };
}

function predictionsOf(model: Model, names: readonly string[]): readonly Prediction[] {
  const { values } = inferShapes(model).graph;
  return names.map((value) => {
    const type = values.get(value);
    const shape = type?.kind === "tensor" ? type.shape : null;
    if (shape?.every((size) => typeof size === "number")) return { value, shape };
    throw new ModelError(`the shape of "${value}" is not known`, "loss", {
      hint: "Give the sizes of the model's inputs, the batch included.",
    });
  });
}
