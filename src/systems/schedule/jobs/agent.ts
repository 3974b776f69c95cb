// The agent of the local runner: holds the queue, starts what is due, stops and continues what the plan
// says, plans again when a forecast is new. All it knows is in the store, so it may be killed at any moment
// and started again. Jobs are looked after by supervisors of their own, which outlive it.
//
// What keeps a job from running twice: the store hands an attempt to one supervisor (claim), and a
// supervisor lets the command go only once its process is on record (begin).

import { reasonOf } from "../../../core/index.ts";
import type { Signal } from "../signal.ts";
import type { Capacity } from "./capacity.ts";
import { type Action, decide, planOf, shortfall } from "./decide.ts";
import { isOverdue } from "./progress.ts";
import {
  type ForecastSource,
  type JobRecord,
  type JobState,
  OPEN_STATES,
  type ProcessIdentity,
} from "./record.ts";
import { differs, isNewer, replan } from "./replan.ts";
import { signalOfJson } from "./signal-json.ts";
import type { JobStore } from "./store.ts";
import {
  abandon,
  cancel,
  cancelUnbegun,
  goOn,
  handOver,
  isSaving,
  type Moment,
  pause,
} from "./transitions.ts";

/** What the agent does to processes. */
export interface JobProcesses {
  /** Starts a supervisor for the record's attempt; resolved once it exists. It outlives this process. */
  supervise(record: JobRecord): Promise<void>;
  isGone(process: ProcessIdentity): Promise<boolean>;
  /** To the job's process and all of its session. */
  signal(
    process: ProcessIdentity,
    signal: "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGKILL",
  ): Promise<void>;
  /** Whether the command of the record's attempt was let go. */
  hasBegun(record: JobRecord): Promise<boolean>;
  /** Starts the command that makes the job save itself; does not wait for it. */
  askToSave(record: JobRecord): Promise<void>;
}

export interface AgentOptions {
  readonly store: JobStore;
  readonly processes: JobProcesses;
  readonly moment: () => Moment;
  /** The newest forecast from a source that covers the window. */
  readonly forecastOf: (
    source: ForecastSource,
    window: { readonly now: number; readonly until: number },
  ) => Promise<Signal>;
  readonly capacity: Capacity;
  /** Only jobs of this user are touched. */
  readonly user: number | null;
  /** Seconds after which a source is asked again. */
  readonly refreshS: number;
  /** Seconds from a decision until a job runs. */
  readonly marginS: number;
  /** Seconds between asking a cancelled job to end and killing it. */
  readonly graceS: number;
  /** Only this job is looked after, when given. */
  readonly only?: string;
  /** Told of what is done and found, one line each. */
  readonly onEvent: (text: string) => void;
}

export interface Agent {
  /** Looks at everything once, and does what is due. Gives back when the clock alone may ask for more, Infinity for never. */
  tick(): Promise<{ readonly nextAt: number; readonly open: number }>;
  /**
   * Asks for newer forecasts where it is time to. True when one came that differs from what was known: the
   * next tick uses it.
   */
  refresh(): Promise<boolean>;
  /** Whether a job that is looked after has lost its supervisor or its process. Cheap. */
  hasLoss(): Promise<boolean>;
}

/** How long a supervisor that was started may take to claim its job, seconds. */
const CLAIM_S = 30;

