// `squeue --json`: the jobs that the controller knows, waiting, running, and for some minutes after their
// end. One row a job; tasks of an array that have not begun share one row.

import {
  type Exit,
  exitOf,
  numberOf,
  readAnswer,
  rowsOf,
  textOf,
  timeOf,
  wordsOf,
} from "./answer.ts";
import { type SlurmState, stateOf } from "./states.ts";

export interface QueuedJob {
  readonly cluster: string;
  readonly id: number;
  /** The array that it is a task of; null when it is none. */
  readonly arrayId: number | null;
  /** Which task; null when the row stands for all that have not begun. */
  readonly task: number | null;
  readonly name: string;
  readonly user: string;
  /** Null for a state of a version that is newer than this reader. */
  readonly state: SlurmState | null;
  readonly reason: string;
  /** Moved when it is requeued: not the first submission's. Unix seconds. */
  readonly submittedAt: number | null;
  /** When it began or is expected to; what a plan sets while it waits. */
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly deadline: number | null;
  /** Null when not told, Infinity without a limit. */
  readonly limitS: number | null;
  readonly held: boolean;
  readonly restarts: number;
  readonly nodes: string;
  readonly nodeCount: number;
  /** Path of the batch script, and its arguments, as one text. */
  readonly command: string;
  readonly exit: Exit | null;
}

/** The jobs in an answer of squeue. Throws UserError when it is none, or tells of a fault. */
export function readSqueue(text: string): readonly QueuedJob[] {
  return rowsOf("squeue", readAnswer("squeue", text), "jobs").map((row): QueuedJob => {
    const state = stateOf(wordsOf(row["job_state"]));
    const arrayId = numberOf(row["array_job_id"]) || null;
    const limit = numberOf(row["time_limit"]);
    return {
      cluster: textOf(row["cluster"]),
      id: numberOf(row["job_id"]) ?? 0,
      arrayId,
      task: arrayId === null ? null : numberOf(row["array_task_id"]),
      name: textOf(row["name"]),
      user: textOf(row["user_name"]),
      state,
      reason: textOf(row["state_reason"]),
      submittedAt: timeOf(row["submit_time"]),
      startsAt: timeOf(row["start_time"]),
      endsAt: timeOf(row["end_time"]),
      deadline: timeOf(row["deadline"]),
      limitS: limit === null ? null : 60 * limit,
      // Versions without the field hold a job by taking its priority.
      held: row["hold"] === true || (state?.phase === "waiting" && numberOf(row["priority"]) === 0),
      restarts: numberOf(row["restart_cnt"]) ?? 0,
      nodes: textOf(row["nodes"]),
      nodeCount: numberOf(row["node_count"]) ?? 0,
      command: textOf(row["command"]),
      exit: state?.phase === "ended" ? exitOf(row["exit_code"]) : null,
    };
  });
}
