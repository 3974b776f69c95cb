// What is kept of a job that really runs: what was asked, what was planned, what happened. Plain JSON;
// times are Unix seconds.

import type { ForecastError } from "../forecast-error.ts";
import type { Job } from "../job.ts";
import type { Plan } from "../plan.ts";
import type { SignalKind } from "../signal.ts";

/** Who runs it. */
export type EngineName = "local" | "slurm";

/**
 * waiting: in the queue, nothing begun. starting: handed over, and whether it runs is not yet known.
 * paused: begun, and stopped until the plan goes on. The last three are final.
 */
export type JobState =
  | "waiting"
  | "starting"
  | "running"
  | "paused"
  | "done"
  | "failed"
  | "cancelled";

export const FINAL_STATES: readonly JobState[] = ["done", "failed", "cancelled"];
export const OPEN_STATES: readonly JobState[] = ["waiting", "starting", "running", "paused"];

/** Whether nothing will happen to a job any more. */
export const isFinal = ({ state }: Pick<JobRecord, "state">): boolean =>
  FINAL_STATES.includes(state);

/** What a job holds while it runs. */
export interface Resources {
  readonly cpus: number;
  /** 0 when not said: then it is not counted. */
  readonly memoryBytes: number;
  readonly gpus: number;
  /** 1 unless the engine has several machines. */
  readonly nodes: number;
}

/** How a job is stopped and continued. */
export type Pausing =
  /** SIGSTOP and SIGCONT of its processes, or the cluster's suspend: memory is kept. */
  | { readonly kind: "stop" }
  /** This command makes the job save itself and end; started again, it goes on from there. */
  | { readonly kind: "checkpoint"; readonly command: readonly [string, ...string[]] };

/** Where a newer forecast comes from: what was said on the command line about the signal. */
export interface ForecastSource {
  /** Absolute path, or address. */
  readonly signal: string | null;
  readonly zone: string | null;
  /** Service. */
  readonly from: string | null;
  readonly kind: SignalKind | null;
  readonly basis: "location" | "market" | null;
  readonly offline: boolean;
  /** Makes the forecast of a record; null when the source issues forecasts. */
  readonly forecaster: string | null;
}

/** How to plan it again. */
export interface Planning {
  /** Name of a built-in policy. */
  readonly policy: string;
  readonly threshold: number;
  readonly error: ForecastError;
  readonly source: ForecastSource;
}

/** A signal as kept and as read from files; schema `godwit.signal/1`. */
export interface SignalJson {
  readonly schema: "godwit.signal/1";
  readonly zone: string;
  readonly kind: SignalKind;
  readonly basis: "location" | "market";
  readonly issued_at: string;
  readonly start: string;
  readonly step_s: number;
  readonly values_gco2e_per_kwh: readonly number[];
  readonly source: string;
}

/** A stretch in which the job really ran. */
export interface Span {
  readonly start: number;
  /** Null while it lasts. */
  readonly end: number | null;
  /** Seconds by a clock that nobody sets, where known; else `end - start`. */
  readonly seconds: number | null;
}

/** A process that cannot be taken for another one of the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot and start time, as the platform tells; null where it does not. */
  readonly pidStart: string | null;
}

export interface JobRecord {
  readonly schema: "godwit.job/1";
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Program and arguments, as given: no shell reads them. */
  readonly command: readonly [string, ...string[]];
  /** Absolute. */
  readonly cwd: string;
  /** Whether it gets the environment of who submitted it, kept apart, or a bare one. */
  readonly environment: "submitter" | "bare";
  /** User id of who submitted it; null where there are none. */
  readonly user: number | null;
  /** As the planner sees it. */
  readonly job: Job;
  readonly durationSource: string;
  readonly resources: Resources;
  /** Jobs that must be done before. */
  readonly after: readonly string[];
  /** Null when it runs in one piece. */
  readonly pausing: Pausing | null;
  readonly planning: Planning;

  readonly engine: EngineName;
  /** The job's id in the engine, such as Slurm's; null while it has none. */
  readonly externalId: string | null;
  /** What else the engine must know of it after a restart. */
  readonly engineData: Readonly<Record<string, string | number | null>>;

  readonly state: JobState;
  /** Why it is in this state, in words. */
  readonly reason: string;
  /** Somebody asked for its end. */
  readonly cancelAsked: boolean;
  /** How often it was handed over to be started. */
  readonly attempts: number;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  readonly spans: readonly Span[];
  /** The process that looks after the job, and the job's own. */
  readonly supervisor: ProcessIdentity | null;
  readonly process: ProcessIdentity | null;
  readonly stdout: string;
  readonly stderr: string;

  /** The plan that holds now, the forecast it was made of, and the very first one. */
  readonly plan: Plan;
  readonly forecast: SignalJson;
  readonly firstPlan: Plan;
  readonly firstForecast: SignalJson;
  readonly replans: number;
  /** Cards of the runs, one for each attempt that ran. */
  readonly cards: readonly string[];
  /** What the grid's intensity really was from submission to deadline, once it is known. */
  readonly trace?: SignalJson;
}
