// The agent for jobs on Slurm, on a made-up cluster; on a real one: test/cluster.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFakeHost } from "../../../../test/fake-host.ts";
import { createFakeSlurm, type FakeSlurm } from "../../../../test/fake-slurm.ts";
import { sampleJob } from "../../../../test/sample-job.ts";
import { PLAN_NOW } from "../../../../test/sample-plan.ts";
import { FREE_INTERRUPTION } from "../job.ts";
import { type JobRecord, type JobStore, openJobStore } from "../jobs/index.ts";
import { type Signal, signal } from "../signal.ts";
import { createSlurmAgent } from "./agent.ts";
import type { SlurmClient } from "./client.ts";
import { createSlurmEngine } from "./engine.ts";

const HOUR = 3600;
let folder = "";
let store: JobStore;
let slurm: FakeSlurm;
const events: string[] = [];
const asked: string[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "godwit-slurm-agent-"));
  store = await openJobStore(folder);
  slurm = createFakeSlurm(PLAN_NOW);
  events.length = 0;
  asked.length = 0;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Clean in one hour of the next two days. */
const cleanIn = (hour: number): Signal =>
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", step: HOUR, start: PLAN_NOW },
    ...{ issuedAt: slurm.now, source: "a test" },
    values: Array.from({ length: 48 }, (_, at) => (at >= hour && at < hour + 4 ? 50 : 400)),
  });

function agentOf(forecast: () => Promise<Signal>, parts: Partial<SlurmClient> = {}) {
  const client: SlurmClient = {
    ...slurm,
    async control(verb, id, settings) {
      asked.push(verb);
      return slurm.control(verb, id, settings);
    },
    ...parts,
  };
  const engine = createSlurmEngine({ client, store, now: () => slurm.now });
  const agent = createSlurmAgent({
    ...{ engine, client, store, host: createFakeHost(), forecastOf: forecast },
    moment: () => ({ now: slurm.now, monotonicS: slurm.now }),
    ...{ refreshS: 300, pollS: 15, onEvent: (text) => void events.push(text) },
  });
  return { engine, agent };
}

async function added(changes: Partial<JobRecord> = {}): Promise<JobRecord> {
  const data = { options: "[]", limitS: null };
  const command = ["/spool/1k9x3f2ab-m4x7cd/train.sh"] as const;
  const job = { ...sampleJob({ engine: "slurm", command, engineData: data }), ...changes };
  await store.add(job, null);
  return job;
}

test("a newer forecast moves the begin that Slurm was told; the same one does not", async () => {
  const job = await added();
  const { engine, agent } = agentOf(async () => cleanIn(6));
  await engine.submit(job);
  await agent.refresh();
  expect(slurm.jobs[0]?.begin).toBe(PLAN_NOW + 6 * HOUR);
  asked.length = 0;
  slurm.now += 301;
  await agentOf(async () => ({ ...cleanIn(6), issuedAt: PLAN_NOW })).agent.refresh();
  expect(asked).toEqual([]);
  expect((await store.get(job.id))?.replans).toBe(1);
});

test("a source is asked no more often than it should be, and its fault leaves the plan", async () => {
  const job = await added();
  let count = 0;
  const { engine, agent } = agentOf(async () => {
    count++;
    throw new Error("the service is away");
  });
  await engine.submit(job);
  const before = slurm.jobs[0]?.begin;
  for (let second = 0; second < 400; second += 50) {
    await agent.refresh();
    slurm.now += 50;
  }
  expect(count).toBe(2);
  expect(slurm.jobs[0]?.begin).toBe(before);
  expect(events).toContain("no newer forecast from /nowhere/forecast.json: the service is away");
});

test("the cluster is looked at every fifteen seconds while there are jobs, and not without", async () => {
  let looks = 0;
  const parts: Partial<SlurmClient> = {
    queue: () => {
      looks++;
      return slurm.queue();
    },
  };
  const { engine, agent } = agentOf(async () => cleanIn(6), parts);
  expect(await agent.tick()).toEqual({ nextAt: Number.POSITIVE_INFINITY, open: 0 });
  await engine.submit(await added());
  for (let second = 0; second < 60; second++) {
    const { nextAt, open } = await agent.tick();
    expect(open).toBe(1);
    expect(nextAt).toBeLessThanOrEqual(slurm.now + 15);
    slurm.now++;
  }
  expect(looks).toBe(4);
});

test("a job that the cluster does not let be suspended runs in one piece, and says so once", async () => {
  const sample = sampleJob();
  const [own] = sample.plan.jobs;
  if (own === undefined) throw new Error("no plan");
  const runs = [
    { start: PLAN_NOW, end: PLAN_NOW + HOUR, nodes: 1 },
    { start: PLAN_NOW + 5 * HOUR, end: PLAN_NOW + 8 * HOUR, nodes: 1 },
  ];
  const job = await added({
    job: { ...sample.job, interruptible: FREE_INTERRUPTION },
    pausing: { kind: "stop" },
    plan: { ...sample.plan, jobs: [{ ...own, runs }] },
  });
  let denials = 0;
  const { engine, agent } = agentOf(async () => cleanIn(6), {
    async control(verb, id, settings) {
      if (verb !== "suspend") return slurm.control(verb, id, settings);
      denials++;
      return { kind: "denied", reason: "Access/permission denied" };
    },
  });
  slurm.lengthS = 4 * HOUR;
  await engine.submit(job);
  for (let minute = 0; minute < 5 * 60; minute++) {
    slurm.pass(60);
    await agent.tick();
  }
  expect(denials).toBe(1);
  expect(events.filter((text) => text.includes("it runs in one piece"))).toHaveLength(1);
  expect(await store.get(job.id)).toMatchObject({ state: "done", exit: { code: 0 } });
});
