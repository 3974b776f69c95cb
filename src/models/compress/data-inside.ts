// Weights that a model keeps in files beside it, brought into the model.

import {
  type ExternalData,
  type Graph,
  type Model,
  ModelError,
  mapSubGraphs,
  type Tensor,
} from "../../onnx/index.ts";

/** Bytes of the largest message that protobuf, and with it ONNX Runtime, reads. */
const LARGEST_MESSAGE = 2 ** 31 - 1;

/**
 * The model with the elements of all its initializers in itself. They are still read only when they are
 * asked for, so keep the files open as long as the model is used. Throws ModelError where they come to more bytes
 * than one file of ONNX can hold.
 */
export function withDataInside(
  model: Model,
  external: ExternalData,
  largest = LARGEST_MESSAGE,
): Model {
  if (model.graph === undefined) return model;
  let bytes = 0;
  const inside = (graph: Graph): Graph => ({
    ...graph,
    initializers: graph.initializers.map((tensor): Tensor => {
      if (tensor.data.kind !== "external") return tensor;
      const payload = external(tensor);
      bytes += payload.length;
      return { ...tensor, data: { kind: "raw", payload } };
    }),
    nodes: graph.nodes.map((node) => mapSubGraphs(node, inside)),
  });
  const graph = inside(model.graph);
  if (bytes <= largest) return { ...model, graph };
  const size = `${(bytes / 1e9).toFixed(2)} GB`;
  throw new ModelError(`the model's weights come to ${size}, more than one file can hold`, "", {
    hint: "Protobuf ends at 2 GB, and what is made of a model is one file. Split it, or export it in 16 bits.",
  });
}
