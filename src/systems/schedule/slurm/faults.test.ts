// What may go wrong between the store and a cluster, one fault a row: whatever it is, no job is begun
// twice, none is forgotten without a word, and none begins later than its plan's last moment for want of
// a message. What real daemons do is in test/cluster; here they are made up.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createFakeSlurm, type FakeSlurm } from "../../../../test/fake-slurm.ts";
import { sampleJob } from "../../../../test/sample-job.ts";
import { PLAN_NOW } from "../../../../test/sample-plan.ts";
import { type JobRecord, type JobStore, openJobStore } from "../jobs/index.ts";
import { answerOf } from "./client.ts";
import { createSlurmEngine } from "./engine.ts";
import type { SlurmClient } from "./index.ts";

const HOUR = 3600;

interface Rig {
  readonly slurm: FakeSlurm;
  readonly store: JobStore;
  readonly job: JobRecord;
  /** The engine with a client whose parts are replaced. */
  engine(parts?: Partial<SlurmClient>): ReturnType<typeof createSlurmEngine>;
  change(changes: Partial<JobRecord>): Promise<void>;
  /** Moves the plan, as the agent does on a newer forecast. */
  plan(start: number): Promise<JobRecord>;
}

interface Fault {
  readonly name: string;
  readonly inject: (rig: Rig) => Promise<void>;
  /** State at the end, and how often the job was begun. */
  readonly state: JobRecord["state"];
  readonly begun: number;
  readonly says?: RegExp;
}

const START = PLAN_NOW + 19 * HOUR;

