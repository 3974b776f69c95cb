// Parts of a model between values, as models of their own.

import {
  type Graph,
  inferShapes,
  type Model,
  type Node,
  readsOf,
  tensorType,
  typeOfValue,
  type ValueInfo,
  type ValueType,
} from "../../../onnx/index.ts";

export interface PartOptions {
  /** Values that the part starts from. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The part of a model that computes some values from others. */
export function partOf(model: Model, { inputs, outputs }: PartOptions): Model {
  const { graph } = model;
  if (graph === undefined) throw new RangeError("a model without a graph");
  const nodes = nodesBetween(graph, { inputs, outputs });
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  const shapes = inferShapes(model).graph;
  const declared = new Map(
    [...graph.inputs, ...graph.valueInfos, ...graph.outputs].map((info) => [info.name, info]),
  );
  const infoOf = (name: string): ValueInfo => {
    const known = declared.get(name);
    if (known?.type !== undefined) return known;
    const type = typeOfValue(shapes, name);
    if (type?.kind !== "tensor" || type.elementType === null) return { name, metadata: [] };
    // Sizes that are not fixed get names of their own: the batch stays open.
    const sizes = type.shape?.map((size, axis) =>
      typeof size === "number" ? size : `${name}_axis${axis}`,
    );
    const stated: ValueType = tensorType(type.elementType, sizes);
    return { name, type: stated, metadata: [] };
  };
  return {
    ...model,
    graph: {
      ...graph,
      nodes,
      initializers: graph.initializers.filter(({ name = "" }) => read.has(name)),
      inputs: inputs.map(infoOf),
      outputs: outputs.map(infoOf),
      valueInfos: [],
    },
  };
}

/** Nodes that the outputs depend on, up to the inputs, in order. */
export function nodesBetween(graph: Graph, { inputs, outputs }: PartOptions): readonly Node[] {
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)),
  );
  const start = new Set(inputs);
  const needed = new Set<Node>();
  const wanted = [...outputs];
  for (let value = wanted.pop(); value !== undefined; value = wanted.pop()) {
    const node = start.has(value) ? undefined : makers.get(value);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    wanted.push(...readsOf(node));
  }
  return graph.nodes.filter((node) => needed.has(node));
}
