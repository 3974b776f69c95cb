// Everything that a model stores: initialisers and Constant nodes of all its graphs, and weights that a
// ConstantOfShape node makes up before the run. Nothing is read of the elements themselves.

import {
  byteLength,
  constantOf,
  type DataType,
  elementCount,
  type Graph,
  type GraphShapes,
  intOf,
  liveNodes,
  type Node,
  subGraphsOf,
  type Tensor,
  typeOfValue,
} from "../../onnx/index.ts";
import { type Reader, roleOf, type TensorRole } from "./tensor-role.ts";

export interface StoredTensor {
  readonly name: string;
  readonly dataType: DataType | null;
  /** Numbers in it; packed weights of few bits count one by one. */
  readonly elements: number;
  /** Bytes in the file or beside it; 0 for what is made up, or lies where another tensor does. */
  readonly bytes: number;
  readonly role: TensorRole;
  /** The first node that reads it, to which its cost belongs. */
  readonly owner: Node | null;
  /** Null for a tensor that a ConstantOfShape node makes. */
  readonly tensor: Tensor | null;
  /** Made before the run; the node that makes it is not counted as work. */
  readonly maker: Node | null;
}

/** All stored tensors, those of sub-graphs after those around them. */
export function storedTensors(graph: Graph, shapes: GraphShapes): readonly StoredTensor[] {
  const found: Found[] = [];
  collect(graph, { shapes, outer: null, found });
  const seen = new Set<unknown>();
  return found.map(({ name, tensor, maker, size, readers, isOutput }) => {
    const identity = identityOf(tensor);
    // Shared memory is counted once, under the name that comes first.
    const repeated = identity !== null && seen.has(identity);
    if (identity !== null) seen.add(identity);
    const facts = { dataType: size.dataType, elements: packedElements(size.elements, readers) };
    return {
      name,
      ...facts,
      elements: repeated ? 0 : facts.elements,
      bytes: tensor === null || repeated ? 0 : byteLength(tensor),
      role: roleOf(facts, readers, isOutput),
      owner: readers[0]?.node ?? null,
      tensor,
      maker,
    };
  });
}

/** A weight that is only turned or seen otherwise belongs to the node that reads the result. */
const PASSED_ON: ReadonlySet<string> = new Set([
  "Cast",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

interface Found {
  readonly name: string;
  readonly tensor: Tensor | null;
  readonly maker: Node | null;
  readonly size: { readonly dataType: DataType | null; readonly elements: number };
  readonly readers: Reader[];
  isOutput: boolean;
}

interface Names {
  readonly own: Map<string, Found | null>;
  readonly outer: Names | null;
}

interface Collecting {
  readonly shapes: GraphShapes | null;
  readonly outer: Names | null;
  readonly found: Found[];
}

function collect(graph: Graph, { shapes, outer, found }: Collecting): void {
  const names: Names = { own: new Map(), outer };
  const keep = (one: Omit<Found, "readers" | "isOutput">): void => {
    const kept: Found = { ...one, readers: [], isOutput: false };
    names.own.set(one.name, kept);
    found.push(kept);
  };
  const sizeOf = (tensor: Tensor) => ({
    dataType: tensor.dataType,
    elements: elementCount(tensor),
  });
  for (const { name } of graph.inputs) names.own.set(name, null);
  for (const tensor of graph.initializers) {
    keep({ name: tensor.name ?? "", tensor, maker: null, size: sizeOf(tensor) });
  }
  for (const { values } of graph.sparseInitializers) {
    // What is stored are the values that are not zero.
    if (values !== undefined)
      keep({ name: values.name ?? "", tensor: values, maker: null, size: sizeOf(values) });
  }
  const live = liveNodes(graph);
  for (const node of graph.nodes) {
    const [name = ""] = node.outputs;
    const constant = constantOf(node);
    const turned = PASSED_ON.has(node.opType) ? find(names, node.inputs[0] ?? "") : null;
    for (const output of node.outputs) names.own.set(output, turned);
    if (constant !== null) keep({ name, tensor: constant, maker: node, size: sizeOf(constant) });
    else {
      const made = shapes === null ? null : madeUp(node, names, shapes);
      if (made !== null) keep({ name, tensor: null, maker: node, size: made });
    }
    if (!live.has(node)) continue;
    node.inputs.forEach((value, input) => {
      if (turned !== null && input === 0) return;
      find(names, value)?.readers.push({ node, input });
    });
    for (const { graph: inner } of subGraphsOf(node)) {
      const body = shapes?.bodies.get(node)?.find(({ of }) => of === inner)?.shapes ?? null;
      collect(inner, { shapes: body, outer: names, found });
    }
  }
  for (const { name } of graph.outputs) {
    const output = find(names, name);
    if (output !== null) output.isOutput = true;
  }
}

function find(names: Names, value: string): Found | null {
  for (let at: Names | null = names; at !== null; at = at.outer) {
    const known = at.own.get(value);
    if (known !== undefined) return known;
  }
  return null;
}

/** Elements of what a ConstantOfShape node makes from a stored shape; null for every other node. */
function madeUp(node: Node, names: Names, shapes: GraphShapes): Found["size"] | null {
  if (node.opType !== "ConstantOfShape" || (node.domain ?? "") !== "") return null;
  if (find(names, node.inputs[0] ?? "") === null) return null;
  const type = typeOfValue(shapes, node.outputs[0] ?? "");
  if (type?.kind !== "tensor" || type.shape === null) return null;
  let elements = 1;
  for (const size of type.shape) {
    if (typeof size !== "number") return null;
    elements *= size;
  }
  return { dataType: type.elementType, elements };
}

/** What tells that two tensors are the same memory: the same data, or the same place in the same file. */
function identityOf(tensor: Tensor | null): unknown {
  if (tensor === null) return null;
  const { data } = tensor;
  if (data.kind !== "external") return data.kind === "none" ? null : data;
  const entry = (key: string): string => data.entries.find((of) => of.key === key)?.value ?? "";
  return JSON.stringify([entry("location"), entry("offset"), tensor.dims.map(Number)]);
}

/** Weights of 4 bits lie two a byte in `MatMulNBits`, or as its attribute `bits` says. */
function packedElements(elements: number, readers: readonly Reader[]): number {
  const [packed] = readers;
  if (packed === undefined || packed.input !== 1) return elements;
  if (packed.node.opType !== "MatMulNBits" && packed.node.opType !== "MatMulBnb4") return elements;
  return intOf(packed.node, "N", 0) * intOf(packed.node, "K", 0);
}
