// Reading and making the attributes of a node.

import type { Attribute, Graph, Node, Tensor } from "./model.ts";
import { ModelError } from "./model-error.ts";

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** The attribute of a name; null when the node has none. */
export function attributeOf(node: Node, name: string): Attribute | null {
  return node.attributes.find((attribute) => attribute.name === name) ?? null;
}

/** Value of an integer attribute, or `fallback` when it is left out. Throws ModelError for another kind. */
export function intOf<T>(node: Node, name: string, fallback: T): number | T {
  const attribute = attributeOf(node, name);
  if (attribute === null) return fallback;
  if (attribute.kind !== "int") throw wrongKind(node, attribute, "int");
  return Number(attribute.value);
}

/** Value of an attribute of integers, or `fallback` when it is left out. */
export function intsOf<T>(node: Node, name: string, fallback: T): readonly number[] | T {
  const attribute = attributeOf(node, name);
  if (attribute === null) return fallback;
  if (attribute.kind !== "ints") throw wrongKind(node, attribute, "ints");
  return attribute.value.map(Number);
}

/** Value of a float attribute, or `fallback` when it is left out. */
export function floatOf<T>(node: Node, name: string, fallback: T): number | T {
  const attribute = attributeOf(node, name);
  if (attribute === null) return fallback;
  if (attribute.kind !== "float") throw wrongKind(node, attribute, "float");
  return attribute.value;
}

/** Value of an attribute of floats, or `fallback` when it is left out. */
export function floatsOf<T>(node: Node, name: string, fallback: T): readonly number[] | T {
  const attribute = attributeOf(node, name);
  if (attribute === null) return fallback;
  if (attribute.kind !== "floats") throw wrongKind(node, attribute, "floats");
  return attribute.value;
}

/** Value of a text attribute, or `fallback` when it is left out. */
export function textOf<T>(node: Node, name: string, fallback: T): string | T {
  const attribute = attributeOf(node, name);
  if (attribute === null) return fallback;
  if (attribute.kind !== "string") throw wrongKind(node, attribute, "string");
  return utf8.decode(attribute.value);
}

/** Attributes by the kind their maker means. */
export const attribute = {
  int: (name: string, value: number | bigint): Attribute => ({
    name,
    kind: "int",
    value: BigInt(value),
  }),
  ints: (name: string, value: readonly (number | bigint)[]): Attribute => ({
    name,
    kind: "ints",
    value: value.map(BigInt),
  }),
  float: (name: string, value: number): Attribute => ({ name, kind: "float", value }),
  floats: (name: string, value: readonly number[]): Attribute => ({ name, kind: "floats", value }),
  text: (name: string, value: string): Attribute => ({
    name,
    kind: "string",
    value: toUtf8.encode(value),
  }),
  tensor: (name: string, value: Tensor): Attribute => ({ name, kind: "tensor", value }),
  graph: (name: string, value: Graph): Attribute => ({ name, kind: "graph", value }),
} as const;

/** The node with these attributes added, each in place of one of its name. */
export function withAttributes(node: Node, attributes: readonly Attribute[]): Node {
  const names = new Set(attributes.map(({ name }) => name));
  const kept = node.attributes.filter(({ name }) => !names.has(name));
  return { ...node, attributes: [...kept, ...attributes] };
}

/** The node without the attributes of these names. */
export function withoutAttributes(node: Node, ...names: readonly string[]): Node {
  const attributes = node.attributes.filter(({ name }) => !names.includes(name));
  return { ...node, attributes };
}

/** A sub-graph of a node, and where it stands: `then_branch`, or `branches[2]` in a list. */
export interface SubGraph {
  readonly where: string;
  readonly graph: Graph;
}

/** The graphs that a node carries as attributes: branches of If, bodies of Loop and Scan. */
export function subGraphsOf(node: Node): readonly SubGraph[] {
  return node.attributes.flatMap(({ name, kind, value }): SubGraph[] => {
    if (kind === "graph") return [{ where: name, graph: value }];
    if (kind !== "graphs") return [];
    return value.map((graph, index) => ({ where: `${name}[${index}]`, graph }));
  });
}

/** The node with each of its sub-graphs replaced. */
export function mapSubGraphs(node: Node, change: (graph: Graph) => Graph): Node {
  if (subGraphsOf(node).length === 0) return node;
  const attributes = node.attributes.map((of): Attribute => {
    if (of.kind === "graph") return { ...of, value: change(of.value) };
    return of.kind === "graphs" ? { ...of, value: of.value.map(change) } : of;
  });
  return { ...node, attributes };
}

function wrongKind(node: Node, { name, kind }: Attribute, wanted: string): ModelError {
  const message = `attribute "${name}" is of kind ${kind} where ${node.opType} has ${wanted}`;
  return new ModelError(message, `node "${node.name ?? ""}" (${node.opType})`);
}
