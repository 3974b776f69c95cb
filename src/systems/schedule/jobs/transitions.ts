// The changes that a local job goes through, each a pure function from a record to its successor, or to
// null where the change does not apply any more. Who makes a change (agent, supervisor, command line) may
// be killed before or after it: what is not done is seen from the record, and what is done is not repeated.
//
//   waiting -> starting -> running <-> paused -> done | failed | cancelled
//        ^---------/ its supervisor died before anything ran

import {
  isFinal,
  type JobRecord,
  type ProcessIdentity,
  type SignalJson,
  type Span,
} from "./record.ts";
import type { Changed } from "./store.ts";

/** A moment by both clocks. */
export interface Moment {
  /** Unix seconds; people set this clock. */
  readonly now: number;
  /** Seconds by a clock that nobody sets, the same for all processes until the machine restarts. */
  readonly monotonicS: number;
}

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

type Change = (record: JobRecord) => Changed | null;

const changed = (
  record: JobRecord,
  kind: string,
  changes: Partial<JobRecord> & { readonly reason: string },
): Changed => ({ record: { ...record, ...changes }, kind, text: changes.reason });

/** Whether a job has nothing that runs, and can be started. */
export const canStart = ({ state, process, supervisor }: JobRecord): boolean =>
  state === "waiting" || (state === "paused" && process === null && supervisor === null);

/** The agent is about to start a supervisor for the job. */
export const handOver =
  (reason: string): Change =>
  (record) =>
    canStart(record) && !record.cancelAsked
      ? changed(record, "starting", {
          ...{ state: "starting", attempts: record.attempts + 1, reason },
          ...{ supervisor: null, process: null },
        })
      : null;

/** A supervisor takes the job. Of several that were started for one attempt, one gets it. */
export const claim =
  (attempt: number, supervisor: ProcessIdentity): Change =>
  (record) =>
    record.state === "starting" && record.attempts === attempt && record.supervisor === null
      ? changed(record, "claimed", {
          supervisor,
          reason: `supervised by process ${supervisor.pid}`,
        })
      : null;

/** The job's process exists, held back until this is on the disk. */
export const begin =
  (attempt: number, process: ProcessIdentity, at: Moment): Change =>
  (record) =>
    record.state === "starting" && record.attempts === attempt && !record.cancelAsked
      ? changed(record, "running", {
          ...{ state: "running", process, startedAt: record.startedAt ?? at.now },
          spans: [...record.spans, { start: at.now, end: null, seconds: null }],
          engineData: { ...record.engineData, spanClock: at.monotonicS },
          reason: `process ${process.pid}`,
        })
      : null;

/** It shall stand still. Its processes are signalled once this is written. */
export const pause =
  (reason: string, at: Moment): Change =>
  (record) =>
    record.state === "running" && record.pausing !== null
      ? changed(record, "paused", {
          ...{ state: "paused", reason },
          // A job that saves itself goes on running until it has.
          ...(record.pausing.kind === "stop" ? closed(record, at) : {}),
          engineData: { ...record.engineData, pausedAt: at.now },
        })
      : null;

/** It shall go on. Its processes are signalled once this is written. */
export const goOn =
  (reason: string, at: Moment): Change =>
  (record) =>
    // A job that is saving itself cannot be told otherwise any more: it ends, and is started again.
    record.state === "paused" && record.process !== null && record.pausing?.kind === "stop"
      ? changed(record, "resumed", {
          ...{ state: "running", reason },
          spans: [...record.spans, { start: at.now, end: null, seconds: null }],
          engineData: { ...record.engineData, spanClock: at.monotonicS },
        })
      : null;

/** Ways in which a program ends that was asked to save itself: well, try-again (sysexits), by signal. */
const CHECKPOINT_CODES = [0, 75, 130, 138, 143];
const CHECKPOINT_SIGNALS = ["SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2"];

/** The job's process has ended; told by the supervisor of this attempt. */
export const finish =
  (attempt: number, end: CommandEnd, at: Moment, card: string | null): Change =>
  (record) => {
    if (isFinal(record) || record.attempts !== attempt) return null;
    const cards = card === null ? record.cards : [...record.cards, card];
    const rest = { ...closed(record, at), cards, supervisor: null, process: null, exit: end };
    const saved =
      end.signal === null
        ? CHECKPOINT_CODES.includes(end.code ?? -1)
        : CHECKPOINT_SIGNALS.includes(end.signal);
    if (!record.cancelAsked && saved && isSaving(record))
      return changed(record, "saved", { ...rest, reason: "saved itself; waits to go on" });
    const { state, reason } = outcomeOf(record, end);
    return changed(record, state, { ...rest, state, endedAt: at.now, reason });
  };

/** Whether it was asked to write a checkpoint and end. */
export const isSaving = ({ state, pausing }: JobRecord): boolean =>
  state === "paused" && pausing?.kind === "checkpoint";

