// Models of a few nodes, written in one line each, for tests.

import type {
  Attribute,
  DataType,
  Graph,
  Model,
  Node,
  Tensor,
  ValueInfo,
} from "../src/onnx/index.ts";

/** A shape such as `[2, "seq"]` is an input, a tensor is a constant, null is left out. */
export type SmallInput = readonly (number | string)[] | SmallTyped | Tensor | null;

interface SmallTyped {
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
}

type SmallAttribute =
  | number
  | string
  | readonly number[]
  | Tensor
  | Graph
  | { readonly float: number }
  | { readonly floats: readonly number[] };

export type SmallAttributes = Readonly<Record<string, SmallAttribute>>;

export const ints = (
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Tensor => ({
  dims: dims.map(BigInt),
  dataType: "int64",
  data: { kind: "int64", values: BigInt64Array.from(values.map(BigInt)) },
  metadata: [],
});

export const floats = (
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Tensor => ({
  dims: dims.map(BigInt),
  dataType: "float32",
  data: { kind: "float32", values: Float32Array.from(values) },
  metadata: [],
});

export const scalar = (value: number): Tensor => ints([value], []);

export function node(
  opType: string,
  [inputs, outputs]: readonly [readonly string[], readonly string[]],
  attributes: SmallAttributes = {},
  domain = "",
): Node {
  return {
    opType,
    domain,
    inputs,
    outputs,
    attributes: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
    metadata: [],
  };
}

function attributeOf(name: string, value: SmallAttribute): Attribute {
  if (typeof value === "number") return { name, kind: "int", value: BigInt(value) };
  if (typeof value === "string")
    return { name, kind: "string", value: new TextEncoder().encode(value) };
  if ("float" in value) return { name, kind: "float", value: value.float };
  if ("floats" in value) return { name, kind: "floats", value: value.floats };
  if ("nodes" in value) return { name, kind: "graph", value };
  if ("dims" in value) return { name, kind: "tensor", value };
  return { name, kind: "ints", value: value.map(BigInt) };
}

const isTensor = (input: SmallInput): input is Tensor => input !== null && "dims" in input;

const infoOf = (name: string, input: Exclude<SmallInput, Tensor | null>): ValueInfo => {
  const { type, shape } = "type" in input ? input : { type: "float32" as const, shape: input };
  return {
    name,
    type: {
      kind: "tensor",
      elementType: type,
      shape: shape.map((size) =>
        typeof size === "number" ? { value: BigInt(size) } : { parameter: size },
      ),
    },
    metadata: [],
  };
};

export interface SmallGraph {
  readonly inputs?: Readonly<Record<string, SmallInput>>;
  readonly nodes: readonly Node[];
  readonly outputs?: readonly string[];
}

export function graph({ inputs = {}, nodes, outputs }: SmallGraph): Graph {
  const given = Object.entries(inputs);
  return {
    name: "small",
    nodes,
    initializers: given.flatMap(([name, input]) => (isTensor(input) ? [{ ...input, name }] : [])),
    sparseInitializers: [],
    inputs: given.flatMap(([name, input]) =>
      input === null || isTensor(input) ? [] : [infoOf(name, input)],
    ),
    outputs: (outputs ?? nodes.at(-1)?.outputs ?? []).map((name) => ({ name, metadata: [] })),
    valueInfos: [],
    metadata: [],
  };
}

export function model(of: SmallGraph, opset = 21): Model {
  return {
    irVersion: 8n,
    graph: graph(of),
    opsetImports: [
      { domain: "", version: BigInt(opset) },
      { domain: "com.microsoft", version: 1n },
    ],
    metadata: [],
    functions: [],
  };
}

/** One node over the inputs in their order; its outputs are y0, y1 ... */
export function single(
  opType: string,
  inputs: Readonly<Record<string, SmallInput>>,
  {
    attributes = {},
    opset = 21,
    outputs = 1,
    domain = "",
  }: {
    readonly attributes?: SmallAttributes;
    readonly opset?: number;
    readonly outputs?: number;
    readonly domain?: string;
  } = {},
): Model {
  const names = Object.entries(inputs).map(([name, input]) => (input === null ? "" : name));
  const results = Array.from({ length: outputs }, (_, index) => `y${index}`);
  return model({ inputs, nodes: [node(opType, [names, results], attributes, domain)] }, opset);
}
