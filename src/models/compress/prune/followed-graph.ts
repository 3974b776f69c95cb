// The coupling of a whole graph: every node's rule, in order, then what may not change at all.

import {
  canonicalDomain,
  type Graph,
  type Item,
  inferShapes,
  type Model,
  type Node,
  outsideReads,
  type Shape,
  subGraphsOf,
  typeOfValue,
} from "../../../onnx/index.ts";
import { nameOfNode } from "../layer.ts";
import { type AxisRef, type Coupling, createCoupling } from "./coupling.ts";
import { type Relating, type Role, Unfollowed } from "./relating.ts";
import { ruleOf } from "./rules/index.ts";

/** What an axis of a stored tensor is to a node that reads it. */
export interface Reading {
  readonly node: Node;
  readonly role: Role;
}

/** A graph with its axes coupled. */
export interface FollowedGraph {
  readonly graph: Graph;
  readonly opset: number;
  readonly coupling: Coupling;
  /** By `axis value`. */
  readonly readings: ReadonlyMap<string, readonly Reading[]>;
  /** Sets over which some normalisation averages. */
  readonly normalised: readonly AxisRef[];
  shape(value: string): Shape | null;
  integers(value: string): readonly number[] | null;
}

export const readingKey = ([value, axis]: AxisRef): string => `${axis} ${value}`;

/** Couples the axes of a model whose weights are stored. */
export function followGraph(model: Model): FollowedGraph {
  const { graph } = model;
  if (graph === undefined) throw new RangeError("a model without a graph");
  const shapes = inferShapes(model).graph;
  const coupling = createCoupling();
  const readings = new Map<string, Reading[]>();
  const normalised: AxisRef[] = [];
  const opset = Number(
    model.opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 1n,
  );
  const shape = (value: string): Shape | null => {
    const type = typeOfValue(shapes, value);
    return type?.kind === "tensor" ? type.shape : null;
  };
  const integers = (value: string): readonly number[] | null =>
    wholeNumbers(shapes.constants.get(value));
  const followed = { graph, opset, coupling, readings, normalised, shape, integers };
  // Reshapes choose the axis that they follow among those that may change: the others speak first.
  const late: Node[] = [];
  freezePorts(graph, followed);
  for (const node of graph.nodes) {
    if (RESHAPES.has(node.opType)) late.push(node);
    else relateNode(node, followed);
  }
  for (const node of late) relateNode(node, followed);
  return followed;
}

const RESHAPES = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

function wholeNumbers(items: readonly Item[] | undefined): readonly number[] | null {
  if (items === undefined) return null;
  const numbers = items.filter((item) => typeof item === "number");
  return numbers.length === items.length ? numbers : null;
}

/** Whoever feeds the graph and reads what it gives counts on its shapes. */
function freezePorts(graph: Graph, followed: Growing): void {
  for (const { name } of graph.inputs) freezeValue(followed, name, `it is the input "${name}"`);
  for (const { name } of graph.outputs) freezeValue(followed, name, `it is the output "${name}"`);
}

type Growing = Pick<FollowedGraph, "coupling" | "shape" | "integers" | "opset"> & {
  readonly readings: Map<string, Reading[]>;
  readonly normalised: AxisRef[];
};

function relateNode(node: Node, followed: Growing): void {
  const at = relatingOf(node, followed);
  const rule = (node.domain ?? "") === "" ? ruleOf(node.opType, followed.opset) : null;
  const where = `${node.opType} "${nameOfNode(node)}"`;
  const stop = (why: string): void => {
    const inner = subGraphsOf(node).flatMap(({ graph }) => [...outsideReads(graph)]);
    for (const value of [...node.inputs, ...node.outputs, ...inner]) {
      if (value !== "") at.freezeValue(value, `${where}: ${why}`);
    }
  };
  if (rule === null) {
    stop("this operator is not followed");
    return;
  }
  try {
    rule.relate(at);
  } catch (error) {
    if (!(error instanceof Unfollowed)) throw error;
    stop(error.message);
  }
}

function freezeValue({ coupling, shape }: Growing, value: string, reason: string): void {
  for (const [axis, size] of (shape(value) ?? []).entries()) {
    if (typeof size !== "number" || size < 2) continue;
    const { first } = coupling.elements([value, axis], size);
    for (let i = 0; i < size; i++) coupling.freeze(first + i, reason);
  }
}

function relatingOf(node: Node, followed: Growing): Relating {
  const { coupling, shape, integers, readings, normalised } = followed;
  const sizeOf = ([value, axis]: AxisRef): number | null => {
    const size = shape(value)?.[axis];
    return typeof size === "number" && size > 1 ? size : null;
  };
  const fixedSize = ([value, axis]: AxisRef): number | null => {
    const size = shape(value)?.[axis];
    return typeof size === "number" ? size : null;
  };
  const where = `${node.opType} "${nameOfNode(node)}"`;
  const freeze = (ref: AxisRef, reason: string): void => {
    const size = sizeOf(ref);
    if (size === null) return;
    const { first } = coupling.elements(ref, size);
    for (let i = 0; i < size; i++) coupling.freeze(first + i, `${where}: ${reason}`);
  };
  const map: Relating["map"] = (from, onto, to) => {
    const [a, b] = [fixedSize(from), fixedSize(onto)];
    if (a === null || b === null) {
      for (const ref of [from, onto]) freeze(ref, "its partner has no fixed size");
      return;
    }
    const [left, right] = [coupling.elements(from, a), coupling.elements(onto, b)];
    // Axes of size 1 are broadcast elsewhere: they keep their only index.
    if (a === 1) coupling.freeze(left.first, `${where}: it is a single index`);
    if (b === 1) coupling.freeze(right.first, `${where}: it is a single index`);
    for (let i = 0; i < a; i++) {
      const index = to(i);
      if (index !== null) coupling.join(left.first + i, right.first + index);
    }
  };
  return {
    node,
    shape,
    integers,
    map,
    freeze,
    same(a, b) {
      const [left, right] = [sizeOf(a), sizeOf(b)];
      if (left === null || right === null) return;
      if (left === right) map(a, b, (index) => index);
      else for (const ref of [a, b]) freeze(ref, "sizes differ that should not");
    },
    join([a, i], [b, j]) {
      const [left, right] = [sizeOf(a), sizeOf(b)];
      if (left === null || right === null) return;
      coupling.join(coupling.elements(a, left).first + i, coupling.elements(b, right).first + j);
    },
    blocks(ref, length) {
      const size = sizeOf(ref);
      if (size === null) return;
      const { first } = coupling.elements(ref, size);
      for (let i = 0; i < size; i++) coupling.join(first + i, first + i - (i % length));
    },
    freezeValue: (value, reason) => freezeValue(followed, value, reason),
    isFixed(ref) {
      const size = sizeOf(ref);
      if (size === null) return true;
      const { first } = coupling.elements(ref, size);
      for (let i = 0; i < size; i++) if (coupling.frozen(first + i) === null) return false;
      return true;
    },
    normalised: (ref) => {
      if (sizeOf(ref) !== null) normalised.push(ref);
    },
    role(ref, role) {
      const key = readingKey(ref);
      const list = readings.get(key) ?? [];
      if (list.length === 0) readings.set(key, list);
      list.push({ node, role });
    },
  };
}
