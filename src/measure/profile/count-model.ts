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
  type Size,
  subGraphsOf,
  symbolicSize,
  symbolsOf,
} from "../../onnx/index.ts";
import { type Activations, activationsOf } from "./activations.ts";
import { exactly, NOTHING, unlessTooComplex } from "./amount.ts";
import { type FlopConvention, flopsOf } from "./conventions.ts";
import { type Entry, type NodeCost, nodesIn } from "./entry.ts";
import { type KeyValueCache, keyValueCache } from "./kv-cache.ts";
import { nodeNames, operatorName, scopeOf } from "./node-name.ts";
import { workRuleOf } from "./rules/index.ts";
import { type Site, typeOf, Uncountable } from "./site.ts";
import { type StoredTensor, storedTensors } from "./stored-tensors.ts";
import { type Totals, totalsBy } from "./totals.ts";
import { trafficOf } from "./traffic.ts";

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

interface Counting {
  readonly convention: FlopConvention;
  readonly owned: ReadonlyMap<Node, readonly StoredTensor[]>;
  /** Nodes whose output is stored before the run. */
  readonly made: ReadonlySet<Node>;
}

function entriesOf(
  graph: Graph,
  shapes: GraphShapes,
  counting: Counting & { readonly within: string },
): readonly Entry[] {
  const names = nodeNames(graph, counting.within);
  return graph.nodes.flatMap((node): readonly Entry[] => {
    const site: Site = { node, shapes };
    const name = names.get(node) ?? "";
    const own: Entry = { kind: "node", cost: costOf(site, name, counting) };
    const bodies = subGraphsOf(node).map(({ graph: body, where }) => ({
      where,
      entries: entriesOf(body, bodyShapes(site, body), { ...counting, within: `${name}/${where}` }),
    }));
    if (bodies.length === 0) return [own];
    if (node.opType === "If") {
      const branch = (wanted: string): readonly Entry[] =>
        bodies.find(({ where }) => where === wanted)?.entries ?? [];
      const branches = [branch("then_branch"), branch("else_branch")] as const;
      return [own, { kind: "branch", taken: takenBranch(site), branches }];
    }
    const trips = tripsOf(site, name);
    return [own, ...bodies.map(({ entries: body }): Entry => ({ kind: "loop", trips, body }))];
  });
}

const NO_SHAPES: GraphShapes = {
  values: new Map(),
  constants: new Map(),
  bodies: new Map(),
  outer: null,
};

const bodyShapes = ({ node, shapes }: Site, body: Graph): GraphShapes =>
  shapes.bodies.get(node)?.find(({ of }) => of === body)?.shapes ?? NO_SHAPES;

function takenBranch({ node, shapes }: Site): 0 | 1 | null {
  const condition = constantAt(shapes, node.inputs[0] ?? "");
  if (typeof condition !== "number") return null;
  return condition === 0 ? 1 : 0;
}

function constantAt(shapes: GraphShapes, value: string): Size | null {
  for (let at: GraphShapes | null = shapes; at !== null; at = at.outer) {
    const items = at.constants.get(value);
    if (items !== undefined) return items[0] ?? null;
    if (at.values.has(value)) return null;
  }
  return null;
}

/** How often a body runs: known from what it stacks up, or a symbol named after the node. */
function tripsOf({ node, shapes }: Site, name: string): Size {
  const site = { node, shapes };
  const lengthOf = (value: string, axis: number): Size | null => {
    const type = typeOf(site, value);
    return type?.kind === "tensor" ? (type.shape?.at(axis) ?? null) : null;
  };
  if (node.opType === "Loop") {
    const stacked = node.outputs.slice(Math.max(0, node.inputs.length - 2)).find((of) => of !== "");
    const length = stacked === undefined ? null : lengthOf(stacked, 0);
    if (length !== null) return length;
    return endless(site) ?? symbolicSize(`${name}.iterations`);
  }
  if (node.opType === "Scan") {
    const scanned = node.attributes.find((of) => of.name === "num_scan_inputs");
    const axes = node.attributes.find((of) => of.name === "scan_input_axes");
    const count = scanned?.kind === "int" ? Number(scanned.value) : 1;
    const axis = axes?.kind === "ints" ? Number(axes.value[0] ?? 0n) : 0;
    const length = lengthOf(node.inputs.at(-count) ?? "", axis);
    if (length !== null) return length;
  }
  return symbolicSize(`${name}.iterations`);
}

/** The trip count of a loop whose body never asks to stop. */
function endless({ node, shapes }: Site): Size | null {
  const [body] = shapes.bodies.get(node) ?? [];
  if (body === undefined || !("initializers" in body.of)) return null;
  const goesOn = body.of.outputs[0]?.name ?? "";
  if (constantAt(body.shapes, goesOn) !== 1) return null;
  return constantAt(shapes, node.inputs[0] ?? "");
}

function costOf(site: Site, name: string, { convention, owned, made }: Counting): NodeCost {
  const { node } = site;
  const tensors = owned.get(node) ?? [];
  const of = (role: StoredTensor["role"]): number =>
    tensors.reduce((sum, one) => sum + (one.role === role ? one.elements : 0), 0);
  const type = typeOf(site, node.outputs[0] ?? "");
  const idle = made.has(node);
  return {
    name,
    operator: operatorName(node),
    scope: scopeOf(name),
    node,
    parameters: { trainable: of("trainable"), buffer: of("buffer"), index: of("index") },
    weightBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(idle ? NO_WORK : workOf(site, convention)),
    ...(idle ? NO_TRAFFIC : (unlessTooComplex(() => trafficOf(site)) ?? UNKNOWN_TRAFFIC)),
    output: type?.kind === "tensor" ? type.shape : null,
  };
}

const NO_WORK = { macs: 0, flops: 0, uncounted: null } as const;
const NO_TRAFFIC = { reads: 0, writes: 0 } as const;
const UNKNOWN_TRAFFIC = { reads: null, writes: null } as const;

function workOf(
  site: Site,
  convention: FlopConvention,
): Pick<NodeCost, "macs" | "flops" | "uncounted"> {
  const { node } = site;
  if (subGraphsOf(node).length > 0) return NO_WORK;
  const rule = workRuleOf(node);
  if (rule === null) return { macs: null, flops: null, uncounted: "there is no rule for it" };
  let macs: Size | null = null;
  try {
    const counted = unlessTooComplex(() => {
      const work = rule(site);
      macs = work.macs;
      return { macs: work.macs, flops: flopsOf(site, work, convention), uncounted: null };
    });
    return (
      counted ?? {
        macs,
        flops: null,
        uncounted: "its size is too long an expression; give the inputs",
      }
    );
  } catch (error) {
    if (!(error instanceof Uncountable)) throw error;
    return { macs, flops: null, uncounted: error.message };
  }
}

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
