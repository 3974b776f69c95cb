// What a policy is: a pure function from a piece of work and a forecast to the stretches of time in
// which to run. Policies know nothing of zones, watts of other jobs, guards or clusters.

import type { Duration } from "../duration.ts";
import type { Exposure } from "../exposure.ts";
import type { Interruption } from "../job.ts";

/** A stretch of time in which the work runs, Unix seconds. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** A piece of work to be placed in time. */
export interface Work {
  /** First moment at which it may start. */
  readonly earliest: number;
  /** Last moment at which it may start if it then runs in one piece. */
  readonly latestStart: number;
  readonly duration: Duration;
  /** Seconds set aside: the length of the runs that a policy returns adds up to this. */
  readonly plannedS: number;
  /** Watts while running; sets what a restart's joules weigh against running. */
  readonly watts: number;
  readonly interruption: Interruption | null;
  /**
   * Starts are tried every `pitchS` seconds from `earliest`. Without it they are tried wherever the
   * optimum of a duration known exactly can lie.
   */
  readonly pitchS?: number;
}

/**
 * A scheduling policy. Runs come in order of time, at least one, and add up to `plannedS`, with what
 * stopping takes where that is priced.
 */
export interface Policy {
  readonly name: string;
  /** Whether it may return several runs, and then whether it heeds what stopping costs. */
  readonly interrupts: "never" | "free" | "priced";
  choose(work: Work, forecast: Exposure): readonly Run[];
}

/** Work in one piece, started at `start`. */
export const inOnePiece = (start: number, { plannedS }: Work): readonly Run[] => [
  { start, end: start + plannedS },
];
