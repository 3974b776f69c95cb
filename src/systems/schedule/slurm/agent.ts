// What is done for jobs on Slurm from time to time: the store compared with the cluster, plans renewed when
// a forecast is new, jobs suspended and resumed where their plan and the cluster allow it. Slurm itself
// begins them by what it was told last, so nothing is late when no agent runs.

import type { Host } from "../../../core/host/host.ts";
import { reasonOf } from "../../../core/index.ts";
import type { Agent } from "../jobs/agent.ts";
import { type Action, decide } from "../jobs/decide.ts";
import type { Engine } from "../jobs/engine.ts";
import { type ForecastSource, type JobRecord, OPEN_STATES } from "../jobs/record.ts";
import { isNewer, replan } from "../jobs/replan.ts";
import type { JobStore } from "../jobs/store.ts";
import type { Moment } from "../jobs/transitions.ts";
import type { Signal } from "../signal.ts";
import { remarked } from "./changes.ts";
import type { SlurmClient } from "./client.ts";

interface SlurmAgentOptions {
  readonly engine: Engine;
  readonly client: SlurmClient;
  readonly store: JobStore;
  readonly host: Pick<Host, "run">;
  readonly moment: () => Moment;
  readonly forecastOf: (
    source: ForecastSource,
    window: { readonly now: number; readonly until: number },
  ) => Promise<Signal>;
  /** Seconds after which a source is asked again. */
  readonly refreshS: number;
  /** Seconds between two looks at the cluster. */
  readonly pollS: number;
  readonly onEvent: (text: string) => void;
}

/** The cluster has its own queue: nothing here is short. */
const BOUNDLESS = { jobs: Infinity, cpus: Infinity, memoryBytes: Infinity, gpus: Infinity };

/** Longest wait for a command that makes a job save itself, milliseconds. */
const SAVING_MS = 120_000;

/** An agent for the store's jobs on Slurm; runs beside that of the local ones. */
export function createSlurmAgent(options: SlurmAgentOptions): Agent {
  const { engine, client, store, moment, onEvent } = options;
  let lookedAt = -Infinity;
  let askedAt = -Infinity;
  let said: readonly string[] = [];

  const openJobs = (): Promise<readonly JobRecord[]> =>
    store.list({ engine: "slurm", states: OPEN_STATES });

  async function tick() {
    const { now, monotonicS } = moment();
    let open = await openJobs();
    if (open.length === 0) return { nextAt: Infinity, open: 0 };
    const isDue = monotonicS - lookedAt >= options.pollS;
    if (isDue) {
      lookedAt = monotonicS;
      const words = await engine.reconcile();
      // A daemon that stays down is told of once.
      for (const text of words) if (!said.includes(text)) onEvent(text);
      said = words;
      for (const record of await openJobs()) await interrupt(record);
      open = await openJobs();
    }
    return {
      nextAt: now + Math.max(1, options.pollS - (monotonicS - lookedAt)),
      open: open.length,
    };
  }

  /** Stops or continues a job as its plan says. */
  async function interrupt(record: JobRecord): Promise<void> {
    const { pausing, externalId, cancelAsked, engineData } = record;
    if (pausing === null || externalId === null || cancelAsked) return;
    if (engineData["suspending"] === "denied") return;
    const queue = { open: [record], stateOf: () => "done" as const, marginS: 0 };
    const { actions } = decide({ ...queue, capacity: BOUNDLESS }, moment());
    const [action] = actions;
    if (action?.kind === "pause" && record.state === "running") await stop(record, action);
    if (action?.kind === "start" && record.state === "paused")
      await told(record, action, await client.control("resume", externalId));
  }

  async function stop(record: JobRecord, action: Action): Promise<void> {
    const { pausing, externalId } = record;
    if (externalId === null) return;
    if (pausing?.kind === "checkpoint" && !(await save(record, pausing.command))) return;
    const verb = pausing?.kind === "checkpoint" ? "requeue" : "suspend";
    await told(record, action, await client.control(verb, externalId));
  }

  async function told(
    record: JobRecord,
    { kind, reason }: Action,
    answer: Awaited<ReturnType<SlurmClient["control"]>>,
  ): Promise<void> {
    const { id } = record;
    if (answer.kind === "done")
      onEvent(`job ${id}: ${kind === "pause" ? "stops" : "goes on"}, ${reason}`);
    if (answer.kind !== "denied") return;
    const text = `it runs in one piece: the cluster lets operators alone suspend (${answer.reason})`;
    await store.change(id, moment().now, remarked(text, { suspending: "denied" }));
    onEvent(`job ${id}: ${text}`);
  }

  /** Runs the user's command that makes the job save itself; false when it failed. */
  async function save(
    { id, externalId, cwd }: JobRecord,
    command: readonly string[],
  ): Promise<boolean> {
    const [program = "", ...args] = command;
    const env = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      GODWIT_JOB_ID: id,
      SLURM_JOB_ID: `${externalId}`,
    };
    try {
      const where = { timeout: SAVING_MS, env, cwd };
      const { code, stderr } = await options.host.run(program, args, where);
      if (code === 0) return true;
      onEvent(`job ${id}: its checkpoint command failed (${code}): ${stderr.trim().slice(0, 200)}`);
    } catch (error) {
      onEvent(`job ${id}: its checkpoint command failed: ${reasonOf(error)}`);
    }
    return false;
  }

  /** Plans again by itself: nothing is left for the next look. */
  async function refresh(): Promise<false> {
    const { now, monotonicS } = moment();
    if (monotonicS - askedAt < options.refreshS) return false;
    askedAt = monotonicS;
    const bySource = new Map<string, JobRecord[]>();
    for (const record of await openJobs()) {
      const key = JSON.stringify(record.planning.source);
      bySource.set(key, [...(bySource.get(key) ?? []), record]);
    }
    for (const records of bySource.values()) {
      const source = records[0]?.planning.source;
      if (source === undefined) continue;
      const until = Math.max(...records.map(({ job }) => job.deadline));
      try {
        const forecast = await options.forecastOf(source, { now, until });
        for (const record of records) await planAgain(record, forecast);
      } catch (error) {
        const name = source.signal ?? source.from ?? "the source";
        onEvent(`no newer forecast from ${name}: ${reasonOf(error)}`);
      }
    }
    return false;
  }

  async function planAgain(record: JobRecord, forecast: Signal): Promise<void> {
    if (!isNewer(forecast, record)) return;
    try {
      const at = moment();
      const result = await store.change(record.id, at.now, (now) => replan(now, forecast, at));
      if (result?.changed !== true) return;
      await engine.replan(result.record);
      onEvent(`job ${record.id} (${record.name}): planned again`);
    } catch (error) {
      onEvent(`job ${record.id} keeps its plan: ${reasonOf(error)}`);
    }
  }

  return { tick, refresh, hasLoss: async () => false };
}
