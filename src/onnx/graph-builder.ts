// One graph under construction: names, types as far as they are known, nodes in topological order.
// The builder of a model (builder.ts) starts it and ends it.

import { type AttributeValues, attributesFrom } from "./attribute-from.ts";
import { bindTypes } from "./check/bind-types.ts";
import type { DataType, Graph, Node, Tensor, ValueInfo, ValueType } from "./model.ts";
import { ModelError } from "./model-error.ts";
import type { NamePool } from "./name-pool.ts";
import type { OperatorSchema, OperatorTable } from "./operator-table.ts";
import { type Renaming, renameNode } from "./rename.ts";
import { type TensorParts, tensorOf } from "./tensor-of.ts";
import { type ShapeDimension, tensorType, typeName } from "./value-type.ts";

/** An operator: its name in ai.onnx, or what else there is to say of the node. */
export type NodeKind =
  | string
  | {
      readonly type: string;
      readonly domain?: string;
      /** Name of the node within its scope; made from the type when left out. */
      readonly name?: string;
    };

/** How a graph is told what it gives. */
export interface OutputOptions {
  /** The output's name; that of the value when left out. */
  readonly name?: string;
  /** Stated type; the element type is derived where it can be when left out. */
  readonly type?: ValueType;
}

/** Grows one graph. Values are handed around by their names. */
export interface GraphBuilder {
  /** An input tensor; dimensions are sizes, names (`batch`) or null. Gives its name. */
  input(name: string, dataType: DataType, shape?: readonly ShapeDimension[]): string;
  /** An input of any type, such as a sequence. */
  inputOf(name: string, type: ValueType): string;
  /** A stored tensor under a name of this scope. */
  initializer(name: string, tensor: Tensor): string;
  /** A stored tensor from values: `constant("float32", { dims: [2], values: [1, 2] })`. */
  constant(dataType: DataType, parts: TensorParts): string;
  /** A node with one output, whose name is given back. "" stands for an input that is left out. */
  op(kind: NodeKind, inputs: readonly string[], attributes?: AttributeValues): string;
  /** A node with several outputs; `outputs` is their number. */
  ops(
    kind: NodeKind,
    inputs: readonly string[],
    options: { readonly outputs: number; readonly attributes?: AttributeValues },
  ): readonly string[];
  /** The same graph, with names under `name/`. A name that is taken gets a number. */
  scope(name: string): GraphBuilder;
  /** A graph for an attribute (a branch, a body). It may read the values made so far. */
  subGraph(name: string, build: (body: GraphBuilder) => void): Graph;
  /** Makes a value an output of the graph. */
  output(value: string, options?: OutputOptions): void;
}

/** A graph before anything is in it. */
export const NOTHING: Graph = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
  metadata: [],
};

/** What all graphs of one model share. */
interface Shared {
  readonly operators: OperatorTable;
  readonly opsets: Map<string, number>;
  readonly names: NamePool;
}

/** A graph under construction. */
export interface GrowingGraph {
  readonly shared: Shared;
  readonly parent: GrowingGraph | null;
  /** Types of the values made so far; null where not known. */
  readonly values: Map<string, string | null>;
  readonly nodes: Node[];
  readonly initializers: Tensor[];
  readonly inputs: ValueInfo[];
  readonly outputs: { readonly value: string; readonly options: OutputOptions }[];
}

export function newGraph(shared: Shared, parent: GrowingGraph | null): GrowingGraph {
  return {
    shared,
    parent,
    values: new Map(),
    nodes: [],
    initializers: [],
    inputs: [],
    outputs: [],
  };
}

export function builderOf(graph: GrowingGraph, prefix: string): GraphBuilder {
  const { names } = graph.shared;
  const inputOf = (wanted: string, type: ValueType): string => {
    const name = prefix === "" ? wanted : names.fresh(prefix + wanted);
    if (prefix === "" && (name === "" || !names.take(name))) throw taken(name);
    graph.inputs.push({ name, type, metadata: [] });
    graph.values.set(name, typeName(type));
    return name;
  };
  const store = (name: string, tensor: Tensor): string => {
    graph.initializers.push({ ...tensor, name });
    graph.values.set(name, tensor.dataType);
    return name;
  };
  const ops: GraphBuilder["ops"] = (kind, inputs, { outputs, attributes = {} }) =>
    addNode(graph, { kind, prefix, inputs, outputs, attributes });
  return {
    inputOf,
    ops,
    input: (name, dataType, shape) => inputOf(name, tensorType(dataType, shape)),
    initializer: (name, tensor) => store(names.fresh(prefix + name), tensor),
    constant: (dataType, parts) => {
      const { name } = parts;
      const free =
        name === undefined ? names.numbered(`${prefix}const`) : names.fresh(prefix + name);
      return store(free, tensorOf(dataType, parts));
    },
    op: (kind, inputs, attributes = {}) => ops(kind, inputs, { outputs: 1, attributes })[0] ?? "",
    scope: (name) => builderOf(graph, `${names.fresh(prefix + name)}/`),
    subGraph(name, build) {
      const body = newGraph(graph.shared, graph);
      const label = names.fresh(prefix + name);
      build(builderOf(body, `${label}/`));
      return finishGraph(body, { ...NOTHING, name: label });
    },
    output(value, options = {}) {
      requireValue(graph, value, "output");
      graph.outputs.push({ value, options });
    },
  };
}

