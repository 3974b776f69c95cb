// How much of a job's work is done, what is left, and until when it may stand still.

import { durationAt } from "../duration.ts";
import { DEADLINE_PROBABILITY, type Job } from "../job.ts";
import type { JobRecord, Span } from "./record.ts";
import type { Moment } from "./transitions.ts";

/** What is taken to be left of a job that has run longer than expected, as a share of that. */
const LEAST_LEFT = 0.01;

/** Seconds of progress: the time it ran, less what coming back takes at each continuation. */
export function doneSeconds(record: JobRecord, at: Moment): number {
  const ran = record.spans.map((span) => spanSeconds(span, record, at));
  const restart =
    record.pausing?.kind === "checkpoint" ? (record.job.interruptible?.restartS ?? 0) : 0;
  return ran.reduce((sum, one, index) => sum + Math.max(0, one - (index > 0 ? restart : 0)), 0);
}

function spanSeconds({ start, end, seconds }: Span, record: JobRecord, at: Moment): number {
  if (seconds !== null) return seconds;
  if (end !== null) return end - start;
  const clock = Number(record.engineData["spanClock"] ?? Number.NaN);
  return Math.max(0, Number.isFinite(clock) ? at.monotonicS - clock : at.now - start);
}

/** The job with what is left of its duration, for planning it again. */
export function remainingJob(record: JobRecord, at: Moment): Job {
  const done = doneSeconds(record, at);
  if (done === 0) return record.job;
  let last = 0;
  const duration = record.job.duration.map(({ p, seconds }) => {
    last = Math.max(last, seconds - done, LEAST_LEFT * seconds);
    return { p, seconds: last };
  });
  return { ...record.job, duration };
}

/** Seconds that what is left takes with probability 0.95, once it goes on. */
export function remainingSeconds(record: JobRecord, at: Moment): number {
  const left = durationAt(remainingJob(record, at).duration, DEADLINE_PROBABILITY);
  const comesBack = record.spans.length > 0 && record.state !== "running";
  return left + (comesBack ? (record.job.interruptible?.restartS ?? 0) : 0);
}

/** Whether it has run longer than 95 of 100 runs: it is never stopped again. */
export const isOverdue = (record: JobRecord, at: Moment): boolean =>
  doneSeconds(record, at) >= durationAt(record.job.duration, DEADLINE_PROBABILITY);

/** Last moment at which it must run, in one piece from then on, if it has the machine to itself. */
export const latestGo = (record: JobRecord, at: Moment): number =>
  record.job.deadline - remainingSeconds(record, at) - record.job.zones[0].startLatencyS;