export function createAgent(options: AgentOptions): Agent {
  const { store, processes, moment, onEvent } = options;
  const once = onceEach(onEvent);
  const spawned = new Map<string, number>();
  const seen = new Set<string>();
  const forecasts = new Map<string, Asked>();
  let watched: readonly JobRecord[] = [];

  async function tick() {
    const all = await store.list({ engine: "local", states: OPEN_STATES }, ({ id, error }) =>
      once(`damaged ${id}`, reasonOf(error)),
    );
    const own = all.filter((record) => isOwn(record));
    for (const record of own) await reconcile(record);
    for (const record of await openJobs()) await planAgain(record);
    const open = await openJobs();
    const states = await statesOf(open);
    const { capacity, marginS } = options;
    const queue = { open, stateOf: (id: string) => states.get(id) ?? null, capacity, marginS };
    const decision = decide(queue, moment());
    for (const action of decision.actions)
      if (options.only === undefined || action.id === options.only) await act(action);
    for (const { id, lack } of decision.waitingForRoom)
      if (lack !== null) once(`lack ${id}`, `job ${id} needs ${lack}: it cannot run here`);
    watched = await openJobs();
    const kills = watched.flatMap(({ cancelAsked, engineData }) =>
      cancelAsked ? Number(engineData["cancelAt"] ?? 0) + options.graceS : [],
    );
    const ahead = [...kills.filter((kill) => kill > moment().now), decision.nextAt ?? Infinity];
    return { nextAt: Math.min(...ahead), open: watched.length };
  }

  const openJobs = async (): Promise<readonly JobRecord[]> =>
    (await store.list({ engine: "local", states: OPEN_STATES })).filter(isOwn);

  function isOwn(record: JobRecord): boolean {
    if (record.user === options.user) return true;
    once(`user ${record.id}`, `job ${record.id} is of user ${record.user}: it is left alone`);
    return false;
  }

  async function statesOf(open: readonly JobRecord[]): Promise<ReadonlyMap<string, JobState>> {
    const states = new Map(open.map(({ id, state }) => [id, state]));
    for (const id of open.flatMap(({ after }) => after)) {
      const found = states.has(id) ? null : await store.get(id).catch(() => null);
      if (found !== null) states.set(id, found.state);
    }
    return states;
  }

  /** Brings the record in line with what runs, and what runs in line with the record. */
  async function reconcile(record: JobRecord): Promise<void> {
    const { id, state, supervisor, process, attempts } = record;
    if (state === "waiting") return;
    if (state === "starting" && supervisor === null) return superviseAgain(record);
    if (supervisor === null) return;
    const isOrphan = await processes.isGone(supervisor);
    const runs = process !== null && !(await processes.isGone(process));
    if (isOrphan && !runs) {
      const begun = process !== null && (await processes.hasBegun(record));
      const remains = { attempt: attempts, supervisor, begun };
      const result = await store.change(id, moment().now, abandon(remains, moment()));
      if (result?.changed) onEvent(`job ${id}: ${result.record.reason}`);
      if (result?.changed && result.record.state === "failed") await store.forgetEnvironment(id);
      return;
    }
    if (!runs || process === null) return;
    if (isOrphan) once(`orphan ${id}`, `job ${id} runs on without its supervisor`);
    await enforce(record, process);
  }

  /** An attempt that nobody has claimed: the supervisor was never started, or died at once. */
  async function superviseAgain(record: JobRecord): Promise<void> {
    const { id, attempts } = record;
    const { now, monotonicS } = moment();
    if (record.cancelAsked) {
      await store.change(id, now, cancelUnbegun(attempts, null, moment()));
      return;
    }
    const since = monotonicS - (spawned.get(`${id} ${attempts}`) ?? -Infinity);
    if (since >= CLAIM_S || since < 0) await supervise(record);
  }

  async function supervise(record: JobRecord): Promise<void> {
    try {
      await processes.supervise(record);
      spawned.set(`${record.id} ${record.attempts}`, moment().monotonicS);
    } catch (error) {
      // The record says that it is being started: the next look tries again.
      once(`spawn ${record.id}`, `job ${record.id} cannot be started now: ${reasonOf(error)}`);
    }
  }

  /** Signals that were due when an agent was killed are sent again; sent twice, they do no harm. */
  async function enforce(record: JobRecord, process: ProcessIdentity): Promise<void> {
    const { id, state, attempts, cancelAsked, engineData } = record;
    if (cancelAsked) {
      const since = moment().now - Number(engineData["cancelAt"] ?? 0);
      const isOver = since >= options.graceS || since < 0;
      if (isFirst(`cancel ${id} ${attempts} ${isOver}`)) {
        await processes.signal(process, isOver ? "SIGKILL" : "SIGTERM");
        await processes.signal(process, "SIGCONT");
      }
      return;
    }
    if (!isFirst(`enforce ${id} ${attempts}`)) return;
    if (isSaving(record)) await askToSave(record);
    else await processes.signal(process, state === "paused" ? "SIGSTOP" : "SIGCONT");
  }

  function isFirst(what: string): boolean {
    if (seen.has(what)) return false;
    seen.add(what);
    return true;
  }

  async function askToSave(record: JobRecord): Promise<void> {
    try {
      await processes.askToSave(record);
    } catch (error) {
      onEvent(`job ${record.id}: its checkpoint command did not start: ${reasonOf(error)}`);
    }
  }

  async function act({ kind, id, reason }: Action): Promise<void> {
    const at = moment();
    const change = async (by: Parameters<JobStore["change"]>[2]): Promise<JobRecord | null> => {
      const result = await store.change(id, at.now, by);
      if (result === null || !result.changed) return null;
      onEvent(`job ${id} (${result.record.name}): ${kind}, ${reason}`);
      return result.record;
    };
    switch (kind) {
      case "start": {
        const record = await change(handOver(reason));
        if (record !== null) await supervise(record);
        return;
      }
      case "pause": {
        const record = await change(pause(reason, at));
        if (record?.process == null) return;
        isFirst(`enforce ${id} ${record.attempts}`);
        if (isSaving(record)) await askToSave(record);
        else await processes.signal(record.process, "SIGSTOP");
        return;
      }
      case "resume": {
        const record = await change(goOn(reason, at));
        if (record?.process != null) await processes.signal(record.process, "SIGCONT");
        return;
      }
      case "give-up":
        if ((await change(cancel(at, reason))) !== null) await store.forgetEnvironment(id);
        return;
      default:
        kind satisfies never;
    }
  }

  /** On a newer forecast, or on the same one when the plan has fallen behind. */
  async function planAgain(record: JobRecord): Promise<void> {
    const at = moment();
    const known = forecasts.get(keyOf(record.planning.source))?.signal ?? null;
    const forecast = known !== null && isNewer(known, record) ? known : null;
    const isBehind =
      record.spans.length > 0 &&
      record.job.interruptible !== null &&
      !isOverdue(record, at) &&
      shortfall(record, at) > leastShortfall(record);
    if (forecast === null && !isBehind) return;
    try {
      const result = await store.change(record.id, at.now, (now) =>
        replan(now, forecast ?? signalOfJson(now.forecast), at),
      );
      if (result?.changed) onEvent(`job ${record.id} (${record.name}): planned again`);
    } catch (error) {
      once(
        `replan ${record.id} ${reasonOf(error)}`,
        `job ${record.id} keeps its plan: ${reasonOf(error)}`,
      );
    }
  }

  async function refresh(): Promise<boolean> {
    let isNew = false;
    const { now, monotonicS } = moment();
    const bySource = new Map<string, { source: ForecastSource; until: number }>();
    for (const { planning, job } of await openJobs()) {
      const key = keyOf(planning.source);
      const until = Math.max(job.deadline, bySource.get(key)?.until ?? 0);
      bySource.set(key, { source: planning.source, until });
    }
    for (const [key, { source, until }] of bySource) {
      const before = forecasts.get(key);
      if (before !== undefined && monotonicS - before.askedAt < options.refreshS) continue;
      const asked: Asked = { askedAt: monotonicS, signal: before?.signal ?? null };
      forecasts.set(key, asked);
      try {
        const signal = await options.forecastOf(source, { now, until });
        isNew ||= before?.signal == null || differs(signal, before.signal);
        forecasts.set(key, { ...asked, signal });
      } catch (error) {
        const name = source.signal ?? source.from ?? "the source";
        once(`forecast ${reasonOf(error)}`, `no newer forecast from ${name}: ${reasonOf(error)}`);
      }
    }
    return isNew;
  }

  async function hasLoss(): Promise<boolean> {
    for (const { supervisor, state } of watched) {
      if (state === "starting" && supervisor === null) return true;
      if (supervisor !== null && (await processes.isGone(supervisor))) return true;
    }
    return false;
  }

  return { tick, refresh, hasLoss };
}

interface Asked {
  readonly askedAt: number;
  readonly signal: Signal | null;
}

const keyOf = (source: ForecastSource): string => JSON.stringify(source);

/** Below this a plan has not fallen behind: starting takes a moment. */
const leastShortfall = (record: JobRecord): number =>
  5 + 0.02 * planOf(record).runs.reduce((sum, { start, end }) => sum + end - start, 0);

/** The same thing is said once. */
function onceEach(say: (text: string) => void): (key: string, text: string) => void {
  const said = new Set<string>();
  return (key, text) => {
    if (said.has(key)) return;
    said.add(key);
    say(text);
  };
}
