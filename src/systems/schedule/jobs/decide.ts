// What is to be done with a queue at a moment: a pure function of the records, the room there is, and the
// clocks. The plan proposes; the deadline has the last word.

import { type Capacity, fits, held, lackOf, latestStarts, roomLeft } from "./capacity.ts";
import { doneSeconds, isOverdue, latestGo, remainingSeconds } from "./progress.ts";
import type { JobRecord, JobState, Resources } from "./record.ts";
import { canStart, isHeld, isSaving, type Moment } from "./transitions.ts";

export type Action =
  | { readonly kind: "start"; readonly id: string; readonly reason: string }
  | { readonly kind: "pause"; readonly id: string; readonly reason: string }
  | { readonly kind: "resume"; readonly id: string; readonly reason: string }
  /** What it waited for did not come. */
  | { readonly kind: "give-up"; readonly id: string; readonly reason: string };

export interface Decision {
  readonly actions: readonly Action[];
  /** Jobs that should run and find no room, or can never. */
  readonly waitingForRoom: readonly { readonly id: string; readonly lack: string | null }[];
  /** When there may be something to do by the clock alone; null when never. */
  readonly nextAt: number | null;
}

export interface Queue {
  /** All jobs that are not at their end. */
  readonly open: readonly JobRecord[];
  /** State of any job by its id, for those that others wait for. */
  readonly stateOf: (id: string) => JobState | null;
  readonly capacity: Capacity;
  /** Seconds from a decision until a job really runs: guards are kept so much earlier. */
  readonly marginS: number;
}

/** What to do now. */
export function decide({ open, stateOf, capacity, marginS }: Queue, at: Moment): Decision {
  const guards = guardsOf(open, capacity, at);
  const guardOf = (record: JobRecord): number =>
    Math.min(latestGo(record, at), guards.get(record.id) ?? Infinity) - marginS;
  const actions: Action[] = open.flatMap((record) => {
    const missing = canStart(record) ? missingOf(record, stateOf) : null;
    return missing === null ? [] : [{ kind: "give-up", id: record.id, reason: missing }];
  });
  const givenUp = new Set(actions.map(({ id }) => id));
  const alive = open.filter(({ id, cancelAsked }) => !givenUp.has(id) && !cancelAsked);
  for (const record of alive) {
    const reason = whyPause(record, guardOf(record), at);
    if (reason !== null) actions.push({ kind: "pause", id: record.id, reason });
  }
  const due = alive
    .filter((record) => isReady(record, stateOf))
    .flatMap((record) => {
      const reason = whyRun(record, guardOf(record), at);
      return reason === null ? [] : [{ record, reason }];
    })
    .sort((a, b) => guardOf(a.record) - guardOf(b.record));
  const waitingForRoom: { id: string; lack: string | null }[] = [];
  let left = roomLeft(
    capacity,
    open.flatMap((record) => held(record) ?? []),
  );
  // A stopped job is counted as one that has no processor; it does not take a place of its own.
  left = { ...left, jobs: capacity.jobs - open.filter(takesPlace).length };
  for (const { record, reason } of due) {
    const wanted = wantedBy(record);
    const isInTheWay = (): boolean =>
      alive.some(
        (other) => standsBefore(other, record) && !fits(wantedBy(other), roomLeft(left, [wanted])),
      );
    const standsBefore = (other: JobRecord, self: JobRecord): boolean =>
      other.id !== self.id &&
      !takesPlace(other) &&
      guardOf(other) < guardOf(self) &&
      guardOf(other) < at.now + remainingSeconds(self, at);
    if (!fits(wanted, left) || isInTheWay()) {
      waitingForRoom.push({ id: record.id, lack: lackOf(record.resources, capacity) });
      continue;
    }
    left = roomLeft(left, [wanted]);
    actions.push({ kind: record.process === null ? "start" : "resume", id: record.id, reason });
  }
  return { actions, waitingForRoom, nextAt: nextAt(alive, guardOf, at) };
}

