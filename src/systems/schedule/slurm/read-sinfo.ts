// `sinfo --json`: the nodes of a cluster. 22.05 lists nodes, as `scontrol show nodes --json` of newer
// versions does; their own sinfo lists groups of nodes that are alike, by partition.

import {
  type Fields,
  fieldsOf,
  numberOf,
  readAnswer,
  rowsOf,
  textOf,
  timeOf,
  wordsOf,
} from "./answer.ts";

export interface SlurmNode {
  readonly name: string;
  /** Base state and flags, in capitals: IDLE, POWERED_DOWN. */
  readonly states: readonly string[];
  readonly cpus: number;
  readonly partitions: readonly string[];
  readonly features: readonly string[];
  /** When it last had work, Unix seconds; null where not told. */
  readonly lastBusyAt: number | null;
}

/** Nodes of an answer, each once. Throws UserError when it is none, or tells of a fault. */
export function readSinfo(text: string): readonly SlurmNode[] {
  const answer = readAnswer("sinfo", text);
  if ("sinfo" in answer) return merged(rowsOf("sinfo", answer, "sinfo").flatMap(nodesOfGroup));
  return rowsOf("sinfo", answer, "nodes").map((row) => ({
    name: textOf(row["name"]),
    states: [...wordsOf(row["state"]), ...wordsOf(row["state_flags"])],
    cpus: numberOf(row["cpus"]) ?? 0,
    partitions: listOf(row["partitions"]),
    features: listOf(row["features"]),
    lastBusyAt: timeOf(row["last_busy"]),
  }));
}

function nodesOfGroup(row: Fields): readonly SlurmNode[] {
  const partition = textOf(fieldsOf(row["partition"])["name"]);
  return listOf(fieldsOf(row["nodes"])["nodes"]).map((name) => ({
    name,
    states: wordsOf(fieldsOf(row["node"])["state"]),
    cpus: numberOf(fieldsOf(row["cpus"])["minimum"]) ?? 0,
    partitions: partition === "" ? [] : [partition],
    features: listOf(fieldsOf(row["features"])["total"]),
    lastBusyAt: null,
  }));
}

/** A node of several partitions stands in several groups. */
function merged(nodes: readonly SlurmNode[]): readonly SlurmNode[] {
  const byName = new Map<string, SlurmNode>();
  for (const node of nodes) {
    const before = byName.get(node.name);
    const partitions = [...new Set([...(before?.partitions ?? []), ...node.partitions])];
    byName.set(node.name, { ...node, partitions });
  }
  return [...byName.values()];
}

/** A list of texts, or one text with commas. */
function listOf(value: unknown): readonly string[] {
  const parts = Array.isArray(value) ? value : textOf(value).split(",");
  return parts.filter((part): part is string => typeof part === "string" && part !== "");
}
