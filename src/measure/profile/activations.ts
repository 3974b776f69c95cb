// Memory of what flows between nodes, in the order of the file: all of it, and at most at once when the
// memory of what is no longer needed is used again. Views share the memory of what they view.

import {
  addSizes,
  type Graph,
  type GraphShapes,
  type Node,
  readsOf,
  type Size,
  subGraphsOf,
  typeOfValue,
} from "../../onnx/index.ts";
import { unlessTooComplex } from "./amount.ts";
import { VIEWED } from "./rules/moves.ts";
import { bytesOf } from "./site.ts";

export interface Activations {
  /** Bytes of everything that a run makes, inputs included; null when a size is not known. */
  readonly withoutReuse: Size | null;
  /** Most bytes at one time; null while sizes are not chosen. */
  readonly withReuse: number | null;
  /** Where that is: the position of a node in the main graph. */
  readonly peakAt: number | null;
}

/** What a run of a graph keeps; `stored` are the values that it does not make itself. */
export function activationsOf(
  graph: Graph,
  shapes: GraphShapes,
  stored: ReadonlySet<string>,
): Activations {
  const roots = rootsOf(graph);
  const own = (value: string): boolean => value !== "" && !stored.has(value);
  const bytes = new Map<string, Size | null>();
  const values = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ];
  for (const value of values) {
    if (own(value) && roots.get(value) === undefined)
      bytes.set(value, bytesOf(typeOfValue(shapes, value)));
  }
  const withoutReuse = unlessTooComplex(() => totalOf(bytes.values()));
  const sizes = new Map<string, number>();
  for (const [value, size] of bytes) if (typeof size === "number") sizes.set(value, size);
  const known = sizes.size === bytes.size;
  const peak = known ? peakOf(graph, { sizes, roots, shapes, stored }) : null;
  return { withoutReuse, withReuse: peak?.bytes ?? null, peakAt: peak?.at ?? null };
}

function totalOf(sizes: Iterable<Size | null>): Size | null {
  let sum: Size = 0;
  for (const size of sizes) {
    if (size === null) return null;
    sum = addSizes(sum, size);
  }
  return sum;
}

/** The value whose memory a view looks at; values with memory of their own are absent. */
function rootsOf({ nodes }: Graph): ReadonlyMap<string, string> {
  const roots = new Map<string, string>();
  for (const { opType, inputs, outputs } of nodes) {
    const [from = ""] = inputs;
    const [to = ""] = outputs;
    // The shape of a value is a small tensor of its own.
    if (!VIEWED.has(opType) || opType === "Shape" || opType === "Size" || from === "") continue;
    roots.set(to, roots.get(from) ?? from);
  }
  return roots;
}

interface Living {
  readonly sizes: ReadonlyMap<string, number>;
  readonly roots: ReadonlyMap<string, string>;
  readonly shapes: GraphShapes;
  readonly stored: ReadonlySet<string>;
}

function peakOf(graph: Graph, living: Living): { bytes: number; at: number } | null {
  const { sizes, roots } = living;
  const rootOf = (value: string): string => roots.get(value) ?? value;
  const last = new Map<string, number>();
  graph.nodes.forEach((node, at) => {
    for (const value of node.outputs) last.set(rootOf(value), at);
    for (const value of readsOf(node)) last.set(rootOf(value), at);
  });
  for (const { name } of graph.outputs) last.set(rootOf(name), graph.nodes.length);
  const ending = new Map<number, string[]>();
  for (const [value, at] of last) ending.set(at, [...(ending.get(at) ?? []), value]);
  const sizeOf = (value: string): number => sizes.get(value) ?? 0;
  let live = graph.inputs.reduce((sum, { name }) => sum + sizeOf(name), 0);
  let peak = { bytes: live, at: 0 };
  for (const [at, node] of graph.nodes.entries()) {
    for (const value of node.outputs) if (!roots.has(value)) live += sizeOf(value);
    const inner = innerPeak(node, living);
    if (inner === null) return null;
    if (live + inner > peak.bytes) peak = { bytes: live + inner, at };
    for (const value of ending.get(at) ?? []) live -= sizeOf(value);
  }
  return peak;
}

/** The larger of what the branches of a node, or its body, need besides. */
function innerPeak(node: Node, { shapes, stored }: Living): number | null {
  let most = 0;
  for (const { graph } of subGraphsOf(node)) {
    const body = shapes.bodies.get(node)?.find(({ of }) => of === graph)?.shapes;
    if (body === undefined) return null;
    const { withReuse } = activationsOf(graph, body, stored);
    if (withReuse === null) return null;
    most = Math.max(most, withReuse);
  }
  return most;
}