const takesPlace = ({ state }: JobRecord): boolean => state === "starting" || state === "running";

/** What it needs beyond what it holds. */
const wantedBy = ({ process, resources }: JobRecord): Resources =>
  process === null ? resources : { ...resources, memoryBytes: 0, gpus: 0 };

/** Guards that heed the other jobs; the machine is theirs as soon as what runs now is over. */
function guardsOf(open: readonly JobRecord[], capacity: Capacity, at: Moment) {
  const pending = open
    .filter(({ cancelAsked }) => !cancelAsked)
    .map((record) => ({
      ...{ id: record.id, resources: record.resources, after: record.after },
      deadline: record.job.deadline - record.job.zones[0].startLatencyS,
      seconds: remainingSeconds(record, at),
    }));
  return latestStarts(pending, capacity);
}

function isReady(record: JobRecord, stateOf: Queue["stateOf"]): boolean {
  if (isHeld(record)) return false;
  if (record.state === "paused" && record.process !== null) return !isSaving(record);
  return canStart(record) && record.after.every((id) => stateOf(id) === "done");
}

function missingOf({ after }: JobRecord, stateOf: Queue["stateOf"]): string | null {
  for (const id of after) {
    const state = stateOf(id);
    if (state === "failed" || state === "cancelled")
      return `job ${id}, which it waits for, ${state}`;
    if (state === null) return `job ${id}, which it waits for, is gone`;
  }
  return null;
}

/** Why it should run now; null when it should not. */
function whyRun(record: JobRecord, guard: number, { now }: Moment): string | null {
  if (now < record.job.earliest) return null;
  if (now >= guard) return "the deadline leaves no more room to wait";
  const { runs } = planOf(record);
  const inRun = runs.some(({ start, end }) => start <= now && now < end);
  if (inRun) return "as planned";
  const last = runs.at(-1);
  return last !== undefined && now >= last.end ? "its planned time is over" : null;
}

/** Why it should stand still now; null when it should not. */
function whyPause(record: JobRecord, guard: number, at: Moment): string | null {
  const { job, state, pausing } = record;
  if (state !== "running" || pausing === null || job.interruptible === null) return null;
  const { runs } = planOf(record);
  const next = runs.find(({ start }) => start > at.now);
  const inRun = runs.some(({ start, end }) => start <= at.now && at.now < end);
  if (inRun || next === undefined || at.now >= guard || isOverdue(record, at)) return null;
  const since = record.spans.at(-1)?.start ?? at.now;
  if (at.now - since < job.interruptible.minimumRunS) return null;
  // What stopping and coming back takes must fit in, and leave the deadline alone.
  const { checkpointS, restartS } = job.interruptible;
  return next.start - at.now > checkpointS + restartS ? "as planned" : null;
}

/** The plan of the record's one job. */
export function planOf({ plan, id }: Pick<JobRecord, "plan" | "id">) {
  const [own] = plan.jobs;
  if (own === undefined) throw new RangeError(`the plan of job ${id} is empty`);
  return own;
}

function nextAt(
  alive: readonly JobRecord[],
  guardOf: (record: JobRecord) => number,
  { now }: Moment,
): number | null {
  const moments = alive.flatMap((record) => {
    const borders = planOf(record).runs.flatMap(({ start, end }) => [start, end]);
    const { minimumRunS = 0 } = record.job.interruptible ?? {};
    const ripe = (record.spans.at(-1)?.start ?? now) + minimumRunS;
    return [...borders, guardOf(record), record.job.earliest, ripe];
  });
  const ahead = moments.filter((moment) => moment > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}

/** Seconds of work that the plan has not yet set aside time for: it has fallen behind. */
export function shortfall(record: JobRecord, at: Moment): number {
  const ahead = planOf(record).runs.reduce(
    (sum, { start, end }) => sum + Math.max(0, end - Math.max(start, at.now)),
    0,
  );
  const total = planOf(record).runs.reduce((sum, { start, end }) => sum + end - start, 0);
  return total - doneSeconds(record, at) - ahead;
}
