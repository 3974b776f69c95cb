// `sacct --json`: what accounting keeps of jobs, one row for each time that one was begun or queued. The
// same job id stands on several rows when it was requeued and duplicates were asked for.

import {
  type Exit,
  exitOf,
  type Fields,
  fieldsOf,
  numberOf,
  readAnswer,
  rowsOf,
  textOf,
  timeOf,
  wordsOf,
} from "./answer.ts";
import { type SlurmState, stateOf } from "./states.ts";

export interface AccountedJob {
  readonly cluster: string;
  readonly id: number;
  readonly arrayId: number | null;
  readonly task: number | null;
  /** As accounting spells it: quotation marks have become backticks. */
  readonly name: string;
  readonly user: string;
  readonly state: SlurmState | null;
  /** Unix seconds. */
  readonly submittedAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Running time; what it was suspended for is taken off. */
  readonly elapsedS: number;
  readonly suspendedS: number;
  readonly nodes: string;
  readonly nodeCount: number;
  readonly cpus: number;
  /** Null where it is not told, as for every failed job of 22.05, whose rows all say success. */
  readonly exit: Exit | null;
  /** Counted on its nodes, joules; null where nothing was gathered, which Slurm writes as 0. */
  readonly nodeJoules: number | null;
}

/** The rows of an answer of sacct. Throws UserError when it is none, or tells of a fault. */
export function readSacct(text: string): readonly AccountedJob[] {
  return rowsOf("sacct", readAnswer("sacct", text), "jobs").map((row): AccountedJob => {
    const { array, time, state, tres } = {
      array: fieldsOf(row["array"]),
      time: fieldsOf(row["time"]),
      state: stateOf(wordsOf(fieldsOf(row["state"])["current"])),
      tres: fieldsOf(row["tres"]),
    };
    const arrayId = numberOf(array["job_id"]) || null;
    return {
      cluster: textOf(row["cluster"]),
      id: numberOf(row["job_id"]) ?? 0,
      arrayId,
      task: arrayId === null ? null : numberOf(array["task_id"]),
      name: textOf(row["name"]),
      user: textOf(row["user"]) || textOf(fieldsOf(row["association"])["user"]),
      state,
      submittedAt: timeOf(time["submission"]),
      startedAt: timeOf(time["start"]),
      endedAt: timeOf(time["end"]),
      elapsedS: numberOf(time["elapsed"]) ?? 0,
      suspendedS: numberOf(time["suspended"]) ?? 0,
      nodes: textOf(row["nodes"]).replace("None assigned", ""),
      nodeCount: numberOf(row["allocation_nodes"]) ?? 0,
      cpus: countOf(tres["allocated"], "cpu") ?? 0,
      exit: exitFor(row["exit_code"], state),
      nodeJoules: nodeJoules(row, tres),
    };
  });
}

/** A code of success counts for a job alone that succeeded. */
function exitFor(value: unknown, state: SlurmState | null): Exit | null {
  const exit = exitOf(value);
  return exit?.code === 0 && state?.outcome !== "completed" ? null : exit;
}

/** The job's own count; else the largest of its steps, which run one after the other or side by side. */
function nodeJoules(row: Fields, tres: Fields): number | null {
  const own = countOf(tres["allocated"], "energy");
  if (own !== null && own > 0) return own;
  const steps = Array.isArray(row["steps"]) ? row["steps"] : [];
  const ofSteps = steps.map((step: unknown) => {
    const energy = fieldsOf(fieldsOf(fieldsOf(step)["statistics"])["energy"]);
    return numberOf(energy["consumed"]) ?? 0;
  });
  const most = Math.max(0, ...ofSteps.filter(Number.isFinite));
  return most > 0 ? most : null;
}

/** How much of a kind of resource a list of them holds. */
function countOf(list: unknown, type: string): number | null {
  const found = (Array.isArray(list) ? list : []).map(fieldsOf).find((one) => one["type"] === type);
  const count = numberOf(found?.["count"]);
  return count !== null && Number.isFinite(count) ? count : null;
}
