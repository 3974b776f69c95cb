// What is to be run: how long, at what power, between when and when, and what may be done with it.

import { type Figure, UserError } from "../../core/index.ts";
import { type Duration, durationAt } from "./duration.ts";

/** How a job that can be stopped and continued pays for it. */
export interface Interruption {
  /** Shortest stretch of progress between two stops, seconds. */
  readonly minimumRunS: number;
  /** Time and energy of writing a checkpoint at each stop. */
  readonly checkpointS: number;
  readonly checkpointJ: number;
  /** Time and energy of coming back at each continuation. */
  readonly restartS: number;
  readonly restartJ: number;
}

/** Stopping and continuing at no cost, as SIGSTOP of a process group nearly is. */
export const FREE_INTERRUPTION: Interruption = {
  minimumRunS: 0,
  checkpointS: 0,
  checkpointJ: 0,
  restartS: 0,
  restartJ: 0,
};

/** A zone in which the job may run, and what going there takes. */
export interface Placement {
  readonly zone: string;
  /** Data to move there first; 0 where it already lies. */
  readonly bytes: number;
  /** Energy of moving one byte; declared, it differs by orders of magnitude between networks. */
  readonly joulesPerByte: number;
  /** From the decision to start to the first work: transfer, boot, queue. Seconds. */
  readonly startLatencyS: number;
}

/** Work done per second with 1, 2, ... nodes, relative to one node: [1, 1.9, 2.6]. */
export type ScaleCurve = readonly number[];

/** A job as the planner sees it. Times are Unix seconds. */
export interface Job {
  readonly id: string;
  /** When it was handed in: the counterfactual starts then. */
  readonly submittedAt: number;
  /** Earliest start, not before submission. */
  readonly earliest: number;
  /** When it must have ended, with probability 0.95. */
  readonly deadline: number;
  readonly duration: Duration;
  /** Mean power while it runs on one node: from cards of earlier runs, else declared. */
  readonly power: Figure<"W">;
  /** Null when it must run in one piece. */
  readonly interruptible: Interruption | null;
  /** Null when it runs on a fixed number of nodes. */
  readonly scale: ScaleCurve | null;
  /** First is home, where the counterfactual runs. */
  readonly zones: readonly [Placement, ...Placement[]];
  /** True when the user said when it starts: it then starts at `earliest`, whatever the signal. */
  readonly pinned: boolean;
}

/** Probability with which a deadline is kept: the quantile of the duration that is planned for. */
export const DEADLINE_PROBABILITY = 0.95;

/** Seconds that are set aside for a job: its duration with probability 0.95. */
export const plannedDuration = (job: Pick<Job, "duration">): number =>
  durationAt(job.duration, DEADLINE_PROBABILITY);

/**
 * The last moment at which a job may be started: deadline - q95(duration) - start latency. A moment
 * before `earliest` means that the deadline cannot be kept.
 */
export const latestStart = (
  job: Pick<Job, "deadline" | "duration">,
  place: Pick<Placement, "startLatencyS">,
): number => job.deadline - plannedDuration(job) - place.startLatencyS;

/** Throws UserError when a job contradicts itself. */
export function checkJob(job: Job): void {
  const fault = faultOf(job);
  if (fault === null) return;
  throw new UserError("invalid-input", `job ${job.id}: ${fault}`, {
    hint: "Times are Unix seconds: submitted <= earliest < deadline. Scale curves start at 1.",
  });
}

function faultOf({ submittedAt, earliest, deadline, power, scale, zones }: Job): string | null {
  if (!(submittedAt <= earliest)) return "it may start before it was submitted";
  if (!(earliest < deadline)) return "its deadline is not after its earliest start";
  if (!(power.value > 0)) return "its power is not known";
  if (scale !== null && scale[0] !== 1) return "its scale curve does not start at 1";
  const names = new Set(zones.map(({ zone }) => zone));
  return names.size === zones.length ? null : "a zone is listed twice";
}