const faults: readonly Fault[] = [
  {
    name: "none: the job begins when its plan says",
    inject: async ({ engine, job }) => engine().submit(job),
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the process dies before sbatch is called",
    async inject({ engine, job }) {
      const dead = engine({ sbatch: () => Promise.reject(new Error("killed")) });
      await dead.submit(job).catch(() => {});
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the process dies after sbatch, before its answer is written down",
    async inject({ engine, job, slurm }) {
      const dead = engine({
        async sbatch(args, environment) {
          await slurm.sbatch(args, environment);
          throw new Error("killed");
        },
      });
      await dead.submit(job).catch(() => {});
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the process dies after the number is written down, before the release",
    async inject({ engine, job }) {
      const dead = engine({ control: () => Promise.reject(new Error("killed")) });
      await dead.submit(job).catch(() => {});
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "two processes hand the job over at once",
    async inject({ engine, job }) {
      await Promise.all([engine().submit(job), engine().submit(job), engine().reconcile()]);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "sbatch does not answer, and the job has arrived",
    async inject({ engine, job, slurm }) {
      const deaf = engine({
        async sbatch(args, environment) {
          await slurm.sbatch(args, environment);
          return { kind: "unknown", reason: "Socket timed out on send/recv operation" };
        },
      });
      await deaf.submit(job);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "sbatch is given up, handed over again, and arrives after all",
    async inject({ engine, job, slurm }) {
      let late: readonly string[] = [];
      const deaf = engine({
        async sbatch(args) {
          late = args;
          return { kind: "unknown", reason: "timed out" };
        },
      });
      await deaf.submit(job);
      slurm.pass(90);
      await engine().reconcile();
      await slurm.sbatch(late, null);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the controller is down when the job is submitted",
    async inject({ engine, job, slurm }) {
      slurm.down.controller = true;
      await engine().submit(job);
      slurm.pass(600);
      await engine().reconcile();
      slurm.down.controller = false;
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the controller is down when the plan moves forward",
    async inject({ engine, job, slurm, plan }) {
      await engine().submit(job);
      const moved = await plan(START - 5 * HOUR);
      slurm.down.controller = true;
      await engine().replan(moved);
      slurm.down.controller = false;
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "a crashed controller forgets that the job was released",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      slurm.pass(5);
      for (const one of slurm.jobs) one.held = true;
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "a crashed controller forgets a job that waits for hours",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      slurm.jobs.splice(0);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "a crashed controller forgets a job that may have begun: it is not begun again",
    async inject({ engine, job, slurm, plan }) {
      const now = await plan(PLAN_NOW);
      await engine().submit({ ...job, plan: now.plan });
      slurm.pass(2);
      slurm.jobs.splice(0);
    },
    ...{ state: "failed", begun: 1, says: /Slurm lost it about when it was to begin/ },
  },
  {
    name: "another cluster is asked by mistake: the job is left alone",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      await engine().reconcile();
      const away = slurm.jobs.splice(0);
      await engine({ clusterName: async () => "blue" }).reconcile();
      slurm.jobs.push(...away);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "the queue is answered with an empty list and accounting is down",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      slurm.down.accounting = true;
      await engine({ queue: async () => [] }).reconcile();
      slurm.down.accounting = false;
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "accounting stays down",
    async inject({ engine, job, slurm }) {
      slurm.down.accounting = true;
      await engine().submit(job);
    },
    ...{ state: "done", begun: 1 },
  },
  {
    name: "its node fails, and Slurm lets it wait again with a delay of its own",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      slurm.pass(19 * HOUR + 5);
      await engine().reconcile();
      const [only] = slurm.jobs;
      if (only !== undefined)
        Object.assign(only, {
          state: "PENDING",
          restarts: 1,
          started: null,
          begin: slurm.now + 7200,
        });
    },
    ...{ state: "done", begun: 2 },
  },
  {
    name: "its node fails, and it was not to be requeued",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      slurm.pass(19 * HOUR + 5);
      await engine().reconcile();
      const [only] = slurm.jobs;
      if (only !== undefined) Object.assign(only, { state: "NODE_FAIL", ended: slurm.now });
    },
    ...{ state: "failed", begun: 1, says: /its node failed/ },
  },
  {
    name: "it is cancelled while it is being handed over",
    async inject({ engine, job, slurm, change }) {
      const slow = engine({
        async sbatch(args, environment) {
          const answer = await slurm.sbatch(args, environment);
          await change({ cancelAsked: true });
          return answer;
        },
      });
      await slow.submit(job);
    },
    ...{ state: "cancelled", begun: 0 },
  },
  {
    name: "it is cancelled while the controller is down",
    async inject({ engine, job, slurm, store }) {
      await engine().submit(job);
      slurm.down.controller = true;
      await engine().cancel((await store.get(job.id)) ?? job);
      slurm.down.controller = false;
    },
    ...{ state: "cancelled", begun: 0 },
  },
  {
    name: "somebody cancels it with scancel",
    async inject({ engine, job, slurm }) {
      await engine().submit(job);
      await slurm.cancel("1");
    },
    ...{ state: "cancelled", begun: 0 },
  },
  {
    name: "the agent never comes back: Slurm begins the job by the plan it was told last",
    async inject({ engine, job, slurm, plan }) {
      await engine().submit(job);
      await engine().replan(await plan(START - 2 * HOUR));
      slurm.pass(17 * HOUR + 5);
      expect(slurm.jobs[0]?.started).toBe(START - 2 * HOUR);
    },
    ...{ state: "done", begun: 1 },
  },
];

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test.each(faults)("$name", async ({ inject, state, begun, says }) => {
  const folder = mkdtempSync(join(tmpdir(), "godwit-slurm-faults-"));
  folders.push(folder);
  const store = await openJobStore(folder);
  const slurm = createFakeSlurm(PLAN_NOW);
  const sample = sampleJob({ engine: "slurm", command: ["/spool/1k9x3f2ab-m4x7cd/train.sh"] });
  const job = planned({ ...sample, engineData: { options: "[]", limitS: null } }, START);
  await store.add(job, null);
  const engine: Rig["engine"] = (parts = {}) =>
    createSlurmEngine({ client: { ...slurm, ...parts }, store, now: () => slurm.now });
  const change: Rig["change"] = async (changes) => {
    const record = (one: JobRecord) => ({ ...one, ...changes });
    await store.change(job.id, slurm.now, (one) => ({
      record: record(one),
      kind: "test",
      text: "",
    }));
  };
  const plan: Rig["plan"] = async (start) => {
    await change({ plan: planned(job, start).plan });
    return (await store.get(job.id)) ?? job;
  };
  await inject({ slurm, store, job, engine, change, plan });
  // A day of an agent that looks every ten minutes, around the begin more often.
  let record = await store.get(job.id);
  for (let look = 0; look < 400 && record !== null; look++) {
    await engine().reconcile();
    record = await store.get(job.id);
    if (record?.state === "done" || record?.state === "failed" || record?.state === "cancelled")
      break;
    slurm.pass(look < 200 ? 600 : 30);
  }
  expect(record).toMatchObject({ state });
  if (says !== undefined) expect(record?.reason).toMatch(says);
  expect(slurm.begun.get(job.command[0]) ?? 0).toBe(begun);
  // What was begun was begun in time.
  for (const { started } of slurm.jobs)
    if (started !== null) expect(started).toBeLessThanOrEqual(START + 700);
  store.close();
});

/** The job on a plan that begins at a moment. */
function planned(job: JobRecord, start: number): JobRecord {
  const [own] = job.plan.jobs;
  if (own === undefined) throw new Error("no plan");
  const [run] = own.runs;
  if (run === undefined) throw new Error("no run");
  const runs = [{ ...run, start, end: start + 4 * HOUR }];
  return { ...job, plan: { ...job.plan, jobs: [{ ...own, runs }] } };
}

test.each([
  ["Invalid job id specified for job 99999", "too-late"],
  ["Job is no longer pending execution for job 3", "too-late"],
  ["Job has already finished for job 4", "too-late"],
  ["Access/permission denied", "denied"],
  ["Unable to contact slurm controller (connect failure)", "unreachable"],
  ["a fault of a version to come", "unreachable"],
])("scontrol's %j is %s", (reason, kind) => {
  expect(answerOf(reason).kind).toBe(kind);
});