function outcomeOf(record: JobRecord, { code, signal }: CommandEnd) {
  if (record.cancelAsked) return { state: "cancelled", reason: "cancelled" } as const;
  if (signal !== null) return { state: "failed", reason: `ended by ${signal}` } as const;
  if (code === 0) return { state: "done", reason: "exit code 0" } as const;
  return { state: "failed", reason: `exit code ${code}` } as const;
}

/** It cannot run: what is wrong is told, and nothing was started. */
export const fail =
  (reason: string, at: Moment): Change =>
  (record) =>
    isFinal(record)
      ? null
      : changed(record, "failed", {
          ...closed(record, at),
          ...{ state: "failed", endedAt: at.now, supervisor: null, process: null, reason },
        });

/** What an agent saw of a job whose supervisor is gone and of which nothing runs. */
export interface Remains {
  readonly attempt: number;
  readonly supervisor: ProcessIdentity | null;
  /** Whether the command of this attempt ever ran. */
  readonly begun: boolean;
}

/** Nobody will tell how it ended. What never ran is started again; what ran is not. */
export const abandon =
  ({ attempt, supervisor, begun }: Remains, at: Moment): Change =>
  (record) => {
    // The supervisor may have told the end after it was looked for.
    const isSame = record.attempts === attempt && isSameProcess(record.supervisor, supervisor);
    if (isFinal(record) || !isSame) return null;
    const nothing = { supervisor: null, process: null } as const;
    if (record.cancelAsked)
      return changed(record, "cancelled", {
        ...{ ...closed(record, at), ...nothing, state: "cancelled", endedAt: at.now },
        reason: "cancelled",
      });
    if (!begun) {
      const spans = record.process === null ? record.spans : record.spans.slice(0, -1);
      return changed(record, "not begun", {
        ...{ ...nothing, spans, state: spans.length > 0 ? "paused" : "waiting" },
        startedAt: spans.length > 0 ? record.startedAt : null,
        reason: "its supervisor was killed before it began: it will be started again",
      });
    }
    if (record.pausing?.kind === "checkpoint")
      return changed(record, "interrupted", {
        ...{ ...closed(record, at), ...nothing, state: "paused" },
        reason: "it was killed, with its supervisor or the machine: it goes on from its checkpoint",
      });
    return changed(record, "failed", {
      ...{ ...closed(record, at), ...nothing, state: "failed", endedAt: at.now },
      reason: "its supervisor was killed, alone or with it: how it ended is not known",
    });
  };

const isSameProcess = (a: ProcessIdentity | null, b: ProcessIdentity | null): boolean =>
  a?.pid === b?.pid && a?.pidStart === b?.pidStart;

/** Somebody wants it to end. What has not begun ends at once. */
export const cancel =
  (at: Moment, reason = "cancelled"): Change =>
  (record) => {
    if (isFinal(record) || (record.cancelAsked && !canStart(record))) return null;
    if (canStart(record))
      return changed(record, "cancelled", {
        ...{ state: "cancelled", cancelAsked: true, endedAt: at.now, reason },
      });
    return changed(record, "cancelling", {
      ...{ cancelAsked: true, reason: "is being cancelled" },
      engineData: { ...record.engineData, cancelAt: at.now },
    });
  };

/** A job that was handed over and not begun does not begin, once somebody asked for its end. */
export const cancelUnbegun =
  (attempt: number, supervisor: ProcessIdentity | null, at: Moment): Change =>
  (record) =>
    record.state === "starting" &&
    record.cancelAsked &&
    record.attempts === attempt &&
    isSameProcess(record.supervisor, supervisor)
      ? changed(record, "cancelled", {
          ...{ state: "cancelled", endedAt: at.now, supervisor: null, reason: "cancelled" },
        })
      : null;

/** What the grid really was meanwhile is known now, and stands. */
export const settle =
  (trace: SignalJson): Change =>
  (record) =>
    isFinal(record) && record.trace === undefined
      ? { record: { ...record, trace }, kind: "settled", text: `by ${trace.source}` }
      : null;

/** It is kept from starting, or no longer. */
export const hold =
  (held: boolean): Change =>
  (record) =>
    canStart(record) && isHeld(record) !== held
      ? changed(record, held ? "held" : "released", {
          engineData: { ...record.engineData, held: held ? 1 : 0 },
          reason: held ? "held" : "released",
        })
      : null;

/** Whether somebody keeps it from starting. */
export const isHeld = ({ engineData }: JobRecord): boolean => engineData["held"] === 1;

/** The last span, closed. */
function closed(record: JobRecord, at: Moment): Pick<JobRecord, "spans"> {
  const last = record.spans.at(-1);
  if (last === undefined || last.end !== null) return { spans: record.spans };
  const seconds = Math.max(0, at.monotonicS - Number(record.engineData["spanClock"] ?? NaN));
  const end: Span = {
    start: last.start,
    end: Math.max(last.start, at.now),
    seconds: Number.isFinite(seconds) ? seconds : null,
  };
  return { spans: [...record.spans.slice(0, -1), end] };
}
