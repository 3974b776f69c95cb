// Brings a model to a newer opset of ai.onnx, operator by operator and version by version, so that it
// computes what it did. What cannot be kept is refused by name; nothing is changed on a guess.

import { mapSubGraphs } from "../attributes.ts";
import { bindTypes } from "../check/bind-types.ts";
import { nodePath } from "../check/diagnostic.ts";
import { freshNames, type GraphIndex, indexGraph, namesIn } from "../graph-index.ts";
import type { FunctionDefinition, Graph, Model, Node, OpsetImport, Tensor } from "../model.ts";
import { ModelError } from "../model-error.ts";
import { canonicalDomain, type OperatorSchema, type OperatorTable } from "../operator-table.ts";
import { typeName } from "../value-type.ts";
import { newNode, type Refusal, type Rewrite, type RuleContext, type UpgradeRule } from "./rule.ts";
import { upgradeRules } from "./rules/index.ts";
import { onlyWidens } from "./widening.ts";

/** The opsets between which every change of an operator is known. */
export const UPGRADE_RANGE = { from: 7, to: 21 } as const;

/** How a model is upgraded. */
export interface UpgradeOptions {
  readonly operators: OperatorTable;
  /** The opset to reach; 21 when left out. */
  readonly target?: number;
  /** Number of dimensions of a value, where the caller knows more than the file says. */
  readonly rankOf?: (value: string) => number | null;
}

/** A node that became others. */
export interface UpgradeChange {
  /** Where the node stands in the old model. */
  readonly path: string;
  /** The version that made the change necessary. */
  readonly version: number;
  /** Operator types of what stands in its place. */
  readonly became: readonly string[];
}

