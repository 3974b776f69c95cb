// What the rows of one job say together. An array has a row for each task that has begun and one for all
// that wait; a job that was requeued has several in accounting.

import type { Span } from "../jobs/record.ts";
import type { Exit } from "./answer.ts";
import type { AccountedJob } from "./read-sacct.ts";
import type { QueuedJob } from "./read-squeue.ts";
import type { Outcome, Phase } from "./states.ts";

/** One job as the cluster has it now. */
export interface Sight {
  readonly phase: Phase;
  /** The worst of its tasks; null unless all have ended. */
  readonly outcome: Outcome | null;
  readonly exit: Exit | null;
  /** First begin and last end, Unix seconds. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly spans: readonly Span[];
  /** While it waits: what it waits for, until when, and whether somebody holds it. */
  readonly waits: {
    readonly reason: string;
    readonly until: number | null;
    readonly held: boolean;
  };
  readonly restarts: number;
  /** Most nodes that it, or a task of an array, had at once; 0 before it begins. */
  readonly nodeCount: number;
  /** Slurm's words. */
  readonly words: string;
  /** Counted by its nodes, joules; null where nothing was. */
  readonly nodeJoules: number | null;
}

type Row = QueuedJob | AccountedJob;

/** Whether a row belongs to a job or array of this number. */
export const isOf =
  (id: number) =>
  (row: Pick<Row, "id" | "arrayId">): boolean =>
    row.id === id || row.arrayId === id;

/** From the worst: what an array is said to have done when its tasks differ. */
const WORST: readonly Outcome[] = ["failed", "interrupted", "late", "cancelled", "completed"];

/** A job by the controller's rows; null when it has none, or only in states that are not known. */
export function sightOfQueue(rows: readonly QueuedJob[]): Sight | null {
  const known = rows.filter(({ state }) => state !== null);
  const phases = new Set(known.map(({ state }) => state?.phase));
  const phase = (["running", "suspended", "waiting", "ended"] as const).find((one) =>
    phases.has(one),
  );
  if (phase === undefined) return null;
  const waiting = known.find(({ state }) => state?.phase === "waiting");
  return {
    ...common(known, phase),
    waits: {
      reason: waiting?.reason ?? "",
      until: waiting?.startsAt ?? null,
      held: waiting?.held ?? false,
    },
    restarts: Math.max(...known.map(({ restarts }) => restarts)),
    nodeJoules: null,
  };
}

/** A job by accounting's rows, of which it may have several for one task; null when it has none. */
export function sightOfAccounts(rows: readonly AccountedJob[]): Sight | null {
  const latest = new Map<number, AccountedJob>();
  for (const row of rows) {
    const before = latest.get(row.id);
    if (before === undefined || order(row) >= order(before)) latest.set(row.id, row);
  }
  const last = [...latest.values()].filter(({ state }) => state !== null);
  const phases = new Set(last.map(({ state }) => state?.phase));
  const phase = (["running", "suspended", "waiting", "ended"] as const).find((one) =>
    phases.has(one),
  );
  if (phase === undefined) return null;
  const joules = rows.flatMap(({ nodeJoules }) => nodeJoules ?? []);
  return {
    ...common(last, phase),
    // Every time that it ran counts, not the last one alone.
    spans: spansOf(rows),
    waits: { reason: "", until: null, held: false },
    restarts: rows.length - latest.size,
    nodeJoules: joules.length === 0 ? null : joules.reduce((sum, one) => sum + one, 0),
  };
}

const order = ({ startedAt, submittedAt }: AccountedJob): number => startedAt ?? submittedAt ?? 0;

function common(rows: readonly Row[], phase: Phase) {
  const outcomes = new Set(rows.map(({ state }) => state?.outcome));
  const outcome = phase === "ended" ? (WORST.find((one) => outcomes.has(one)) ?? null) : null;
  const begun = rows.filter(({ state }) => state?.phase !== "waiting");
  const starts = begun.flatMap((row) => startOf(row) ?? []);
  const ends = begun.flatMap((row) => endOf(row) ?? []);
  const telling = rows.find(({ state }) => state?.outcome === outcome) ?? rows[0];
  return {
    phase,
    outcome,
    exit: outcome === null ? null : (telling?.exit ?? null),
    startedAt: starts.length === 0 ? null : Math.min(...starts),
    endedAt: phase === "ended" && ends.length > 0 ? Math.max(...ends) : null,
    spans: spansOf(rows),
    nodeCount: Math.max(0, ...begun.map(({ nodeCount }) => nodeCount)),
    words: [...new Set(rows.map(({ state }) => state?.words ?? ""))].join(", "),
  };
}

/** The stretches in which rows say that it ran. What never began has none. */
function spansOf(rows: readonly Row[]): readonly Span[] {
  return rows
    .flatMap((row): Span[] => {
      const [start, end] = [startOf(row), endOf(row)];
      // In accounting a run that was requeued is one that ended; in the queue its begin is still to come.
      const isToCome = row.state?.phase === "waiting" && ("startsAt" in row || end === null);
      if (start === null || isToCome) return [];
      const seconds = "elapsedS" in row && end !== null ? row.elapsedS : null;
      return [{ start, end, seconds }];
    })
    .sort((a, b) => a.start - b.start);
}

/** A job that was cancelled while it waited has a start, but never had a node. */
function startOf(row: Row): number | null {
  if (row.nodes === "") return null;
  return "startsAt" in row ? row.startsAt : row.startedAt;
}

/** squeue tells of a running job when its limit will end it. */
const endOf = (row: Row): number | null =>
  "endsAt" in row ? (row.state?.phase === "ended" ? row.endsAt : null) : row.endedAt;
