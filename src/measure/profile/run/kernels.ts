// The time of each kernel from ONNX Runtime's own profile, given back to the nodes that the user wrote. ONNX
// Runtime fuses nodes and calls the result after the last of them: nodes without a time belong to the kernel
// that reads what they make, else to the one that makes what they read.

import {
  type ModelSource,
  profileModel,
  type SessionOptions,
  type TensorValue,
} from "../../../engine/index.ts";
import type { ModelCount } from "../count-model.ts";
import { type NodeCost, nodesIn } from "../entry.ts";

/** What runs as one, and the nodes that it stands for. */
interface Kernel {
  /** The node with most of the work. */
  readonly name: string;
  /** Operators of its nodes that compute something, in order: `Conv+Relu`. */
  readonly operator: string;
  readonly nodes: readonly string[];
  /** Median of the runs, seconds. */
  readonly time: number;
  /** Of all its nodes; null while a size is open. */
  readonly flops: number | null;
  /** What it reads and writes; what stays between its nodes is not moved. */
  readonly bytes: number | null;
}

export interface KernelTimes {
  /** In the order of the model. */
  readonly kernels: readonly Kernel[];
  /** Seconds of kernels that stem from no node, such as changes of layout. */
  readonly elsewhere: number;
  /** Nodes that no kernel stands for: computed once before the run, or taken out. */
  readonly folded: readonly string[];
}

const RUNS = 10;

/** Profiles a model and gives each kernel its nodes. */
export async function kernelTimes(
  source: ModelSource,
  feeds: Readonly<Record<string, TensorValue>>,
  { count, ...options }: SessionOptions & { readonly count: ModelCount },
): Promise<KernelTimes> {
  const profile = await profileModel(source, feeds, { ...options, runs: RUNS });
  const costs = [...nodesIn(count.entries)];
  const originOf = origins(costs);
  const times = new Map<string, number>();
  let elsewhere = 0;
  for (const { name, median } of profile.nodes) {
    const origin = originOf(name);
    if (origin === null) elsewhere += median;
    else times.set(origin, (times.get(origin) ?? 0) + median);
  }
  return { ...groupByKernel(costs, times), elsewhere };
}

/** What ONNX Runtime puts behind a name: `_nchwc`, `_token_3`, `/MatMulAddFusion`. */
const SUFFIXES = [/_nchwc$/, /_token_\d+$/, /\/\w+\/?$/];

/**
 * Finds the node that a kernel is named after, by the node's name or a value that it makes. Suffixes go one
 * at a time: the names of nodes have slashes of their own.
 */
export function origins(costs: readonly NodeCost[]): (kernel: string) => string | null {
  const names = new Map<string, string>();
  for (const { name, node } of costs) for (const value of node.outputs) names.set(value, name);
  for (const { name } of costs) names.set(name, name);
  return (kernel) => {
    let name = kernel.replace(/^fused /, "");
    for (;;) {
      const found = names.get(name);
      if (found !== undefined) return found;
      const suffix = SUFFIXES.find((one) => one.test(name));
      if (suffix === undefined) return null;
      name = name.replace(suffix, "");
    }
  };
}

/** The kernels of timed nodes, each with the nodes that were fused into it. */
export function groupByKernel(
  costs: readonly NodeCost[],
  times: ReadonlyMap<string, number>,
): Pick<KernelTimes, "kernels" | "folded"> {
  const owners = ownersOf(costs, times);
  const groups = new Map<string, NodeCost[]>([...times.keys()].map((name) => [name, []]));
  const folded: string[] = [];
  for (const cost of costs) {
    const owner = owners.get(cost.name);
    if (owner !== undefined) groups.get(owner)?.push(cost);
    // Stored values are no computation that went missing.
    else if (cost.flops !== 0 || cost.reads !== 0) folded.push(cost.name);
  }
  const kernels = [...groups].map(([owner, nodes]) =>
    kernelOf(owner, nodes, times.get(owner) ?? 0),
  );
  return { kernels, folded };
}

/** The timed node that each node ran in. */
function ownersOf(
  costs: readonly NodeCost[],
  times: ReadonlyMap<string, number>,
): ReadonlyMap<string, string> {
  const producer = new Map<string, NodeCost>();
  const readers = new Map<string, NodeCost[]>();
  for (const cost of costs) {
    for (const value of cost.node.outputs) producer.set(value, cost);
    for (const value of cost.node.inputs) readers.set(value, [...(readers.get(value) ?? []), cost]);
  }
  const owners = new Map<string, string>([...times.keys()].map((name) => [name, name]));
  for (const name of times.keys()) claimFollowers(name, { costs, readers, owners });
  const isStored = ({ reads, flops }: NodeCost): boolean => reads === 0 && flops === 0;
  for (const cost of costs.toReversed()) {
    if (owners.has(cost.name) || isStored(cost)) continue;
    const reader = cost.node.outputs.flatMap((value) => readers.get(value) ?? [])[0];
    const owner = reader === undefined ? undefined : owners.get(reader.name);
    if (owner !== undefined) owners.set(cost.name, owner);
  }
  for (const cost of costs) {
    if (owners.has(cost.name) || isStored(cost)) continue;
    const makers = cost.node.inputs.map((value) => owners.get(producer.get(value)?.name ?? ""));
    const owner = makers.find((maker) => maker !== undefined);
    if (owner !== undefined) owners.set(cost.name, owner);
  }
  return owners;
}

/**
 * A product or convolution that kept its own name took in what follows it alone: a bias, a normalisation,
 * an activation.
 */
function claimFollowers(
  name: string,
  of: {
    readonly costs: readonly NodeCost[];
    readonly readers: ReadonlyMap<string, readonly NodeCost[]>;
    readonly owners: Map<string, string>;
  },
): void {
  let at = of.costs.find((cost) => cost.name === name);
  if (at?.macs === 0) return;
  while (at !== undefined) {
    const [next, ...others]: readonly NodeCost[] = of.readers.get(at.node.outputs[0] ?? "") ?? [];
    if (next === undefined || others.length > 0 || of.owners.has(next.name) || next.macs !== 0)
      return;
    of.owners.set(next.name, name);
    at = next;
  }
}

function kernelOf(owner: string, nodes: readonly NodeCost[], time: number): Kernel {
  const work = ({ flops }: NodeCost): number => (typeof flops === "number" ? flops : 0);
  const [most] = nodes.toSorted((a, b) => work(b) - work(a));
  const computing = nodes.filter((cost) => work(cost) > 0);
  const shown = computing.length > 0 ? computing : nodes.slice(-1);
  const known = nodes.every(({ flops }) => typeof flops === "number");
  return {
    name: most === undefined || work(most) === 0 ? owner : most.name,
    operator: shown.map(({ operator }) => operator).join("+"),
    nodes: nodes.map(({ name }) => name),
    time,
    flops: known ? nodes.reduce((sum, cost) => sum + work(cost), 0) : null,
    bytes: movedBy(nodes),
  };
}

/** Bytes of what comes from outside and goes there. */
function movedBy(nodes: readonly NodeCost[]): number | null {
  const read = new Set(nodes.flatMap(({ node }) => node.inputs));
  let bytes = 0;
  for (const { reads, writes, node } of nodes) {
    if (typeof reads !== "number" || typeof writes !== "number") return null;
    const inside = node.outputs.some((value) => read.has(value));
    // Written and read again inside: neither leaves the kernel.
    bytes += reads + (inside ? -writes : writes);
  }
  return Math.max(0, bytes);
}
