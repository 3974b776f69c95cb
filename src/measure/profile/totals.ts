// Sums over nodes, by whatever they are grouped by. Branches and loops are summed inside first: of two
// branches a sum has the smaller as its least and the larger as its most.

import { type Amount, either, exactly, NOTHING, plus, times, unlessTooComplex } from "./amount.ts";
import type { Entry, NodeCost } from "./entry.ts";

/** What a group of nodes costs. An amount is null when its expression is too long to be followed. */
export interface Totals {
  readonly nodes: number;
  readonly parameters: number;
  readonly weightBytes: number;
  /** Nodes whose operations are not counted and therefore not in the sums. */
  readonly uncounted: number;
  readonly macs: Amount | null;
  readonly flops: Amount | null;
  readonly reads: Amount | null;
  readonly writes: Amount | null;
}

type Costs = Pick<Totals, "macs" | "flops" | "reads" | "writes">;

const NO_COSTS: Costs = { macs: NOTHING, flops: NOTHING, reads: NOTHING, writes: NOTHING };

/** Totals by key; a node counts under each of its keys, such as all scopes around it. */
export function totalsBy(
  entries: readonly Entry[],
  keysOf: (cost: NodeCost) => readonly string[],
): ReadonlyMap<string, Totals> {
  const totals = new Map<string, Totals>();
  const costs = costsBy(entries, keysOf);
  const count = (entries: readonly Entry[], runs: boolean): void => {
    for (const entry of entries) {
      if (entry.kind === "loop") count(entry.body, runs);
      else if (entry.kind === "branch") {
        entry.branches.forEach((branch, index) => {
          count(branch, runs && (entry.taken === null || entry.taken === index));
        });
      } else for (const key of keysOf(entry.cost)) addNode(totals, key, entry.cost, runs);
    }
  };
  count(entries, true);
  return new Map(
    [...totals].map(([key, facts]) => [key, { ...facts, ...(costs.get(key) ?? NO_COSTS) }]),
  );
}

function addNode(totals: Map<string, Totals>, key: string, cost: NodeCost, runs: boolean): void {
  const known = totals.get(key);
  totals.set(key, {
    nodes: (known?.nodes ?? 0) + 1,
    parameters: (known?.parameters ?? 0) + cost.parameters.trainable + cost.parameters.buffer,
    weightBytes: (known?.weightBytes ?? 0) + cost.weightBytes,
    uncounted: (known?.uncounted ?? 0) + (runs && cost.uncounted !== null ? 1 : 0),
    ...NO_COSTS,
  });
}

function costsBy(
  entries: readonly Entry[],
  keysOf: (cost: NodeCost) => readonly string[],
): ReadonlyMap<string, Costs> {
  const sums = new Map<string, Costs>();
  const add = (key: string, costs: Costs): void => {
    const known = sums.get(key);
    sums.set(key, known === undefined ? costs : combined(known, costs, plus));
  };
  for (const entry of entries) {
    if (entry.kind === "node") {
      const costs = costsOf(entry.cost);
      for (const key of keysOf(entry.cost)) add(key, costs);
    } else if (entry.kind === "loop") {
      for (const [key, costs] of costsBy(entry.body, keysOf)) {
        add(
          key,
          combined(costs, costs, (one) => times(one, entry.trips)),
        );
      }
    } else {
      const [one, other] = entry.branches.map((branch) => costsBy(branch, keysOf));
      for (const [key, costs] of joined(entry.taken, one, other)) add(key, costs);
    }
  }
  return sums;
}

function joined(
  taken: 0 | 1 | null,
  one: ReadonlyMap<string, Costs> = new Map(),
  other: ReadonlyMap<string, Costs> = new Map(),
): ReadonlyMap<string, Costs> {
  if (taken !== null) return taken === 0 ? one : other;
  return new Map(
    [...new Set([...one.keys(), ...other.keys()])].map((key) => [
      key,
      combined(one.get(key) ?? NO_COSTS, other.get(key) ?? NO_COSTS, either),
    ]),
  );
}

function combined(a: Costs, b: Costs, how: (a: Amount, b: Amount) => Amount): Costs {
  const of = (name: keyof Costs): Amount | null => {
    const [x, y] = [a[name], b[name]];
    return x === null || y === null ? null : unlessTooComplex(() => how(x, y));
  };
  return { macs: of("macs"), flops: of("flops"), reads: of("reads"), writes: of("writes") };
}

/** What is not known of a node is left out here and told by `uncounted`. */
const costsOf = ({ macs, flops, reads, writes }: NodeCost): Costs => ({
  macs: exactly(macs ?? 0),
  flops: exactly(flops ?? 0),
  reads: exactly(reads ?? 0),
  writes: exactly(writes ?? 0),
});
