// Constant nodes become stored tensors, where every other pass looks for weights. Some exporters write
// all weights as nodes.

import {
  canonicalDomain,
  constantOf,
  type Graph,
  mapSubGraphs,
  type Node,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import type { Change, Pass } from "../pass.ts";
import { labelOf } from "./label.ts";

export const storeConstants: Pass = {
  name: "store-constants",
  fidelity: "reordered",
  async apply(model) {
    if (model.graph === undefined) return { model, changes: [], refused: [] };
    const changes: Change[] = [];
    const graph = stored(model.graph, changes);
    return { model: changes.length === 0 ? model : { ...model, graph }, changes, refused: [] };
  },
};

function stored(graph: Graph, changes: Change[]): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const tensors: Tensor[] = [];
  const nodes = graph.nodes.flatMap((node) => {
    const [name = ""] = node.outputs;
    const tensor = tensorIn(node);
    // A graph's output must be made by a node.
    if (tensor === null || outputs.has(name)) {
      return [mapSubGraphs(node, (body) => stored(body, changes))];
    }
    tensors.push({ ...tensor, name });
    changes.push({ pass: "store-constants", subject: labelOf(node), what: "became a tensor" });
    return [];
  });
  return { ...graph, nodes, initializers: [...graph.initializers, ...tensors] };
}

/** What a Constant node holds, however it is written; null for other nodes and for sparse tensors. */
function tensorIn(node: Node): Tensor | null {
  if (node.opType !== "Constant" || canonicalDomain(node.domain) !== "") return null;
  const tensor = constantOf(node);
  if (tensor !== null) return tensor;
  const [attribute] = node.attributes;
  switch (attribute?.kind) {
    case "int":
      return tensorOf("int64", { dims: [], values: [attribute.value] });
    case "ints":
      return tensorOf("int64", { dims: [attribute.value.length], values: attribute.value });
    case "float":
      return tensorOf("float32", { dims: [], values: [attribute.value] });
    case "floats":
      return tensorOf("float32", { dims: [attribute.value.length], values: attribute.value });
    default:
      return null;
  }
}