/** A node as it is asked for. */
interface NodeRequest {
  readonly kind: NodeKind;
  readonly prefix: string;
  readonly inputs: readonly string[];
  readonly outputs: number;
  readonly attributes: AttributeValues;
}

function addNode(graph: GrowingGraph, request: NodeRequest): readonly string[] {
  const { kind, prefix, inputs, attributes } = request;
  const { names } = graph.shared;
  const { type, domain = "", name: wanted } = typeof kind === "string" ? { type: kind } : kind;
  const name =
    wanted === undefined
      ? names.numbered(prefix + type.toLowerCase())
      : names.fresh(prefix + wanted);
  const where = `node "${name}" (${type})`;
  const schema = schemaOf(graph.shared, { type, domain, where });
  for (const input of inputs) if (input !== "") requireValue(graph, input, where);
  const outputs = Array.from({ length: request.outputs }, (_, index) =>
    index === 0 ? name : names.fresh(`${name}:${index}`),
  );
  const node: Node = {
    opType: type,
    name,
    inputs,
    outputs,
    attributes: attributesFrom(attributes, schema, where),
    metadata: [],
    ...(domain === "" ? {} : { domain }),
  };
  const types = schema === null ? [] : typesOf(node, schema, { graph, where });
  outputs.forEach((output, index) => {
    graph.values.set(output, types[index] ?? null);
  });
  graph.nodes.push(node);
  return outputs;
}

function typesOf(
  node: Node,
  schema: OperatorSchema,
  { graph, where }: { readonly graph: GrowingGraph; readonly where: string },
): readonly (string | null)[] {
  const { outputs, faults } = bindTypes(node, schema, (value) => typeIn(graph, value));
  const [fault] = faults;
  if (fault === undefined) return outputs;
  throw new ModelError(fault, where, { hint: "Insert a Cast, or use another type." });
}

/** The operator's schema; null in a domain that is not known. Imports the domain when it is new. */
function schemaOf(
  { operators, opsets }: Shared,
  {
    type,
    domain,
    where,
  }: { readonly type: string; readonly domain: string; readonly where: string },
): OperatorSchema | null {
  const latest = operators.latest(domain);
  const opset = opsets.get(domain) ?? latest ?? 1;
  opsets.set(domain, opset);
  if (latest === null) return null;
  const schema = operators.find(domain, type, opset);
  if (schema !== null) return schema;
  const [first] = operators.versions(domain, type);
  throw new ModelError(`there is no ${type} in version ${opset} of its domain`, where, {
    hint:
      first === undefined
        ? "Check the operator's name and domain."
        : `It came with opset ${first.since}.`,
  });
}

function requireValue(graph: GrowingGraph, value: string, where: string): void {
  for (let at: GrowingGraph | null = graph; at !== null; at = at.parent) {
    if (at.values.has(value)) return;
  }
  throw new ModelError(`there is no value "${value}" yet`, where, {
    hint: "Build what a node reads before the node.",
  });
}

export function typeIn(graph: GrowingGraph, value: string): string | null {
  for (let at: GrowingGraph | null = graph; at !== null; at = at.parent) {
    const type = at.values.get(value);
    if (type !== undefined) return type;
  }
  return null;
}

/** Outputs get the names that were asked for: by renaming the value, or through an Identity node. */
export function finishGraph(graph: GrowingGraph, base: Graph): Graph {
  const { names } = graph.shared;
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const renaming = new Map<string, string>();
  const given = new Set(base.outputs.map(({ name }) => name));
  // A name that the base gave stays: what it names may be known by it elsewhere.
  const own = new Set(graph.nodes.slice(base.nodes.length).flatMap(({ outputs }) => outputs));
  const copies: Node[] = [];
  const outputs = graph.outputs.map(({ value, options }): ValueInfo => {
    const wanted = options.name ?? value;
    if (wanted !== value && !names.take(wanted)) throw taken(wanted);
    if (made.has(value) && !given.has(value) && (wanted === value || own.has(value))) {
      if (wanted !== value) renaming.set(value, wanted);
      given.add(value);
      return { name: wanted, ...typed(graph, value, options), metadata: [] };
    }
    const copy = wanted === value ? names.fresh(`${value}_output`) : wanted;
    copies.push(identity(value, copy));
    return { name: copy, ...typed(graph, value, options), metadata: [] };
  });
  return {
    ...base,
    nodes: [...graph.nodes, ...copies].map((node) => renamed(node, renaming)),
    initializers: graph.initializers,
    inputs: graph.inputs,
    outputs: [...base.outputs, ...outputs],
  };
}

function renamed(node: Node, renaming: Renaming): Node {
  return renaming.size === 0 ? node : renameNode(node, renaming);
}

function identity(value: string, output: string): Node {
  return {
    opType: "Identity",
    name: output,
    inputs: [value],
    outputs: [output],
    attributes: [],
    metadata: [],
  };
}

/** The type to state of an output: the given one, or the element type where that is known. */
function typed(graph: GrowingGraph, value: string, options: OutputOptions): { type?: ValueType } {
  if (options.type !== undefined) return { type: options.type };
  const type = typeIn(graph, value);
  if (type === null || type.includes("(")) return {};
  return { type: { kind: "tensor", elementType: type as DataType } };
}

function taken(name: string): ModelError {
  return new ModelError(`the name "${name}" is empty or in use`, "", {
    hint: "Give every input and output a name of its own.",
  });
}
