// What a model costs on paper: every node's operations, bytes and parameters, from its graph and the
// shapes of its values. Nothing is run and no weight is read. docs/methods/operations.md has the rules.

import {
  formatShape,
  type Graph,
  type GraphShapes,
  inferShapes,
  inlineFunctions,
  type Model,
  type Node,
  type ShapeOptions,
  symbolsOf,
} from "../../onnx/index.ts";
import { type Activations, activationsOf } from "./activations.ts";
import { exactly, NOTHING, unlessTooComplex } from "./amount.ts";
import type { FlopConvention } from "./conventions.ts";
import { type Counting, entriesOf } from "./entries-of.ts";
import { type Entry, nodesIn } from "./entry.ts";
import { type KeyValueCache, keyValueCache } from "./kv-cache.ts";
import { nodeNames } from "./node-name.ts";
import { type StoredTensor, storedTensors } from "./stored-tensors.ts";
import { type Totals, totalsBy } from "./totals.ts";

export interface CountOptions extends ShapeOptions {
  /** Default: `default`. */
  readonly convention?: FlopConvention;
}

/** Numbers by what they are for; each stored tensor counts once. */
export interface ParameterCounts {
  /** trainable + buffer + dead. */
  readonly total: number;
  readonly trainable: number;
  readonly buffer: number;
  readonly dead: number;
  /** Integers, texts and truth values; no parameters. */
  readonly index: number;
}

export interface ModelCount {
  readonly convention: FlopConvention;
  /** Inputs that are no weights, with their shapes: `x [batch, 3, 224, 224]`. */
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: string;
  }[];
  /** Names of sizes that are not chosen and that some count hangs on. */
  readonly symbols: readonly string[];
  readonly entries: readonly Entry[];
  readonly totals: Totals;
  readonly parameters: ParameterCounts;
  readonly tensors: readonly StoredTensor[];
  /** Bytes that are stored, by element type. */
  readonly bytesByType: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly activations: Activations & { readonly peakNode: string | null };
  readonly cache: KeyValueCache | null;
  readonly uncounted: readonly UncountedOperator[];
  /** Where the model contradicts itself. */
  readonly faults: readonly string[];
}

/** An operator with nodes that no count includes. */
export interface UncountedOperator {
  readonly operator: string;
  readonly reason: string;
  readonly nodes: readonly string[];
}

/** Counts a model. Throws ModelError for options that do not fit it. */
export function countModel(source: Model, options: CountOptions = {}): ModelCount {
  const model = inlineFunctions(source);
  const shapes = inferShapes(model, options);
  const graph = model.graph ?? EMPTY;
  const tensors = storedTensors(graph, shapes.graph);
  const counting: Counting = {
    convention: options.convention ?? "default",
    owned: byOwner(tensors),
    made: new Set(tensors.flatMap(({ maker }) => (maker === null ? [] : [maker]))),
  };
  const entries = entriesOf(graph, shapes.graph, { ...counting, within: "" });
  const stored = new Set(tensors.map(({ name }) => name));
  const names = [...nodeNames(graph).values()];
  const activations = activationsOf(graph, shapes.graph, stored);
  const totals = totalsBy(entries, () => [""]).get("") ?? NO_TOTALS;
  return {
    convention: counting.convention,
    inputs: inputsOf(graph, shapes.graph, stored),
    symbols: symbolsIn(totals),
    entries,
    totals,
    parameters: parametersOf(tensors),
    tensors,
    ...bytesOfTensors(tensors),
    activations: {
      ...activations,
      peakNode: activations.peakAt === null ? null : (names[activations.peakAt] ?? null),
    },
    cache: unlessTooComplex(() => keyValueCache(graph, shapes.graph)),
    uncounted: uncountedIn(entries),
    faults: shapes.faults.map(({ message }) => message),
  };
}

const EMPTY: Graph = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
  metadata: [],
};

const NO_TOTALS: Totals = {
  nodes: 0,
  parameters: 0,
  weightBytes: 0,
  uncounted: 0,
  macs: NOTHING,
  flops: NOTHING,
  reads: NOTHING,
  writes: NOTHING,
};

function byOwner(tensors: readonly StoredTensor[]): ReadonlyMap<Node, readonly StoredTensor[]> {
  const owned = new Map<Node, StoredTensor[]>();
  for (const tensor of tensors) {
    if (tensor.owner === null) continue;
    const list = owned.get(tensor.owner);
    if (list === undefined) owned.set(tensor.owner, [tensor]);
    else list.push(tensor);
  }
  return owned;
}

function parametersOf(tensors: readonly StoredTensor[]): ParameterCounts {
  const counts = { trainable: 0, buffer: 0, dead: 0, index: 0 };
  for (const { role, elements } of tensors) counts[role] += elements;
  return { total: counts.trainable + counts.buffer + counts.dead, ...counts };
}

function bytesOfTensors(
  tensors: readonly StoredTensor[],
): Pick<ModelCount, "bytes" | "bytesByType"> {
  const bytesByType: Record<string, number> = {};
  for (const { dataType, bytes } of tensors) {
    if (bytes > 0)
      bytesByType[dataType ?? "unknown"] = (bytesByType[dataType ?? "unknown"] ?? 0) + bytes;
  }
  return { bytesByType, bytes: Object.values(bytesByType).reduce((sum, of) => sum + of, 0) };
}

function inputsOf(
  graph: Graph,
  shapes: GraphShapes,
  stored: ReadonlySet<string>,
): ModelCount["inputs"] {
  return graph.inputs
    .filter(({ name }) => !stored.has(name))
    .map(({ name }) => {
      const type = shapes.values.get(name);
      if (type?.kind !== "tensor") return { name, type: type?.kind ?? "unknown", shape: "" };
      return { name, type: type.elementType ?? "unknown", shape: formatShape(type.shape) };
    });
}

function symbolsIn({ macs, flops, reads, writes }: Totals): readonly string[] {
  const found = new Set<string>();
  for (const amount of [macs, flops, reads, writes]) {
    const { least, most } = amount ?? exactly(0);
    symbolsOf(least, found);
    symbolsOf(most, found);
  }
  return [...found];
}

/** Nodes whose operations are in no sum, by operator and reason. */
function uncountedIn(entries: readonly Entry[]): readonly UncountedOperator[] {
  const found = new Map<string, { operator: string; reason: string; nodes: string[] }>();
  for (const { operator, uncounted, name } of nodesIn(entries)) {
    if (uncounted === null) continue;
    const key = `${operator}\n${uncounted}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { operator, reason: uncounted, nodes: [name] });
    else known.nodes.push(name);
  }
  return [...found.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
