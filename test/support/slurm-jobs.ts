// Jobs of a store on a test cluster: scripts in folders that hold the job's id, plans on a forecast whose
// steps are seconds, and the engine as the command line makes it.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../src/cli/program.ts";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { exact, type Host } from "../../src/core/index.ts";
import {
  bestPolicyFor,
  FREE_INTERRUPTION,
  fixedDuration,
  PERFECT,
  plan,
  type Signal,
  signal,
} from "../../src/systems/schedule/index.ts";
import {
  type JobRecord,
  type JobStore,
  openJobStore,
  type Pausing,
  signalToJson,
} from "../../src/systems/schedule/jobs/index.ts";
import {
  createSlurmClient,
  createSlurmEngine,
  type SlurmClient,
} from "../../src/systems/schedule/slurm/index.ts";
import { createSession } from "../cli-session.ts";
import { sampleJob } from "../sample-job.ts";
import { until } from "./daemons.ts";
import type { SlurmCluster } from "./slurm-cluster.ts";

export interface JobRig {
  readonly store: JobStore;
  readonly client: SlurmClient;
  readonly engine: ReturnType<typeof createSlurmEngine>;
  /** Stores a job that runs `body` in a shell. */
  add(body: string, options?: JobOptions): Promise<JobRecord>;
  /** The record as it stands. */
  get(record: Pick<JobRecord, "id">): Promise<JobRecord>;
  /** Puts a record on the plan by another forecast, as the agent does, and tells the engine. */
  replan(record: Pick<JobRecord, "id">, forecast: Signal): Promise<JobRecord>;
  /** Compares store and cluster until the record is in one of these states. */
  untilState(record: Pick<JobRecord, "id">, ...states: readonly string[]): Promise<JobRecord>;
  /** What the jobs have written, by lines. */
  lines(name: string): readonly string[];
  close(): void;
}

interface JobOptions {
  readonly id?: string;
  /** Seconds from now until which it must have ended; 600 unless given. */
  readonly withinS?: number;
  readonly durationS?: number;
  /** Unless given it begins at once. */
  readonly forecast?: Signal;
  /** Options of sbatch. */
  readonly options?: readonly string[];
  readonly args?: readonly string[];
  readonly scriptName?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** How it is stopped and continued; in one piece unless given. */
  readonly pausing?: Pausing;
}

export const nowS = (): number => Date.now() / 1000;

/** Seconds of the past that a forecast holds: plans count from when a job was submitted. */
const PAST_S = 600;
const AHEAD_S = 900;

/** A forecast whose hours are seconds: what holds so many seconds from now. */
function forecastOf(intensityAt: (ahead: number) => number): Signal {
  const start = Math.floor(nowS()) - PAST_S;
  return signal({
    ...{ zone: "DE", kind: "average", basis: "location", step: 1, start, issuedAt: nowS() },
    values: Array.from({ length: PAST_S + AHEAD_S }, (_, at) => intensityAt(at - PAST_S)),
    source: "a forecast whose hours are seconds",
  });
}

/** Clean in these stretches, each from and to so many seconds ahead; dirty else. */
export const cleanIn = (...stretches: readonly (readonly [number, number])[]): Signal =>
  forecastOf((ahead) => (stretches.some(([from, to]) => ahead >= from && ahead < to) ? 50 : 400));

/** Clean for `lengthS` seconds from `fromS` seconds ahead. */
export const cleanAt = (fromS: number, lengthS: number): Signal =>
  cleanIn([fromS, fromS + lengthS]);

/** Cleaner with every second, so that there is always something to wait for. */
export const cleanerAndCleaner = (): Signal => forecastOf((ahead) => 950 - ahead);

/** A host whose commands find the cluster. */
export function clusterHost({ env }: Pick<SlurmCluster, "env">): Host {
  const host = createNodeHost();
  return {
    ...host,
    run: (command, args, options) =>
      host.run(command, args, { ...options, env: { ...options.env, ...env } }),
  };
}

