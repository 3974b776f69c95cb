// Topological order: a node stands after everything it reads. Nodes keep the order of the file where
// that is allowed (Kahn 1962, always taking the earliest node that is ready).

import { mapSubGraphs } from "./attributes.ts";
import { readsOf } from "./graph-index.ts";
import type { Graph, Node } from "./model.ts";
import { ModelError } from "./model-error.ts";

/** Nodes in order, or the nodes of one cycle, each reading the one before it. */
export type Sorted =
  | { readonly status: "sorted"; readonly nodes: readonly Node[] }
  | { readonly status: "cycle"; readonly nodes: readonly Node[] };

/** Sorts the nodes of one graph. What sub-graphs read from outside counts as read by their node. */
export function sortNodes(nodes: readonly Node[]): Sorted {
  const dependencies = dependenciesOf(nodes);
  const waiting = dependencies.map((of) => of.size);
  const dependents: number[][] = nodes.map(() => []);
  dependencies.forEach((of, index) => {
    for (const dependency of of) dependents[dependency]?.push(index);
  });
  const ready = new IndexHeap();
  waiting.forEach((count, index) => {
    if (count === 0) ready.push(index);
  });
  const sorted: Node[] = [];
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    const node = nodes[index];
    if (node !== undefined) sorted.push(node);
    for (const dependent of dependents[index] ?? []) {
      const left = (waiting[dependent] ?? 0) - 1;
      waiting[dependent] = left;
      if (left === 0) ready.push(dependent);
    }
  }
  if (sorted.length === nodes.length) return { status: "sorted", nodes: sorted };
  return { status: "cycle", nodes: findCycle(nodes, dependencies, waiting) };
}

/** The graph and its sub-graphs with their nodes in order. Throws ModelError that names a cycle. */
export function sortGraph(graph: Graph): Graph {
  const sorted = sortNodes(graph.nodes);
  if (sorted.status === "cycle") {
    throw new ModelError(cycleText(sorted.nodes), "graph", {
      hint: "A graph may not read its own results; use Loop or Scan for repetition.",
    });
  }
  return { ...graph, nodes: sorted.nodes.map((node) => mapSubGraphs(node, sortGraph)) };
}

/** What a cycle is called in messages. */
export function cycleText(nodes: readonly Node[]): string {
  const names = nodes.slice(0, 8).map(({ name, opType }) => `"${name ?? ""}" (${opType})`);
  const more = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : "";
  return `a cycle of nodes: ${names.join(" -> ")}${more} -> ${names[0]}`;
}

/** For each node, the indices of the nodes whose outputs it reads. */
function dependenciesOf(nodes: readonly Node[]): readonly ReadonlySet<number>[] {
  const producers = new Map<string, number>();
  nodes.forEach(({ outputs }, index) => {
    for (const output of outputs) if (output !== "") producers.set(output, index);
  });
  return nodes.map((node) => {
    const of = new Set<number>();
    for (const value of readsOf(node)) {
      const producer = producers.get(value);
      if (producer !== undefined) of.add(producer);
    }
    return of;
  });
}

/** A cycle among the nodes that still wait: each of them waits for another that does. */
function findCycle(
  nodes: readonly Node[],
  dependencies: readonly ReadonlySet<number>[],
  waiting: readonly number[],
): readonly Node[] {
  const seen = new Map<number, number>();
  const path: number[] = [];
  let at = waiting.findIndex((count) => count > 0);
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = [...(dependencies[at] ?? [])].find((index) => (waiting[index] ?? 0) > 0) ?? at;
  }
  const cycle = path.slice(seen.get(at)).reverse();
  return cycle.flatMap((index) => nodes[index] ?? []);
}

/** A binary heap of node indices, least first. */
class IndexHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    let at = this.#items.length;
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= item) break;
      this.#items[at] = this.#at(parent);
      at = parent;
    }
    this.#items[at] = item;
  }

  pop(): number | undefined {
    const [least] = this.#items;
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return least;
    let at = 0;
    for (let child = 1; child < this.#items.length; child = 2 * at + 1) {
      if (this.#at(child + 1) < this.#at(child)) child++;
      if (this.#at(child) >= last) break;
      this.#items[at] = this.#at(child);
      at = child;
    }
    this.#items[at] = last;
    return least;
  }

  #at(index: number): number {
    return this.#items[index] ?? Number.POSITIVE_INFINITY;
  }
}
