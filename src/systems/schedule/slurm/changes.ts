// The changes that a job on Slurm goes through, each a pure function from a record to its successor, or to
// null where it does not apply any more.
//
//   waiting -> starting -> waiting (held, then released) -> running <-> paused -> done | failed | cancelled
//                                     ^-- requeued --------'

import { planOf } from "../jobs/decide.ts";
import { latestGo } from "../jobs/progress.ts";
import { isFinal, type JobRecord, type JobState } from "../jobs/record.ts";
import type { Changed } from "../jobs/store.ts";
import type { CounterScope } from "./node-energy.ts";
import type { Sight } from "./sight.ts";
import type { Outcome } from "./states.ts";

type Change = (record: JobRecord) => Changed | null;

const changed = (
  record: JobRecord,
  kind: string,
  changes: Partial<JobRecord> & { readonly reason: string },
): Changed => ({
  record: {
    ...record,
    ...changes,
    engineData: { ...record.engineData, ...changes.engineData },
  },
  kind,
  text: changes.reason,
});

/** When the plan wants it to begin, or to go on, never later than its deadline allows; at least `now`. */
export function wantedBegin(record: JobRecord, now: number): number {
  const { runs } = planOf(record);
  const next = runs.find(({ end }) => end > now)?.start ?? now;
  const latest = latestGo(record, { now, monotonicS: Number.NaN });
  return Math.max(Math.floor(now), Math.floor(Math.min(next, latest)));
}

/** sbatch is about to be called. Of two processes that want to, one is let. */
export const handOver =
  (now: number): Change =>
  (record) =>
    record.state === "waiting" && record.externalId === null && !record.cancelAsked
      ? changed(record, "handed over", {
          ...{ state: "starting", attempts: record.attempts + 1, reason: "handed to sbatch" },
          engineData: { handedAt: now },
        })
      : null;

/** Slurm has it, held until this is on the disk. */
export const accepted =
  (id: number, begin: number): Change =>
  (record) =>
    record.externalId === null && !isFinal(record)
      ? changed(record, "accepted", {
          ...{ state: "waiting", externalId: String(id), reason: `job ${id} of Slurm` },
          engineData: { begin, restarts: 0, released: null, confirmed: null },
        })
      : null;

/** sbatch said no: there is nothing to wait for. */
export const refused =
  (reason: string, now: number): Change =>
  (record) =>
    record.state === "starting"
      ? changed(record, "refused", { state: "failed", endedAt: now, reason })
      : null;

/** Slurm has no job of it, and cannot have begun one: it is handed over again. */
export const forgotten =
  (reason: string): Change =>
  (record) =>
    isFinal(record) || record.spans.length > 0
      ? null
      : changed(record, "forgotten", {
          ...{ state: "waiting", externalId: null, reason },
          engineData: { released: null, confirmed: null, handedAt: null },
        });

/** It is held no more. Until that is seen for a while, a crash of the controller may undo it. */
export const released =
  (now: number): Change =>
  (record) =>
    changed(record, "released", {
      reason: record.reason,
      engineData: { released: now, confirmed: null },
    });

/** The controller has shown it free for longer than it takes to save that. */
export const confirmed: Change = (record) =>
  record.engineData["confirmed"] === 1
    ? null
    : changed(record, "confirmed", { reason: record.reason, engineData: { confirmed: 1 } });

/** Slurm was told when it begins. */
export const moved =
  (begin: number, why: string): Change =>
  (record) =>
    changed(record, "moved", {
      reason: record.state === "waiting" ? `begins ${utc(begin)}` : record.reason,
      engineData: { begin, why },
    });

/** Something that a person should know of a job that stays as it is. */
export const remarked =
  (reason: string, data: JobRecord["engineData"] = {}): Change =>
  (record) =>
    isFinal(record) || (record.reason === reason && Object.keys(data).length === 0)
      ? null
      : changed(record, "remark", { reason, engineData: data });

