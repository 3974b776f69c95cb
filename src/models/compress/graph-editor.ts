// A graph under change: who makes and who reads a value is kept up to date while nodes are replaced.
// Sub-graphs are edited by editors of their own, which see the constants of the graphs around them.

import {
  constantOf,
  type Graph,
  type Node,
  readsOf,
  renameNode,
  sortNodes,
  type Tensor,
} from "../../onnx/index.ts";

export class GraphEditor {
  /** Makes names that no value or node of the model has. */
  readonly fresh: (wanted: string) => string;
  readonly #graph: Graph;
  readonly #outer: GraphEditor | null;
  /** Place of each node in the order of the file; nodes that replace one share its place. */
  readonly #places = new Map<Node, number>();
  readonly #producers = new Map<string, Node>();
  readonly #readers = new Map<string, Set<Node>>();
  readonly #initializers = new Map<string, Tensor>();
  readonly #inputs: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: Graph, fresh: (wanted: string) => string, outer: GraphEditor | null = null) {
    this.fresh = fresh;
    this.#graph = graph;
    this.#outer = outer;
    this.#inputs = new Set(graph.inputs.map(({ name }) => name));
    this.#outputs = new Set(graph.outputs.map(({ name }) => name));
    for (const tensor of graph.initializers) this.#initializers.set(tensor.name ?? "", tensor);
    graph.nodes.forEach((node, place) => {
      this.#add(node, place);
    });
  }

  /** The nodes as they are now, in order. A loop over it may edit. */
  nodes(): readonly Node[] {
    const entries = [...this.#places].sort(([, a], [, b]) => a - b);
    return entries.map(([node]) => node);
  }

  /** Whether the node is still part of the graph. */
  has(node: Node): boolean {
    return this.#places.has(node);
  }

  /** The node that makes a value; null for inputs, initializers and values from outside. */
  producer(value: string): Node | null {
    return this.#producers.get(value) ?? null;
  }

  /** Nodes that read a value, themselves or in a sub-graph. */
  readers(value: string): readonly Node[] {
    return [...(this.#readers.get(value) ?? [])];
  }

  isOutput(value: string): boolean {
    return this.#outputs.has(value);
  }

  /** The node that alone reads a value which is no output; null where there are others or none. */
  soleReader(value: string): Node | null {
    const readers = this.#readers.get(value);
    if (readers?.size !== 1 || this.isOutput(value)) return null;
    const [reader] = readers;
    if (reader === undefined) return null;
    const times = reader.inputs.filter((input) => input === value).length;
    return times === 1 ? reader : null;
  }

  /** The tensor of a value that never changes, here or in a graph around; null for other values. */
  constant(value: string): Tensor | null {
    if (this.#inputs.has(value)) return null;
    const stored = this.#initializers.get(value);
    if (stored !== undefined) return stored;
    const node = this.#producers.get(value);
    if (node !== undefined) return constantOf(node);
    return this.#outer?.constant(value) ?? null;
  }

  /** Whether the value is an initializer of this graph, not of one around it. */
  stores(value: string): boolean {
    return this.#initializers.has(value);
  }

  /** Keeps a tensor under a new name, which is given back. */
  store(wanted: string, tensor: Tensor): string {
    const name = this.fresh(wanted);
    this.#initializers.set(name, { ...tensor, name });
    return name;
  }

  /** Puts nodes in the place of one. */
  replace(node: Node, ...next: readonly Node[]): void {
    const place = this.#places.get(node);
    if (place === undefined) throw new TypeError(`node "${node.name}" is not in the graph`);
    this.#remove(node);
    for (const of of next) this.#add(of, place);
  }

  remove(node: Node): void {
    this.replace(node);
  }

  /**
   * Takes a node out whose output is the same as another value: what read the output reads that value.
   * False where the graph must give the output under its name and the value cannot take that name.
   */
  bypass(node: Node, value: string): boolean {
    const [output = ""] = node.outputs;
    if (!this.isOutput(output)) {
      this.remove(node);
      this.#rename(output, value, this.readers(output));
      return true;
    }
    const maker = this.producer(value);
    if (maker === null || this.isOutput(value)) return false;
    this.remove(node);
    this.#rename(value, output, [maker, ...this.readers(value)]);
    return true;
  }

  /** Takes a node out; what read its outputs reads these values, in the same order. */
  unite(node: Node, values: readonly string[]): void {
    this.remove(node);
    node.outputs.forEach((output, at) => {
      if (output !== "") this.#rename(output, values[at] ?? "", this.readers(output));
    });
  }

  /** Lets everything that reads one value read another; what makes it stays. */
  rewire(from: string, to: string): void {
    this.#rename(from, to, this.readers(from));
  }

  /** The graph as edited, in topological order, without types of values that are gone. */
  finish(): Graph {
    const sorted = sortNodes(this.nodes());
    if (sorted.status === "cycle")
      throw new TypeError("an edit made the graph read its own result");
    const kept = (name: string): boolean => this.#producers.has(name);
    return {
      ...this.#graph,
      nodes: sorted.nodes,
      initializers: [...this.#initializers.values()],
      valueInfos: this.#graph.valueInfos.filter(({ name }) => kept(name)),
    };
  }

  #rename(from: string, to: string, nodes: readonly Node[]): void {
    const renaming = new Map([[from, to]]);
    for (const node of nodes) {
      if (this.has(node)) this.replace(node, renameNode(node, renaming));
    }
  }

  #add(node: Node, place: number): void {
    this.#places.set(node, place);
    for (const output of node.outputs) if (output !== "") this.#producers.set(output, node);
    for (const value of readsOf(node)) {
      const readers = this.#readers.get(value);
      if (readers === undefined) this.#readers.set(value, new Set([node]));
      else readers.add(node);
    }
  }

  #remove(node: Node): void {
    this.#places.delete(node);
    for (const output of node.outputs) {
      if (this.#producers.get(output) === node) this.#producers.delete(output);
    }
    for (const value of readsOf(node)) this.#readers.get(value)?.delete(node);
  }
}
