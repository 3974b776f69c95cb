// The nodes of a graph with their costs, in the structure of its control flow: which branch is taken, how
// often a body runs, what one execution of each node takes.

import {
  type Graph,
  type GraphShapes,
  type Node,
  type Size,
  subGraphsOf,
  symbolicSize,
} from "../../onnx/index.ts";
import { unlessTooComplex } from "./amount.ts";
import { type FlopConvention, flopsOf } from "./conventions.ts";
import type { Entry, NodeCost } from "./entry.ts";
import { nodeNames, operatorName, scopeOf } from "./node-name.ts";
import { workRuleOf } from "./rules/index.ts";
import { type Site, typeOf, Uncountable } from "./site.ts";
import type { StoredTensor } from "./stored-tensors.ts";
import { trafficOf } from "./traffic.ts";

/** What the costs of all nodes go by. */
export interface Counting {
  readonly convention: FlopConvention;
  readonly owned: ReadonlyMap<Node, readonly StoredTensor[]>;
  /** Nodes whose output is stored before the run. */
  readonly made: ReadonlySet<Node>;
}

/** The entries of a graph; `within` stands before the names of a sub-graph's nodes. */
export function entriesOf(
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