/** The cluster shows it running, stopped, or back in the queue. */
export const seen =
  (sight: Sight, now: number): Change =>
  (record) => {
    if (isFinal(record)) return null;
    const state = STATE_OF[sight.phase];
    const known = Number(record.engineData["restarts"] ?? 0);
    if (state === null || (state === record.state && sight.restarts <= known)) return null;
    const back = state === "waiting";
    return changed(record, back ? "requeued" : state, {
      ...{ state, startedAt: record.startedAt ?? (back ? null : sight.startedAt) },
      spans: back || state === "paused" ? closed(record, now) : reopened(record, sight, now),
      reason: back
        ? `requeued (restart ${sight.restarts})`
        : state === "paused"
          ? "suspended"
          : `runs (${sight.words})`,
      engineData: { restarts: sight.restarts },
    });
  };

/** The cluster that has it, so that another one's silence is not taken for its end. */
export const located =
  (cluster: string): Change =>
  (record) =>
    cluster === "" || record.engineData["cluster"] === cluster
      ? null
      : changed(record, "located", { reason: record.reason, engineData: { cluster } });

const STATE_OF: Readonly<Record<Sight["phase"], JobState | null>> = {
  waiting: "waiting",
  running: "running",
  suspended: "paused",
  ended: null,
};

function closed({ spans }: JobRecord, now: number): JobRecord["spans"] {
  const last = spans.at(-1);
  if (last === undefined || last.end !== null) return spans;
  return [...spans.slice(0, -1), { ...last, end: Math.max(now, last.start) }];
}

function reopened(record: JobRecord, sight: Sight, now: number): JobRecord["spans"] {
  const last = record.spans.at(-1);
  if (last !== undefined && last.end === null) return record.spans;
  const start =
    last === undefined ? (sight.startedAt ?? now) : Math.max(sight.startedAt ?? 0, last.end ?? 0);
  return [...record.spans, { start, end: null, seconds: null }];
}

const FINAL: Readonly<Record<Outcome, JobState>> = {
  completed: "done",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "failed",
  late: "failed",
};

const ENDED: Readonly<Record<Outcome, string>> = {
  completed: "completed",
  failed: "it failed",
  cancelled: "cancelled",
  interrupted: "its node failed or it was preempted, and Slurm was not to run it again",
  late: "Slurm removed it: it could no longer end by its deadline",
};

/** Neither the controller nor accounting knows of it, and it had begun, or may have. */
export const lost =
  (now: number): Change =>
  (record) =>
    isFinal(record)
      ? null
      : changed(record, "lost", {
          ...{ state: "failed", endedAt: now, spans: closed(record, now) },
          reason: `Slurm lost it ${record.spans.length > 0 ? "after it had begun" : "about when it was to begin"}; see what it wrote, and submit it again`,
        });

/** It has ended; `sight` is the best that is known, accounting's or else the controller's. */
export const ended =
  (sight: Sight, now: number): Change =>
  (record) => {
    if (isFinal(record) || sight.outcome === null) return null;
    const { exit, outcome } = sight;
    const spans = sight.spans.map((span) => ({ ...span, end: span.end ?? sight.endedAt ?? now }));
    // The controller tells the last run of a requeued job alone; accounting all, and how long each was.
    const isWhole =
      spans.length >= record.spans.length || spans.some(({ seconds }) => seconds !== null);
    return changed(record, FINAL[outcome], {
      state: FINAL[outcome],
      startedAt: record.startedAt ?? sight.startedAt,
      endedAt: sight.endedAt ?? now,
      exit: exit === null ? null : { code: exit.code, signal: signalOf(exit.signal) },
      spans: isWhole ? spans : closed(record, sight.endedAt ?? now),
      reason: outcome === "completed" ? ENDED.completed : `${ENDED[outcome]} (${sight.words})`,
      engineData: { restarts: sight.restarts, nodes: sight.nodeCount },
    });
  };

/** The cards of its runs, made on the nodes. */
export const metered =
  (cards: readonly string[]): Change =>
  (record) =>
    cards.length === record.cards.length
      ? null
      : changed(record, "metered", { reason: record.reason, cards });

/** What the counters of its nodes told, and whether that is its own. */
export const counted =
  (joules: number, scope: CounterScope): Change =>
  (record) =>
    changed(record, "counted", {
      reason: record.reason,
      engineData: { nodeJoules: joules, nodeJoulesScope: scope },
    });

/** Numbers of signal(7) that end jobs. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

const signalOf = (number: number | null): string | null =>
  number === null ? null : (SIGNALS[number] ?? `signal ${number}`);

const utc = (at: number): string => new Date(at * 1000).toISOString().replace(".000", "");
