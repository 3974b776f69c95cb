// Slurm's words for the state of a job, and what they mean. A job has one base state and any number of
// flags beside it; 22.05 shows only one word of them, newer versions all (slurm.h, job_states).

/** How far a job is. */
export type Phase = "waiting" | "running" | "suspended" | "ended";

/** How an ended job ended. */
export type Outcome = "completed" | "failed" | "cancelled" | "interrupted" | "late";

export interface SlurmState {
  readonly phase: Phase;
  /** Null unless it has ended. */
  readonly outcome: Outcome | null;
  /** Slurm's words, for people. */
  readonly words: string;
}

type Meaning = readonly [Phase, Outcome | null];

const BASE: Readonly<Record<string, Meaning>> = {
  PENDING: ["waiting", null],
  RUNNING: ["running", null],
  SUSPENDED: ["suspended", null],
  COMPLETED: ["ended", "completed"],
  CANCELLED: ["ended", "cancelled"],
  FAILED: ["ended", "failed"],
  TIMEOUT: ["ended", "failed"],
  OUT_OF_MEMORY: ["ended", "failed"],
  PREEMPTED: ["ended", "interrupted"],
  NODE_FAIL: ["ended", "interrupted"],
  BOOT_FAIL: ["ended", "interrupted"],
  DEADLINE: ["ended", "late"],
};

/** Flags, where no base state is shown beside them: what the job is doing then. */
const FLAGS: Readonly<Record<string, Meaning>> = {
  CONFIGURING: ["running", null],
  COMPLETING: ["running", null],
  STAGE_OUT: ["running", null],
  RESIZING: ["running", null],
  SIGNALING: ["running", null],
  STOPPED: ["suspended", null],
  REQUEUED: ["waiting", null],
  REQUEUE_FED: ["waiting", null],
  REQUEUE_HOLD: ["waiting", null],
  RESV_DEL_HOLD: ["waiting", null],
  SPECIAL_EXIT: ["waiting", null],
  REVOKED: ["ended", "cancelled"],
  LAUNCH_FAILED: ["ended", "failed"],
};

/** The state that words stand for; null when none of them is known. */
export function stateOf(words: readonly string[]): SlurmState | null {
  const shown = words.join(", ").toLowerCase();
  for (const table of [BASE, FLAGS])
    for (const word of words) {
      // Accounting writes "CANCELLED by 1000".
      const meaning = table[word.split(" ")[0] ?? ""];
      if (meaning === undefined) continue;
      const [phase, outcome] = meaning;
      // A job that was running and now is made ready to wait again still shows how it ended.
      if (phase === "ended" && words.some((one) => one.startsWith("REQUEUE")))
        return { phase: "waiting", outcome: null, words: shown };
      return { phase, outcome, words: shown };
    }
  return null;
}