/** A node that keeps the model from being upgraded. */
export interface UpgradeRefusal {
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

/** The upgraded model, or all that stands in the way. */
export type Upgrade =
  | {
      readonly status: "upgraded";
      readonly model: Model;
      readonly changes: readonly UpgradeChange[];
    }
  | { readonly status: "refused"; readonly refusals: readonly UpgradeRefusal[] };

/** Brings a model's ai.onnx operators to an opset. Other domains stay as they are. */
export function upgradeModel(model: Model, options: UpgradeOptions): Upgrade {
  const { operators, target = UPGRADE_RANGE.to, rankOf = () => null } = options;
  const refusals: UpgradeRefusal[] = [];
  const changes: UpgradeChange[] = [];
  const names = new Set([...(model.graph ? namesIn(model.graph) : []), ...functionNames(model)]);
  const run = { operators, target, rankOf, refusals, changes, fresh: freshNames(names) };
  const functions = model.functions.map((of, index) =>
    upgradeFunction(of, `functions[${index}] "${of.name}"`, run),
  );
  const from = opsetOf(model.opsetImports);
  const fault = rangeFault(from, target);
  if (fault !== null) return { status: "refused", refusals: [fault] };
  const graph =
    model.graph && upgradeGraph(model.graph, { path: "graph", parent: null, from: from ?? 0 }, run);
  if (refusals.length > 0) return { status: "refused", refusals };
  const irVersion = BigInt(Math.max(Number(model.irVersion ?? 0n), operators.irVersionOf(target)));
  const before = model.irVersion ?? 0n;
  const upgraded: Model = {
    ...model,
    irVersion,
    ...(graph && { graph: before < 4n ? withFixedInitializers(graph) : graph }),
    opsetImports: withOpset(model.opsetImports, target),
    functions,
  };
  return { status: "upgraded", model: upgraded, changes };
}

function rangeFault(from: number | null, target: number): UpgradeRefusal | null {
  const path = "opset_import";
  if (!Number.isInteger(target) || target > UPGRADE_RANGE.to || target < UPGRADE_RANGE.from) {
    const reason = `opset ${target} is not among ${UPGRADE_RANGE.from} to ${UPGRADE_RANGE.to}`;
    return { path, reason, remedy: "Choose a target in that range." };
  }
  if (from === null) {
    return { path, reason: "the model imports no ai.onnx", remedy: "There is nothing to upgrade." };
  }
  if (from < UPGRADE_RANGE.from) {
    const reason = `opset ${from} is older than ${UPGRADE_RANGE.from}: broadcasting meant something else`;
    return { path, reason, remedy: "Export the model again from its framework." };
  }
  if (from > target) {
    const reason = `the model speaks opset ${from}, which is newer than ${target}`;
    return { path, reason, remedy: "Leave it as it is, or choose a newer target." };
  }
  return null;
}

/** What stays the same through one upgrade. */
interface UpgradeRun {
  readonly operators: OperatorTable;
  readonly target: number;
  readonly rankOf: (value: string) => number | null;
  readonly refusals: UpgradeRefusal[];
  readonly changes: UpgradeChange[];
  readonly fresh: (wanted: string) => string;
}

/** Where a graph stands, and the opset that its nodes are written in. */
interface GraphPlace {
  readonly path: string;
  readonly parent: OpenGraph | null;
  readonly from: number;
}

/** A graph while its nodes are gone through. */
interface OpenGraph extends GraphPlace {
  readonly index: GraphIndex;
  /** Types of the values met so far. */
  readonly types: Map<string, string>;
  readonly stored: Tensor[];
}

function upgradeGraph(graph: Graph, place: GraphPlace, run: UpgradeRun): Graph {
  const index = indexGraph(graph);
  const open: OpenGraph = { ...place, index, types: new Map(), stored: [] };
  const nodes = graph.nodes.flatMap((node, at) => {
    const path = nodePath(place.path, at, node);
    const inner = mapSubGraphs(node, (body) =>
      upgradeGraph(body, { path, parent: open, from: place.from }, run),
    );
    noteTypes(node, open, run);
    return canonicalDomain(node.domain) === ""
      ? upgradeNode(inner, { path, version: place.from, open }, run)
      : [inner];
  });
  return { ...graph, nodes, initializers: [...graph.initializers, ...open.stored] };
}

/** A node on its way: where it stands and the opset that it is written in so far. */
interface NodePlace {
  readonly path: string;
  readonly version: number;
  readonly open: OpenGraph;
}

function upgradeNode(node: Node, place: NodePlace, run: UpgradeRun): readonly Node[] {
  const { path, open } = place;
  const versions = run.operators.versions("", node.opType);
  let schema = versions.findLast(({ since }) => since <= place.version);
  for (const next of versions) {
    if (next.since <= place.version || next.since > run.target) continue;
    const rule = RULES.get(`${node.opType} ${next.since}`);
    if (rule !== undefined) {
      const result = rewrite(rule, node, contextOf(node, open, run));
      if ("refused" in result) return refused(node, { path, ...result }, run);
      const version = result.version ?? next.since;
      run.changes.push({ path, version, became: result.nodes.map(({ opType }) => opType) });
      return result.nodes.flatMap((of) => upgradeNode(of, { path, version, open }, run));
    }
    if (schema === undefined || !onlyWidens(schema, next)) break;
    schema = next;
  }
  return isCurrent(schema, run) ? [node] : refused(node, { path, ...NO_WAY }, run);
}

const RULES: ReadonlyMap<string, UpgradeRule> = new Map(
  upgradeRules.map((rule) => [`${rule.operator} ${rule.version}`, rule]),
);

const NO_WAY: Refusal = {
  refused: "no way is known to bring this operator to the wanted opset",
  remedy: "Replace the operator, or export the model again.",
};

/** Whether a version of an operator is the one in force at the target. */
function isCurrent(schema: OperatorSchema | undefined, { operators, target }: UpgradeRun): boolean {
  return schema !== undefined && operators.find("", schema.name, target) === schema;
}

function rewrite(rule: UpgradeRule, node: Node, context: RuleContext): Rewrite | Refusal {
  try {
    return rule.rewrite(node, context);
  } catch (error) {
    // Attributes of a wrong kind, or references to those of a function.
    if (!(error instanceof ModelError)) throw error;
    return { refused: error.message, remedy: error.hint };
  }
}

function refused(
  node: Node,
  { path, refused: reason, remedy }: Refusal & { readonly path: string },
  run: UpgradeRun,
): readonly Node[] {
  run.refusals.push({ path, reason, remedy });
  return [node];
}

function contextOf(node: Node, open: OpenGraph, run: UpgradeRun): RuleContext {
  const label = node.name || node.outputs.find((output) => output !== "") || node.opType;
  const fresh = (name: string): string => run.fresh(`${label}/${name}`);
  return {
    target: run.target,
    fresh,
    store(name, tensor) {
      const stored = fresh(name);
      open.stored.push({ ...tensor, name: stored });
      return stored;
    },
    constant: (value) => lookUp(open, ({ index }) => index.constant(value)),
    type: (value) =>
      lookUp(open, ({ types, index }) => types.get(value) ?? statedType(index, value)),
    rank: (value) => run.rankOf(value) ?? lookUp(open, ({ index }) => rankIn(index, value)),
    isRead: (value) =>
      value !== "" && (open.index.isOutput(value) || open.index.uses(value).length > 0),
  };
}

/** The first answer going outwards from a graph. */
function lookUp<T>(open: OpenGraph, answer: (of: OpenGraph) => T | null): T | null {
  for (let at: OpenGraph | null = open; at !== null; at = at.parent) {
    const found = answer(at);
    if (found !== null) return found;
  }
  return null;
}

function statedType(index: GraphIndex, value: string): string | null {
  return typeName(index.typeOf(value)) ?? index.constant(value)?.dataType ?? null;
}

function rankIn(index: GraphIndex, value: string): number | null {
  const type = index.typeOf(value);
  if (type?.kind === "tensor" && type.shape !== undefined) return type.shape.length;
  const producer = index.producer(value)?.opType;
  return producer === "Gemm" || producer === "Flatten" ? 2 : null;
}

function noteTypes(node: Node, open: OpenGraph, { operators }: UpgradeRun): void {
  const domain = canonicalDomain(node.domain);
  const schema = operators.find(domain, node.opType, domain === "" ? open.from : Infinity);
  if (schema === null) return;
  const typeOf = (value: string): string | null =>
    lookUp(open, ({ types, index }) => types.get(value) ?? statedType(index, value));
  bindTypes(node, schema, typeOf).outputs.forEach((type, at) => {
    const value = node.outputs[at] ?? "";
    if (type !== null && value !== "") open.types.set(value, type);
  });
}

/** Names of values and nodes in a model's functions. */
function functionNames({ functions }: Model): readonly string[] {
  return functions.flatMap((of) => [...namesIn(asGraph(of))]);
}

/** A function as a graph of its nodes. */
function asGraph({ nodes, inputs, outputs, valueInfos }: FunctionDefinition): Graph {
  const values = (names: readonly string[]) => names.map((name) => ({ name, metadata: [] }));
  return {
    nodes,
    inputs: values(inputs),
    outputs: values(outputs),
    valueInfos,
    initializers: [],
    sparseInitializers: [],
    metadata: [],
  };
}

/** A function has no initializers: what rules store becomes Constant nodes at its start. */
function upgradeFunction(
  of: FunctionDefinition,
  path: string,
  run: UpgradeRun,
): FunctionDefinition {
  const from = opsetOf(of.opsetImports);
  if (from === null) return of;
  const fault = rangeFault(from, run.target);
  if (fault !== null) {
    run.refusals.push({ ...fault, path: `${path}.opset_import` });
    return of;
  }
  const { nodes, initializers } = upgradeGraph(asGraph(of), { path, parent: null, from }, run);
  const constants = initializers.map((tensor) =>
    newNode("Constant", [], {
      outputs: [tensor.name ?? ""],
      attributes: [{ name: "value", kind: "tensor", value: tensor }],
    }),
  );
  return {
    ...of,
    nodes: [...constants, ...nodes],
    opsetImports: withOpset(of.opsetImports, run.target),
  };
}

/**
 * The graph with initializers no longer among its inputs. Before ir_version 4 they had to be inputs
 * and never changed; from 4 on that would make each of them replaceable by callers (onnx, IR.md).
 */
function withFixedInitializers(graph: Graph): Graph {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  return { ...graph, inputs: graph.inputs.filter(({ name }) => !stored.has(name)) };
}

function opsetOf(imports: readonly OpsetImport[]): number | null {
  const found = imports.find(({ domain }) => canonicalDomain(domain) === "");
  return found === undefined ? null : Number(found.version ?? 0n);
}

function withOpset(imports: readonly OpsetImport[], target: number): readonly OpsetImport[] {
  return imports.map((of) =>
    canonicalDomain(of.domain) === "" ? { ...of, version: BigInt(target) } : of,
  );
}
