// What every peer says of a measured point: the tools as godwit implements them, and the bare formulas
// that the power model was compared with. A tool that has no answer gives its reason.

import { PEERS } from "../../scripts/power-model/peers.ts";
import type { Server } from "../../scripts/power-model/spec-systems.ts";
import type { PeerTables } from "../../src/measure/methods/index.ts";
import { METHODS, type Method, type Workload } from "../../src/measure/methods/index.ts";
import { type Judged, type Row, scoreOf } from "./score.ts";

/** A measured power, the workload that a tool would be told, and which of its terms is meant. */
export interface Point {
  readonly truth: number;
  readonly workload: Workload;
}

/** Which part of a tool's answer stands against the truth. */
export type Part = "all" | "cpu";

const JOULES_PER_HOUR = 3600;

/** Every tool's row. */
export const toolRows = (
  points: readonly Point[],
  tables: PeerTables,
  part: Part,
): readonly Row[] => METHODS.map((method) => toolRow(method, points, { tables, part }));

function toolRow(
  method: Method,
  points: readonly Point[],
  { tables, part }: { readonly tables: PeerTables; readonly part: Part },
): Row {
  const name = `${method.title} ${method.version}`;
  const judged: Judged[] = [];
  let reason = "it says nothing of processors";
  for (const { truth, workload } of points) {
    const result = method.estimate(workload, tables);
    const term = result.terms.find((candidate) => candidate.name === "cpu")?.energy;
    const answer = part === "all" ? result.energy : (term ?? result.energy);
    if (answer.status === "unsupported" || (part === "cpu" && term === undefined)) {
      if (answer.status === "unsupported") reason = answer.reason;
      continue;
    }
    judged.push({ truth, estimate: answer.value / JOULES_PER_HOUR / workload.hours });
  }
  if (judged.length === 0) return { name, kind: "silent", reason };
  const scope = part === "all" ? method.scope : "its CPU term";
  return { name, kind: "tool", scope, score: scoreOf(judged) };
}

/** A measured server at a load in 0..1. */
export interface ServerPoint {
  readonly server: Server;
  readonly load: number;
  readonly truth: number;
}

/** Every bare formula's row. */
export const formulaRows = (points: readonly ServerPoint[]): readonly Row[] =>
  PEERS.map(({ name, power }) => ({
    name: `${name} (formula alone)`,
    kind: "formula",
    scope: "component",
    score: scoreOf(
      points.map(({ server, load, truth }) => ({ truth, estimate: power(server, load) })),
    ),
  }));
