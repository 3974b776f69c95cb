// Puts the nodes of model-local functions in the place of the nodes that call them (onnx, IR.md,
// "Functions"), so that everything after sees operators only.

import { mapSubGraphs, subGraphsOf } from "./attributes.ts";
import { findRecursion, functionKey, keyOf } from "./function-calls.ts";
import { freshNames, namesIn } from "./graph-index.ts";
import type { Attribute, FunctionDefinition, Graph, Model, Node, OpsetImport } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { canonicalDomain } from "./operator-table.ts";
import { renameNode } from "./rename.ts";

/** Functions that call functions can multiply beyond any memory; more nodes than this are refused. */
const MAX_NODES = 1_000_000;

/** Calls inside calls; deeper ones are no work of an exporter. */
const MAX_DEPTH = 64;

/**
 * The model without functions. Throws ModelError when functions call themselves, speak another opset
 * than the model, or would become more than a million nodes.
 */
export function inlineFunctions(model: Model): Model {
  if (model.functions.length === 0) return model;
  const recursion = findRecursion(model.functions);
  if (recursion !== null) {
    throw new ModelError(`functions that call themselves: ${recursion.join(" -> ")}`, "functions");
  }
  const { graph } = model;
  const names = graph === undefined ? new Set<string>() : namesIn(graph);
  const functions = new Map(model.functions.map((of) => [keyOf(of), of]));
  const nodes = expandedCount(graph?.nodes ?? [], { functions, counts: new Map(), depth: 0 });
  if (nodes > MAX_NODES) {
    throw new ModelError(`functions that become more than ${MAX_NODES} nodes`, "functions");
  }
  const opsets = opsetsOf(model.opsetImports);
  const run: InlineRun = { functions, opsets, fresh: freshNames(names) };
  const inlined = graph === undefined ? {} : { graph: inlineIn(graph, run) };
  const known = [...run.opsets].map(([domain, version]) => ({ domain, version }));
  const imported = new Set(model.opsetImports.map(({ domain }) => canonicalDomain(domain)));
  const added = known.filter(({ domain }) => !imported.has(domain));
  return {
    ...model,
    ...inlined,
    functions: [],
    opsetImports: [...model.opsetImports, ...added],
  };
}

interface InlineRun {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** The model's operator sets, to which functions add domains that the model does not import. */
  readonly opsets: Map<string, bigint>;
  readonly fresh: (wanted: string) => string;
}

/** What a count goes by; `counts` are those of functions, known so far. */
interface Counting {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly counts: Map<string, number>;
  readonly depth: number;
}

/** Nodes that nodes become when every call is replaced, without replacing any. */
function expandedCount(nodes: readonly Node[], counting: Counting): number {
  if (counting.depth > MAX_DEPTH) {
    throw new ModelError(`calls nested deeper than ${MAX_DEPTH}`, "functions");
  }
  const deeper = { ...counting, depth: counting.depth + 1 };
  let count = 0;
  for (const node of nodes) {
    for (const { graph } of subGraphsOf(node)) count += expandedCount(graph.nodes, deeper);
    const key = functionKey(node.domain, node.opType, node.overload);
    const called = counting.functions.get(key);
    const inside =
      called === undefined ? 1 : (counting.counts.get(key) ?? expandedCount(called.nodes, deeper));
    if (called !== undefined) counting.counts.set(key, inside);
    count += inside;
  }
  return count;
}

function inlineIn(graph: Graph, run: InlineRun): Graph {
  return { ...graph, nodes: graph.nodes.flatMap((node) => inlineNode(node, run)) };
}

function inlineNode(node: Node, run: InlineRun): readonly Node[] {
  const inner = mapSubGraphs(node, (graph) => inlineIn(graph, run));
  const definition = run.functions.get(functionKey(node.domain, node.opType, node.overload));
  if (definition === undefined) return [inner];
  requireSameOpsets(definition, run);
  return bodyOf(definition, inner, run).flatMap((of) => inlineNode(of, run));
}

