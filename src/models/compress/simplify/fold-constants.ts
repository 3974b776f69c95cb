// What depends on constants only is computed once, by ONNX Runtime, before the first run. Sizes that
// follow from shapes are folded even where they are computed from inputs.

import { createSession, type TensorValue } from "../../../engine/index.ts";
import {
  BITS,
  byteLength,
  type DataType,
  freshNames,
  type Graph,
  type InferredShapes,
  inferShapes,
  type Model,
  type Node,
  namesIn,
  readsOf,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import { GraphEditor } from "../graph-editor.ts";
import type { Change, Pass, PassContext, Refusal } from "../pass.ts";
import { labelOf } from "./label.ts";
import { isPure } from "./purity.ts";

export interface FoldOptions {
  /**
   * Bytes that folded tensors may add to the file, beyond those of the tensors that they replace.
   * Default: 1 MiB.
   */
  readonly growth?: number;
  /**
   * Whether to fold sizes and indices only. ONNX Runtime multiplies with weights that are stored by
   * another kernel than with such that are computed, which moves the last bits of a result.
   */
  readonly integersOnly?: boolean;
}

export const DEFAULT_GROWTH = 1 << 20;

export const foldConstants: Pass<FoldOptions | undefined> = {
  name: "fold-constants",
  fidelity: "reordered",
  async apply(model, context, options) {
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const shapes = inferShapes(model);
    const sizes = foldSizes(graph, shapes);
    const foldable = foldableNodes(sizes.graph, shapes);
    const { chosen, refused } = choose(sizes.graph, foldable, shapes, options ?? {});
    const current: Model = { ...model, graph: sizes.graph };
    const { graph: folded, changes, failed } = await compute(current, foldable, chosen, context);
    const all = [...sizes.changes, ...changes];
    return {
      model: all.length === 0 ? model : { ...model, graph: folded },
      changes: all,
      refused: [...refused, ...failed],
    };
  },
};

/** Integers that shape inference knows take the place of what computes them. */
function foldSizes(graph: Graph, { graph: shapes }: InferredShapes) {
  const editor = new GraphEditor(graph, freshNames(namesIn(graph)));
  const changes: Change[] = [];
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    const type = shapes.values.get(output);
    const items = shapes.constants.get(output);
    if (!editor.has(node) || node.outputs.length !== 1 || editor.isOutput(output)) continue;
    if (items === undefined || !isPure(node)) continue;
    if (type?.kind !== "tensor" || type.shape === null || type.elementType === null) continue;
    if (type.elementType !== "int64" && type.elementType !== "int32") continue;
    const dims = type.shape.filter((size) => typeof size === "number");
    const values = items.filter((item) => typeof item === "number");
    if (dims.length !== type.shape.length || values.length !== items.length) continue;
    const tensor = tensorOf(type.elementType, { dims, values });
    editor.unite(node, [editor.store(output, tensor)]);
    changes.push(changed(node));
  }
  return { graph: changes.length === 0 ? graph : editor.finish(), changes };
}

const changed = (node: Node): Change => ({
  pass: "fold-constants",
  subject: labelOf(node),
  what: `${node.opType} computed beforehand`,
});

/** Bytes of a value that is computed on the way; more would take too much memory. */
const MOST_BYTES = 2 ** 28;

/** Nodes that depend on constants only, in order, and whose results are not too large. */
function foldableNodes(graph: Graph, shapes: InferredShapes): ReadonlySet<Node> {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const constants = new Set(
    graph.initializers.flatMap(({ name = "" }) => (inputs.has(name) ? [] : [name])),
  );
  const nodes = new Set<Node>();
  for (const node of graph.nodes) {
    // A DequantizeLinear of a weight is what makes a quantised model small.
    if (!isPure(node) || /^(De)?[qQ]uantizeLinear$/.test(node.opType)) continue;
    if (!node.inputs.every((input) => input === "" || constants.has(input))) continue;
    const outputs = node.outputs.filter((output) => output !== "");
    const known = outputs.map((output) => bytesOf(output, shapes));
    if (known.some((bytes) => bytes === null || bytes > MOST_BYTES)) continue;
    nodes.add(node);
    for (const output of outputs) constants.add(output);
  }
  return nodes;
}

/** Types whose elements ONNX Runtime hands out. */
const READABLE: ReadonlySet<DataType | null> = new Set([
  ...(["float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32"] as const),
  ...(["int64", "uint64", "bool"] as const),
]);

