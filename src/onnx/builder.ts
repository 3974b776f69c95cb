// Builds models by calls: each makes a node and gives back the name of its result. Mistakes are
// refused where they are made, so that the stack trace points at the line that made them.

import { bindTypes } from "./check/bind-types.ts";
import { checkModel } from "./check/check-model.ts";
import {
  builderOf,
  finishGraph,
  type GraphBuilder,
  type GrowingGraph,
  NOTHING,
  newGraph,
  typeIn,
} from "./graph-builder.ts";
import { namesIn } from "./graph-index.ts";
import type { Graph, Model } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { NamePool } from "./name-pool.ts";
import { canonicalDomain, type OperatorTable } from "./operator-table.ts";
import { typeName } from "./value-type.ts";

/** Grows the main graph and ends with a model. */
export interface ModelBuilder extends GraphBuilder {
  /** The model. Throws ModelError when the checker finds an error in it. */
  finish(): Model;
}

/** What a model starts from. */
export interface ModelOptions {
  readonly operators: OperatorTable;
  /** Name of the graph. */
  readonly name?: string;
  /** Versions of operator sets, by domain; ai.onnx is "". */
  readonly opsets?: Readonly<Record<string, number>>;
}

/** The opset of ai.onnx that models are built in unless told otherwise. */
export const DEFAULT_OPSET = 21;

/** File formats before 4 would make every initializer an input. */
const LEAST_IR_VERSION = 4;

/** Starts a model. */
export function modelBuilder(options: ModelOptions): ModelBuilder {
  const { operators, name = "main" } = options;
  const opsets = new Map(Object.entries({ "": DEFAULT_OPSET, ...options.opsets }));
  const graph = newGraph({ operators, opsets, names: new NamePool() }, null);
  return {
    ...builderOf(graph, ""),
    finish: () =>
      finishModel(graph, {
        producerName: "godwit",
        graph: { ...NOTHING, name },
        opsetImports: [],
        metadata: [],
        functions: [],
      }),
  };
}

/**
 * Continues a model: its values can be read, and what is built comes after its nodes, inputs and
 * outputs. The model itself is left as it is. Nodes must stand in topological order.
 */
export function extendModel(
  model: Model,
  { operators }: { readonly operators: OperatorTable },
): ModelBuilder {
  const before = model.graph ?? NOTHING;
  const names = new NamePool();
  for (const name of namesIn(before)) names.take(name);
  const opsets = new Map(
    model.opsetImports.map(({ domain, version }) => [
      canonicalDomain(domain),
      Number(version ?? 0n),
    ]),
  );
  const graph = newGraph({ operators, opsets, names }, null);
  graph.nodes.push(...before.nodes);
  graph.initializers.push(...before.initializers);
  graph.inputs.push(...before.inputs);
  bindExisting(graph, before);
  return { ...builderOf(graph, ""), finish: () => finishModel(graph, { ...model, graph: before }) };
}

/** The values of a graph that is continued, with their types as far as they can be told. */
function bindExisting(graph: GrowingGraph, before: Graph): void {
  const { operators, opsets } = graph.shared;
  for (const { dataType, name = "" } of before.initializers) graph.values.set(name, dataType);
  for (const { values } of before.sparseInitializers) {
    graph.values.set(values?.name ?? "", values?.dataType ?? null);
  }
  for (const { name, type } of before.inputs) {
    graph.values.set(name, type === undefined ? null : typeName(type));
  }
  const stated = new Map(
    [...before.valueInfos, ...before.outputs].map(({ name, type }) => [name, type] as const),
  );
  for (const node of before.nodes) {
    const domain = canonicalDomain(node.domain);
    const schema = operators.find(domain, node.opType, opsets.get(domain) ?? 1);
    const bound =
      schema === null ? [] : bindTypes(node, schema, (value) => typeIn(graph, value)).outputs;
    node.outputs.forEach((output, index) => {
      const type = stated.get(output);
      graph.values.set(output, type === undefined ? (bound[index] ?? null) : typeName(type));
    });
  }
}

/** The model around a graph that has grown from the base's own; throws ModelError when invalid. */
function finishModel(graph: GrowingGraph, base: Model & { readonly graph: Graph }): Model {
  const { operators, opsets } = graph.shared;
  const leastVersion = Math.max(
    LEAST_IR_VERSION,
    operators.irVersionOf(opsets.get("") ?? DEFAULT_OPSET),
    Number(base.irVersion ?? 0n),
  );
  const imported = new Set(base.opsetImports.map(({ domain }) => canonicalDomain(domain)));
  const added = [...opsets].filter(([domain]) => !imported.has(domain));
  const model: Model = {
    ...base,
    irVersion: BigInt(leastVersion),
    graph: finishGraph(graph, base.graph),
    opsetImports: [
      ...base.opsetImports,
      ...added.map(([domain, version]) => ({ domain, version: BigInt(version) })),
    ],
  };
  const fault = checkModel(model, operators).find(({ severity }) => severity === "error");
  if (fault === undefined) return model;
  throw new ModelError(fault.message, fault.path, { hint: fault.remedy });
}