function requireSameOpsets({ name, opsetImports }: FunctionDefinition, run: InlineRun): void {
  for (const { domain, version = 0n } of opsetImports) {
    const key = canonicalDomain(domain);
    const ours = run.opsets.get(key);
    if (ours === undefined) run.opsets.set(key, version);
    else if (ours !== version) {
      const set = key === "" ? "ai.onnx" : key;
      const message = `it speaks ${set} ${version} where the model speaks ${ours}`;
      throw new ModelError(message, `function "${name}"`, {
        hint: "Upgrade the model first; that brings functions and graph to one opset.",
      });
    }
  }
}

/** The function's nodes with the caller's values, attributes and names. */
function bodyOf(definition: FunctionDefinition, call: Node, run: InlineRun): readonly Node[] {
  const label = call.name || call.outputs.find((output) => output !== "") || call.opType;
  const renaming = new Map<string, string>();
  definition.inputs.forEach((name, index) => {
    renaming.set(name, call.inputs[index] ?? "");
  });
  const copies: Node[] = [];
  definition.outputs.forEach((name, index) => {
    const output = call.outputs[index] ?? "";
    const source = renaming.get(name);
    // A function may hand on an input, and name one value as two outputs.
    if (output === "") return;
    if (source === undefined) renaming.set(name, output);
    else copies.push(identity(source, output, run));
  });
  const fresh = (name: string): string => run.fresh(`${label}/${name}`);
  for (const { outputs } of definition.nodes) {
    for (const name of outputs) {
      if (name !== "" && !renaming.has(name)) renaming.set(name, fresh(name));
    }
  }
  const attributes = attributesOf(definition, call);
  const nodes = definition.nodes.map((node): Node => {
    const renamed = renameNode(withOwnNames(node, fresh), renaming);
    const name = fresh(node.name || node.opType.toLowerCase());
    return { ...resolveReferences(renamed, attributes), name };
  });
  return [...nodes, ...copies];
}

/** The node with values inside its sub-graphs under new names, so that two calls do not share them. */
function withOwnNames(node: Node, fresh: (name: string) => string): Node {
  if (subGraphsOf(node).length === 0) return node;
  return mapSubGraphs(node, (graph) => {
    const own = new Map<string, string>();
    const take = (name: string | undefined): void => {
      if (name !== undefined && name !== "") own.set(name, fresh(name));
    };
    for (const { name } of graph.inputs) take(name);
    for (const { name } of graph.initializers) if (name !== undefined && !own.has(name)) take(name);
    for (const { outputs } of graph.nodes) outputs.forEach(take);
    const rename = <T extends { readonly name?: string }>(of: T): T => {
      const name = own.get(of.name ?? "");
      return name === undefined ? of : { ...of, name };
    };
    return {
      ...graph,
      inputs: graph.inputs.map(rename),
      outputs: graph.outputs.map(rename),
      valueInfos: graph.valueInfos.map(rename),
      initializers: graph.initializers.map(rename),
      sparseInitializers: graph.sparseInitializers.map((of) =>
        of.values === undefined ? of : { ...of, values: rename(of.values) },
      ),
      nodes: graph.nodes.map((inner) => renameNode(withOwnNames(inner, fresh), own)),
    };
  });
}

/** Attributes of a call, with the function's defaults for those left out. */
function attributesOf(
  { attributeDefaults }: FunctionDefinition,
  call: Node,
): ReadonlyMap<string, Attribute> {
  return new Map([...attributeDefaults, ...call.attributes].map((of) => [of.name, of]));
}

/** References to the function's attributes become their values; those without one are left out. */
function resolveReferences(node: Node, values: ReadonlyMap<string, Attribute>): Node {
  const inner = mapSubGraphs(node, (graph) => ({
    ...graph,
    nodes: graph.nodes.map((of) => resolveReferences(of, values)),
  }));
  const attributes = inner.attributes.flatMap((attribute): Attribute[] => {
    if (attribute.kind !== "reference") return [attribute];
    const value = values.get(attribute.value);
    return value === undefined ? [] : [{ ...value, name: attribute.name }];
  });
  return { ...inner, attributes };
}

function identity(source: string, output: string, run: InlineRun): Node {
  return {
    opType: "Identity",
    name: run.fresh(`${output}/identity`),
    inputs: [source],
    outputs: [output],
    attributes: [],
    metadata: [],
  };
}

function opsetsOf(imports: readonly OpsetImport[]): Map<string, bigint> {
  return new Map(imports.map(({ domain, version = 0n }) => [canonicalDomain(domain), version]));
}