/** Size of a value in bytes; null where it is not known or cannot be read. */
function bytesOf(value: string, { graph }: InferredShapes): number | null {
  const type = graph.values.get(value);
  if (type?.kind !== "tensor" || type.shape === null || !READABLE.has(type.elementType))
    return null;
  const bits = type.elementType === null ? null : BITS[type.elementType];
  let count = 1;
  for (const size of type.shape) {
    if (typeof size !== "number") return null;
    count *= size;
  }
  return bits === null ? null : (count * bits) / 8;
}

interface Choice {
  /** Values to be stored. */
  readonly chosen: readonly string[];
  readonly refused: readonly Refusal[];
}

/** Which results that the rest of the graph reads are stored: the smallest first, within the growth. */
function choose(
  graph: Graph,
  foldable: ReadonlySet<Node>,
  shapes: InferredShapes,
  { growth = DEFAULT_GROWTH, integersOnly = false }: FoldOptions,
): Choice {
  const others = graph.nodes.filter((node) => !foldable.has(node));
  const read = new Set(others.flatMap((node) => [...readsOf(node)]));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const wanted = [...foldable]
    .flatMap((node) => node.outputs)
    .filter((value) => read.has(value) && !outputs.has(value))
    .filter((value) => !integersOnly || isInteger(value, shapes))
    .map((value) => ({ value, bytes: bytesOf(value, shapes) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.bytes - b.bytes);
  const limit = Math.max(growth, replacedBytes(graph, foldable, read));
  const refused: Refusal[] = [];
  let total = 0;
  const chosen = wanted.flatMap(({ value, bytes }) => {
    if (total + bytes <= limit) {
      total += bytes;
      return [value];
    }
    const reason = `stored it would add ${bytes} bytes to the file`;
    refused.push({ pass: "fold-constants", subject: value, reason });
    return [];
  });
  return { chosen, refused };
}

function isInteger(value: string, { graph }: InferredShapes): boolean {
  const type = graph.values.get(value);
  return type?.kind === "tensor" && /^(u?int|bool)/.test(type.elementType ?? "");
}

/** Bytes of stored tensors that only nodes to be folded read. */
function replacedBytes(graph: Graph, foldable: ReadonlySet<Node>, read: ReadonlySet<string>) {
  const folded = new Set([...foldable].flatMap(({ inputs }) => inputs));
  const gone = (tensor: Tensor): boolean =>
    folded.has(tensor.name ?? "") && !read.has(tensor.name ?? "");
  return graph.initializers.filter(gone).reduce((sum, tensor) => sum + byteLength(tensor), 0);
}

/** Runs the nodes that lead to the chosen values and stores what comes out. */
async function compute(
  model: Model,
  foldable: ReadonlySet<Node>,
  chosen: readonly string[],
  { runtime }: PassContext,
) {
  const graph = model.graph as Graph;
  if (chosen.length === 0) return { graph, changes: [], failed: [] };
  const part = partOf(graph, foldable, chosen);
  let results: Readonly<Record<string, TensorValue>>;
  try {
    const options = { runtime, threads: 1, optimisation: "none" } as const;
    const session = await createSession({ ...model, graph: part }, options);
    try {
      results = await session.run({});
    } finally {
      await session.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const failed = chosen.map((subject) => ({ pass: "fold-constants", subject, reason }));
    return { graph, changes: [], failed };
  }
  const editor = new GraphEditor(graph, freshNames(namesIn(graph)));
  const changes: Change[] = [];
  for (const value of chosen) {
    const node = editor.producer(value);
    const result = results[value];
    if (node === null || result === undefined) continue;
    const stored = editor.store(value, tensorFrom(result));
    editor.rewire(value, stored);
    changes.push(changed(node));
  }
  return { graph: editor.finish(), changes, failed: [] };
}

/** The part of a graph that computes some values from constants. */
function partOf(graph: Graph, foldable: ReadonlySet<Node>, values: readonly string[]): Graph {
  const needed = new Set(values);
  const nodes = [...foldable].reverse().filter(({ inputs, outputs }) => {
    if (!outputs.some((output) => needed.has(output))) return false;
    for (const input of inputs) needed.add(input);
    return true;
  });
  return {
    ...graph,
    nodes: nodes.reverse(),
    initializers: graph.initializers.filter(({ name }) => needed.has(name ?? "")),
    inputs: [],
    outputs: values.map((name) => ({ name, metadata: [] })),
    valueInfos: [],
  };
}

function tensorFrom({ dataType, dims, data }: TensorValue): Tensor {
  return tensorOf(dataType, { dims, values: data as ArrayLike<number> });
}
