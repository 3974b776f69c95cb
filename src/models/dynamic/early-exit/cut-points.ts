// Where a graph can be parted: values that everything behind them depends on alone.

import {
  type Graph,
  indexGraph,
  inferShapes,
  type Model,
  readsOf,
  type Shape,
  typeOfValue,
} from "../../../onnx/index.ts";

/** A value that all that comes after it reads nothing else of. */
export interface CutPoint {
  readonly value: string;
  /** Position of the last node before it. */
  readonly after: number;
  readonly shape: Shape;
}

/** The cuts of a graph with one input and one output, in order; the input and the output are none. */
export function cutPoints(model: Model): readonly CutPoint[] {
  const { graph } = model;
  if (graph === undefined) return [];
  const shapes = inferShapes(model).graph;
  const lastRead = lastReads(graph);
  const index = indexGraph(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const inputs = graph.inputs.map(({ name }) => name);
  const live = new Set(inputs.filter((name) => index.initializer(name) === null));
  const cuts: CutPoint[] = [];
  for (const [at, node] of graph.nodes.entries()) {
    const reads = [...readsOf(node)].filter((value) => live.has(value));
    for (const value of reads) if ((lastRead.get(value) ?? -1) <= at) live.delete(value);
    // What depends on no input of a run (decoders of weights) crosses no cut.
    if (reads.length > 0) {
      for (const value of node.outputs) if ((lastRead.get(value) ?? -1) > at) live.add(value);
    }
    const [only] = live;
    if (live.size !== 1 || only === undefined || outputs.has(only) || !node.outputs.includes(only))
      continue;
    const type = typeOfValue(shapes, only);
    if (type?.kind !== "tensor" || type.elementType !== "float32" || type.shape === null) continue;
    if (type.shape.length >= 2) cuts.push({ value: only, after: at, shape: type.shape });
  }
  return cuts;
}

/** Position of the last node that reads each value; the end for outputs. */
function lastReads(graph: Graph): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const [at, node] of graph.nodes.entries()) {
    for (const value of readsOf(node)) last.set(value, at);
  }
  for (const { name } of graph.outputs) last.set(name, Number.POSITIVE_INFINITY);
  return last;
}
