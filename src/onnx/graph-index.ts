// Questions to a graph: who makes a value, who reads it, what is dead, what a sub-graph takes from
// outside. An index is made once for an unchanging graph; a changed graph gets a new one.

import { subGraphsOf } from "./attributes.ts";
import type { Graph, Node, Tensor, ValueInfo, ValueType } from "./model.ts";

/** Where a node reads a value: at an input, or inside one of its sub-graphs (`input` null). */
export interface Use {
  readonly node: Node;
  readonly input: number | null;
}

/** Where a value comes from. */
export type Origin =
  | { readonly kind: "node"; readonly node: Node; readonly output: number }
  | { readonly kind: "initializer"; readonly tensor: Tensor }
  | { readonly kind: "sparseInitializer" }
  | { readonly kind: "input"; readonly info: ValueInfo }
  /** Of an enclosing graph, or of nothing at all. */
  | { readonly kind: "outside" };

/** A graph with its values looked up. */
export interface GraphIndex {
  readonly graph: Graph;
  origin(value: string): Origin;
  /** The node that makes a value; null for inputs, initializers and values from outside. */
  producer(value: string): Node | null;
  /** Who reads a value, in node order; being a graph output is not a use. */
  uses(value: string): readonly Use[];
  isOutput(value: string): boolean;
  /** The initializer of a name; null when there is none. */
  initializer(value: string): Tensor | null;
  /**
   * The tensor of a value that never changes: an initializer that no input overrides, or the output
   * of a Constant node with a tensor; null for every other value.
   */
  constant(value: string): Tensor | null;
  /** What the file says of a value's type; null when it says nothing. */
  typeOf(value: string): ValueType | null;
}

/** Indexes one graph; its sub-graphs count only by what they read from it. */
export function indexGraph(graph: Graph): GraphIndex {
  const origins = originsOf(graph);
  const uses = new Map<string, Use[]>();
  const types = typesOf(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    node.inputs.forEach((value, input) => {
      append(uses, value, { node, input });
    });
    for (const value of capturesOf(node)) append(uses, value, { node, input: null });
  }
  const origin = (value: string): Origin => origins.get(value) ?? { kind: "outside" };
  const initializer = (value: string): Tensor | null => {
    const of = origin(value);
    return of.kind === "initializer" ? of.tensor : null;
  };
  return {
    graph,
    origin,
    initializer,
    producer(value) {
      const of = origin(value);
      return of.kind === "node" ? of.node : null;
    },
    uses: (value) => (value === "" ? [] : (uses.get(value) ?? [])),
    isOutput: (value) => outputs.has(value),
    constant(value) {
      const of = origin(value);
      if (of.kind === "initializer") return inputs.has(value) ? null : of.tensor;
      return of.kind === "node" ? constantOf(of.node) : null;
    },
    typeOf: (value) => types.get(value) ?? null,
  };
}

/** The tensor of a Constant node; null for other nodes, and where the value is not given as a tensor. */
export function constantOf(node: Node): Tensor | null {
  if (node.opType !== "Constant" || (node.domain ?? "") !== "") return null;
  const value = node.attributes.find(({ name }) => name === "value");
  return value?.kind === "tensor" ? value.value : null;
}

/** Values that a node reads: its inputs, and what its sub-graphs take from outside. */
export function readsOf(node: Node): ReadonlySet<string> {
  const reads = new Set(node.inputs.filter((value) => value !== ""));
  for (const value of capturesOf(node)) reads.add(value);
  return reads;
}

/** Values of enclosing graphs that a graph, with the graphs inside it, reads or hands on. */
export function outsideReads(graph: Graph): ReadonlySet<string> {
  const inside = new Set(graph.inputs.map(({ name }) => name));
  for (const { name } of graph.initializers) if (name !== undefined) inside.add(name);
  for (const { values } of graph.sparseInitializers) inside.add(values?.name ?? "");
  for (const { outputs } of graph.nodes) for (const output of outputs) inside.add(output);
  const outside = new Set<string>();
  const read = (value: string): void => {
    if (value !== "" && !inside.has(value)) outside.add(value);
  };
  for (const node of graph.nodes) for (const value of readsOf(node)) read(value);
  for (const { name } of graph.outputs) read(name);
  return outside;
}

/** Nodes that no graph output depends on, in order. */
export function deadNodes(graph: Graph): readonly Node[] {
  const live = liveNodes(graph);
  return graph.nodes.filter((node) => !live.has(node));
}

/** Nodes that some graph output depends on. */
export function liveNodes(graph: Graph): ReadonlySet<Node> {
  const origins = originsOf(graph);
  const live = new Set<Node>();
  const wanted = graph.outputs.map(({ name }) => name);
  for (let value = wanted.pop(); value !== undefined; value = wanted.pop()) {
    const origin = origins.get(value);
    if (origin?.kind !== "node" || live.has(origin.node)) continue;
    live.add(origin.node);
    wanted.push(...readsOf(origin.node));
  }
  return live;
}

/** Every name of a value or node in a graph and the graphs inside it. */
export function namesIn(graph: Graph): Set<string> {
  const names = new Set<string>();
  const visit = (of: Graph): void => {
    for (const { name } of [...of.inputs, ...of.outputs, ...of.valueInfos]) names.add(name);
    for (const { name } of of.initializers) names.add(name ?? "");
    for (const { values } of of.sparseInitializers) names.add(values?.name ?? "");
    for (const node of of.nodes) {
      names.add(node.name ?? "");
      for (const value of [...node.inputs, ...node.outputs]) names.add(value);
      for (const { graph: inner } of subGraphsOf(node)) visit(inner);
    }
  };
  visit(graph);
  names.delete("");
  return names;
}

/** Makes names that are not yet in `taken`, and adds them: `conv`, then `conv_1`, `conv_2`. */
export function freshNames(taken: Set<string>): (wanted: string) => string {
  const next = new Map<string, number>();
  return (wanted) => {
    let name = wanted;
    let count = next.get(wanted) ?? 0;
    while (taken.has(name)) name = `${wanted}_${++count}`;
    next.set(wanted, count);
    taken.add(name);
    return name;
  };
}

function capturesOf(node: Node): ReadonlySet<string> {
  const captures = new Set<string>();
  for (const { graph } of subGraphsOf(node)) {
    for (const value of outsideReads(graph)) captures.add(value);
  }
  return captures;
}

function originsOf(graph: Graph): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const info of graph.inputs) origins.set(info.name, { kind: "input", info });
  for (const { values } of graph.sparseInitializers) {
    origins.set(values?.name ?? "", { kind: "sparseInitializer" });
  }
  // An initializer of an input's name is that input's default.
  for (const tensor of graph.initializers) {
    origins.set(tensor.name ?? "", { kind: "initializer", tensor });
  }
  for (const node of graph.nodes) {
    node.outputs.forEach((name, output) => {
      origins.set(name, { kind: "node", node, output });
    });
  }
  origins.delete("");
  return origins;
}

function typesOf(graph: Graph): ReadonlyMap<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const { name, dims, dataType } of graph.initializers) {
    const shape = dims.map((value) => ({ value }));
    if (name !== undefined) types.set(name, { kind: "tensor", elementType: dataType, shape });
  }
  for (const { name, type } of [...graph.valueInfos, ...graph.inputs, ...graph.outputs]) {
    if (type !== undefined && !types.has(name)) types.set(name, type);
  }
  return types;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