/** Runs a command line of godwit on the cluster's login node, in the folder of its jobs. */
export async function godwitOn(
  cluster: SlurmCluster,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { context, printed } = createSession({ cwd: cluster.work, env: cluster.env });
  const code = await runProgram({ ...context, host: clusterHost(cluster) }, args);
  const text = (name: "out" | "err"): string => Buffer.concat(printed[name]).toString();
  return { code, out: text("out"), err: text("err") };
}

let count = 0;

/** A store of its own on a cluster; `change` may replace what the client does. */
export async function createJobRig(
  cluster: SlurmCluster,
  change: (client: SlurmClient) => Partial<SlurmClient> = () => ({}),
): Promise<JobRig> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-slurm-jobs-"));
  chmodSync(folder, 0o755);
  const store = await openJobStore(join(folder, ".godwit"));
  const plain = createSlurmClient(clusterHost(cluster));
  const client = { ...plain, ...change(plain) };
  const engine = createSlurmEngine({ client, store, now: nowS });
  const get = async ({ id }: Pick<JobRecord, "id">): Promise<JobRecord> => {
    const record = await store.get(id);
    if (record === null) throw new Error(`no job ${id}`);
    return record;
  };
  return {
    store,
    client,
    engine,
    get,
    async add(body, options = {}) {
      const id = options.id ?? `job-${process.pid}-${++count}`;
      const home = join(folder, "jobs", id);
      mkdirSync(home, { recursive: true });
      const script = join(home, options.scriptName ?? "train.sh");
      writeFileSync(script, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
      const record = recordOf(cluster, { id, script }, options);
      await store.add(record, options.environment ?? { PATH: "/usr/bin:/bin" });
      return record;
    },
    async replan(record, forecast) {
      const result = await store.change(record.id, nowS(), (before) => ({
        record: { ...before, ...planned(before.job, forecast), replans: before.replans + 1 },
        kind: "replanned",
        text: "on a newer forecast",
      }));
      if (result === null) throw new Error(`no job ${record.id}`);
      await engine.replan(result.record);
      return get(record);
    },
    async untilState(record, ...states) {
      let last = await get(record);
      let words: readonly string[] = [];
      const arrived = async (): Promise<boolean> => {
        words = await engine.reconcile();
        last = await get(record);
        return states.includes(last.state);
      };
      await until(`${record.id} is ${states.join(" or ")}`, arrived).catch((cause) => {
        const { state, reason, engineData } = last;
        throw new Error(JSON.stringify({ state, reason, engineData, words }), { cause });
      });
      return last;
    },
    lines: (name) => readFileSync(join(cluster.work, name), "utf8").trim().split("\n"),
    close() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function recordOf(
  cluster: SlurmCluster,
  { id, script }: { readonly id: string; readonly script: string },
  options: JobOptions,
): JobRecord {
  const {
    withinS = 600,
    durationS = 2,
    forecast = cleanAt(0, durationS),
    pausing = null,
  } = options;
  const submittedAt = nowS();
  const job: JobRecord["job"] = {
    ...{ id, submittedAt, earliest: submittedAt, deadline: submittedAt + withinS },
    duration: fixedDuration(durationS),
    power: exact("W", 300, { method: "declared", source: "a test" }),
    ...{ interruptible: pausing === null ? null : FREE_INTERRUPTION, scale: null, pinned: false },
    zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
  };
  const { plan: own, forecast: known } = planned(job, forecast);
  return {
    ...sampleJob(),
    ...{ id, job, submittedAt, plan: own, firstPlan: own, forecast: known, firstForecast: known },
    ...{ engine: "slurm", command: [script, ...(options.args ?? [])], cwd: cluster.work },
    ...{ environment: "submitter", pausing },
    engineData: { options: JSON.stringify(options.options ?? ["--time=1"]), limitS: null },
  };
}

function planned(job: JobRecord["job"], forecast: Signal): Pick<JobRecord, "plan" | "forecast"> {
  const now = nowS();
  const policy = bestPolicyFor(job);
  const own = plan([job], [forecast], { now, policy, error: PERFECT, threshold: 0 });
  return { plan: own, forecast: signalToJson(forecast) };
}
