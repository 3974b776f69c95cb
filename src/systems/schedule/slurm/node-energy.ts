// What Slurm's node counters say of a job. AcctGatherEnergy reads whole nodes: on a node that is shared, the
// figure holds the others' work as well and is not the job's (slurm.conf(5), acct_gather.conf(5)).

import { expandHostList } from "./host-list.ts";
import type { AccountedJob } from "./read-sacct.ts";
import type { SlurmNode } from "./read-sinfo.ts";

/** Whose energy node counters told. */
export type CounterScope = "exclusive" | "shared" | "unknown";

/** Whether every run of a job had all processors of its nodes; unknown where a node is not listed. */
export function counterScope(
  rows: readonly AccountedJob[],
  nodes: readonly SlurmNode[],
): CounterScope {
  const cpusOf = new Map(nodes.map(({ name, cpus }) => [name, cpus]));
  const scopes = rows
    .filter(({ nodeJoules }) => nodeJoules !== null)
    .map((row): CounterScope => {
      const own = expandHostList(row.nodes).map((name) => cpusOf.get(name));
      if (own.length === 0 || own.includes(undefined) || row.cpus === 0) return "unknown";
      const all = own.reduce<number>((sum, cpus) => sum + (cpus ?? 0), 0);
      return row.cpus >= all ? "exclusive" : "shared";
    });
  if (scopes.length === 0 || scopes.includes("unknown")) return "unknown";
  return scopes.includes("shared") ? "shared" : "exclusive";
}
