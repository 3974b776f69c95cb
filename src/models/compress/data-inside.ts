// Weights that a model keeps in files beside it, brought into the model.

import {
  type ExternalData,
  type Graph,
  type Model,
  mapSubGraphs,
  type Tensor,
} from "../../onnx/index.ts";

/**
 * The model with the elements of all its initializers in itself. They are still read only when they are
 * asked for, so keep the files open as long as the model is used.
 */
export function withDataInside(model: Model, external: ExternalData): Model {
  return model.graph === undefined ? model : { ...model, graph: inside(model.graph, external) };
}

function inside(graph: Graph, external: ExternalData): Graph {
  const initializers = graph.initializers.map((tensor): Tensor => {
    if (tensor.data.kind !== "external") return tensor;
    return { ...tensor, data: { kind: "raw", payload: external(tensor) } };
  });
  const nodes = graph.nodes.map((node) => mapSubGraphs(node, (body) => inside(body, external)));
  return { ...graph, initializers, nodes };
}
