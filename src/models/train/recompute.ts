// Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174) as a rewrite: the forward pass is cut into
// segments, only what passes from one to the next is kept, and the backward pass computes the rest of a
// segment again when it gets there. With sqrt(n) segments memory falls to about sqrt(n) of the values for
// at most one more forward pass; gradients stay the same bit by bit.

import {
  freshNames,
  type Graph,
  type GraphIndex,
  indexGraph,
  int64s,
  type Model,
  type Node,
  namesIn,
  renameNode,
  type Tensor,
  tensorOf,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { segmentsOf } from "./segments.ts";

export interface Recomputed {
  readonly model: Model;
  /** Nodes of the forward pass that are computed twice. */
  readonly nodes: number;
}

/**
 * The model with its forward pass, the first `forward` nodes, computed again in segments for the nodes
 * that follow. Default: square root of `forward` segments.
 */
export function withRecomputation(
  model: Model,
  {
    forward,
    segments = Math.ceil(Math.sqrt(forward)),
  }: {
    readonly forward: number;
    readonly segments?: number;
  },
): Recomputed {
  const graph = graphOf(model);
  const rewrite = startRewrite(graph, forward);
  const before = graph.nodes.slice(0, forward);
  const again = new Map<Node, readonly Node[]>();
  let count = 0;
  // The last segment's values are read at once: to drop them would save nothing.
  for (const segment of segmentsOf(model, { forward, count: segments }).slice(0, -1)) {
    const clones = recomputeSegment(segment, rewrite);
    if (clones === null) continue;
    again.set(clones.before, [...(again.get(clones.before) ?? []), ...clones.nodes]);
    count += clones.count;
  }
  const backward = graph.nodes
    .slice(forward)
    .flatMap((node) => [...(again.get(node) ?? []), renameNode(node, rewrite.copies)]);
  const initializers = [...graph.initializers, ...rewrite.constants];
  const changed = { ...graph, nodes: [...before, ...backward], initializers };
  return { model: { ...model, graph: changed }, nodes: count };
}

/** What the segments of one graph share. */
interface Rewrite {
  readonly index: GraphIndex;
  readonly backward: readonly Node[];
  readonly isBackward: ReadonlySet<Node>;
  readonly constants: Tensor[];
  /** Values that backward nodes read, by those they are to read in their place. */
  readonly copies: Map<string, string>;
  fresh(wanted: string): string;
  constant(tensor: Tensor): string;
}

function startRewrite(graph: Graph, forward: number): Rewrite {
  const fresh = freshNames(namesIn(graph));
  const constants: Tensor[] = [];
  const backward = graph.nodes.slice(forward);
  return {
    ...{ index: indexGraph(graph), backward, isBackward: new Set(backward), constants, fresh },
    copies: new Map(),
    constant(tensor) {
      const name = fresh(`again/${tensor.name}`);
      constants.push({ ...tensor, name });
      return name;
    },
  };
}

/** Copies of a segment's nodes, to stand before the first backward node that reads from it. */
function recomputeSegment(
  segment: readonly Node[],
  rewrite: Rewrite,
): { readonly before: Node; readonly nodes: readonly Node[]; readonly count: number } | null {
  const { index, isBackward, copies, fresh } = rewrite;
  const own = new Set(segment);
  const made = segment.flatMap(({ outputs }) => outputs).filter((value) => value !== "");
  const readsOf = (value: string): readonly Node[] => index.uses(value).map(({ node }) => node);
  const isKept = (value: string): boolean =>
    index.isOutput(value) || readsOf(value).some((node) => !own.has(node) && !isBackward.has(node));
  const wanted = made.filter(
    (value) => !isKept(value) && readsOf(value).some((node) => isBackward.has(node)),
  );
  const needed = ancestors(new Set(wanted), segment);
  const at = rewrite.backward.findIndex((node) =>
    node.inputs.some((value) => wanted.includes(value)),
  );
  const place = rewrite.backward[at];
  // What the backward pass made last before it first reads from this segment.
  const trigger = rewrite.backward
    .slice(0, Math.max(0, at))
    .findLast(({ opType }) => !WITHOUT_NUMBERS.has(opType))?.outputs[0];
  if (needed.length === 0 || place === undefined || trigger === undefined) return null;
  const inside = new Set(needed.flatMap(({ outputs }) => outputs));
  const from = [...new Set(needed.flatMap(({ inputs }) => inputs))].filter(
    (value) => value !== "" && !inside.has(value) && index.initializer(value) === null,
  );
  // From weights alone the same would be computed at once.
  if (from.length === 0) return null;
  const delayed = delay(from, trigger, rewrite);
  const renaming = new Map(delayed.names);
  for (const value of inside) if (value !== "") renaming.set(value, fresh(`${value}/again`));
  for (const value of wanted) copies.set(value, renaming.get(value) ?? value);
  const clones = needed.map((node) => ({
    ...renameNode(node, renaming),
    name: fresh(`${node.name ?? node.opType}/again`),
  }));
  return { before: place, nodes: [...delayed.nodes, ...clones], count: clones.length };
}

/** Operators whose results are truth values or sizes. */
const WITHOUT_NUMBERS = new Set("Equal Greater Less Not And Or Shape Cast IsNaN".split(" "));

/** The nodes of a segment that values depend on, in order. */
function ancestors(wanted: Set<string>, segment: readonly Node[]): readonly Node[] {
  const needed = segment.toReversed().filter((node) => {
    if (!node.outputs.some((value) => wanted.has(value))) return false;
    for (const value of node.inputs) wanted.add(value);
    return true;
  });
  return needed.toReversed();
}

/**
 * Copies of values that cannot be made before the trigger: a slice from an offset that is 0 and is computed
 * from the trigger. Otherwise ONNX Runtime would find the two passes equal and make one of them, or run
 * the second one at once.
 */
function delay(
  values: readonly string[],
  trigger: string,
  { fresh, constant }: Rewrite,
): { readonly nodes: readonly Node[]; readonly names: readonly (readonly [string, string])[] } {
  const nodes: Node[] = [];
  const op = (
    opType: string,
    inputs: readonly string[],
    attributes: Node["attributes"] = [],
  ): string => {
    const output = fresh(`again/${opType.toLowerCase()}`);
    nodes.push({ opType, name: output, inputs, outputs: [output], attributes, metadata: [] });
    return output;
  };
  const zero = constant(tensorOf("int64", { name: "zero", dims: [1], values: [0n] }));
  const total = op("ReduceMax", [trigger], [{ name: "keepdims", kind: "int", value: 0n }]);
  const odd = op("IsNaN", [total]);
  const number = op("Cast", [odd], [{ name: "to", kind: "int", value: 7n }]);
  const start = op("Mul", [number, zero]);
  const end = constant(int64s("end", [BigInt("9223372036854775807")]));
  const axis = constant(int64s("axis", [0]));
  const names = values.map((value) => [value, op("Slice", [value, start, end, axis])] as const);
  return { nodes, names };
}
