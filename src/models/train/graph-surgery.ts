// Rewrites that building a training graph needs beside adding to it.

import type { Graph, Model, Tensor } from "../../onnx/index.ts";
import { ModelError, tensorType } from "../../onnx/index.ts";

/** The graph of a model. Throws ModelError where there is none. */
export function graphOf({ graph }: Model): Graph {
  if (graph !== undefined) return graph;
  throw new ModelError("the model has no graph", "graph", { hint: "Give a whole model file." });
}

/** The model with initializers turned into inputs, so that they can change from run to run. */
export function initializersToInputs(model: Model, names: ReadonlySet<string>): Model {
  const graph = graphOf(model);
  const moved = graph.initializers.filter(({ name = "" }) => names.has(name));
  // Files before IR version 4 list every initializer among the inputs.
  const present = new Set(graph.inputs.map(({ name }) => name));
  const inputs = moved.flatMap(({ name = "", dataType, dims }) =>
    present.has(name) || dataType === null
      ? []
      : [{ name, type: tensorType(dataType, dims), metadata: [] }],
  );
  return {
    ...model,
    graph: {
      ...graph,
      initializers: graph.initializers.filter(({ name = "" }) => !names.has(name)),
      inputs: [...graph.inputs, ...inputs],
    },
  };
}

/** The model without outputs, for a builder that states new ones. */
export const withoutOutputs = (model: Model): Model => ({
  ...model,
  graph: { ...graphOf(model), outputs: [] },
});

/** The model with some initializers replaced; each keeps its name. */
export function withInitializers(model: Model, tensors: ReadonlyMap<string, Tensor>): Model {
  const graph = graphOf(model);
  const initializers = graph.initializers.map((tensor) => {
    const replaced = tensors.get(tensor.name ?? "");
    return replaced === undefined ? tensor : { ...replaced, name: tensor.name ?? "" };
  });
  return { ...model, graph: { ...graph, initializers } };
}
