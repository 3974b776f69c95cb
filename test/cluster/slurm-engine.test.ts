// The Slurm engine on a real cluster: four nodes, accounting, and everything that may go wrong with them.
// Hours of forecasts are seconds here.

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JobRecord } from "../../src/systems/schedule/jobs/index.ts";
import type { SlurmClient } from "../../src/systems/schedule/slurm/index.ts";
import { until } from "../support/daemons.ts";
import { missingSlurm, type SlurmCluster, startSlurm } from "../support/slurm-cluster.ts";
import {
  cleanAt,
  cleanerAndCleaner,
  createJobRig,
  type JobRig,
  nowS,
} from "../support/slurm-jobs.ts";

let cluster: SlurmCluster;
const rigs: JobRig[] = [];

async function rigOf(change?: (client: SlurmClient) => Partial<SlurmClient>): Promise<JobRig> {
  const rig = await createJobRig(cluster, change);
  rigs.push(rig);
  return rig;
}

describe.skipIf(missingSlurm !== null)("on a real cluster", () => {
  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterEach(() => {
    for (const rig of rigs.splice(0)) rig.close();
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  /** Rows of accounting for a job: state, start and end. */
  const accounted = async ({ externalId }: JobRecord) =>
    (await cluster.ok("sacct", "-XPnD", "-j", `${externalId}`, "--format=State,Start,End"))
      .trim()
      .split("\n");

  test("a job waits for its planned start, and a better forecast moves it forward", async () => {
    const rig = await rigOf();
    const job = await rig.add("date +%s.%N > moved", { forecast: cleanAt(300, 2) });
    await rig.engine.submit(job);
    const waiting = await rig.get(job);
    expect(waiting).toMatchObject({ state: "waiting", externalId: expect.stringMatching(/^\d+$/) });
    expect(waiting.engineData["begin"]).toBeCloseTo(nowS() + 300, -1);

    const soon = nowS() + 4;
    await rig.replan(job, cleanAt(4, 2));
    const done = await rig.untilState(job, "done");
    expect(done.exit).toEqual({ code: 0, signal: null });
    const began = Number(rig.lines("moved")[0]);
    expect(began).toBeGreaterThanOrEqual(soon - 1);
    expect(began).toBeLessThan(soon + 4);
    expect(done.spans).toHaveLength(1);
    expect(done.spans[0]?.start).toBeCloseTo(began, -1);
  });

  test("a deadline is kept under forecasts that get worse and worse", async () => {
    const rig = await rigOf();
    const job = await rig.add("sleep 2", { withinS: 14, durationS: 4, forecast: cleanAt(4, 4) });
    await rig.engine.submit(job);
    // What was clean is not, and each newer forecast promises more for waiting longer.
    for (let step = 0; step < 7; step++) {
      await rig.replan(job, cleanerAndCleaner());
      await delay(500);
    }
    const done = await rig.untilState(job, "done");
    const latest = done.job.deadline - 4;
    expect(done.startedAt).toBeLessThanOrEqual(latest + 2);
    expect(done.startedAt).toBeGreaterThan(done.submittedAt + 7);
    expect(done.endedAt).toBeLessThanOrEqual(done.job.deadline);
  });

  test("whoever dies after sbatch and before the number is written down, the job runs once", async () => {
    let dies = true;
    const rig = await rigOf((client) => ({
      async sbatch(args, environment) {
        const answer = await client.sbatch(args, environment);
        if (!dies) return answer;
        dies = false;
        throw new Error("killed");
      },
    }));
    const job = await rig.add("echo ran >> once");
    await expect(rig.engine.submit(job)).rejects.toThrow("killed");
    expect(await rig.get(job)).toMatchObject({ state: "starting", externalId: null });
    const done = await rig.untilState(job, "done");
    expect(done.attempts).toBe(1);
    expect(rig.lines("once")).toEqual(["ran"]);
    expect((await rig.store.history(job.id)).map(({ kind }) => kind)).toContain("accepted");
  });

  test("a second submission that arrives late is cancelled and never runs", async () => {
    const rig = await rigOf();
    const job = await rig.add("echo ran >> late", { forecast: cleanAt(300, 2) });
    await rig.engine.submit(job);
    const [script = ""] = job.command;
    const second = (await cluster.ok("sbatch", "--parsable", "--hold", "--time=1", script)).trim();
    expect(await rig.engine.reconcile()).toContain(
      `${job.id}: cancelled its second submission ${second}`,
    );
    await rig.replan(job, cleanAt(0, 2));
    await rig.untilState(job, "done");
    expect(rig.lines("late")).toEqual(["ran"]);
  });

  test("names, paths, arguments and comments may hold anything; no shell reads them", async () => {
    const rig = await rigOf();
    const hostile = "-x $(touch pwned) `touch pwned`\n;'\"\\ \u2028é";
    const job = await rig.add('printf "%s|" "$@" "$HOSTILE" > args', {
      scriptName: "tr ain;$(touch pwned)\n'.sh",
      args: ["--hold", hostile, ""],
      options: ["--time=1", `--comment=${hostile}`, "--job-name", hostile],
      environment: { PATH: "/usr/bin:/bin", HOSTILE: hostile },
    });
    await rig.engine.submit(job);
    const done = await rig.untilState(job, "done", "failed");
    expect(done).toMatchObject({ state: "done" });
    expect(rig.lines("args").join("\n")).toBe(`--hold|${hostile}||${hostile}|`);
    expect((await cluster.ok("ls", cluster.work)).includes("pwned")).toBe(false);
  });

  test("what sbatch refuses is told at once, and nothing waits for it", async () => {
    const rig = await rigOf();
    const job = await rig.add("true", { options: ["--partition=nowhere"] });
    await expect(rig.engine.submit(job)).rejects.toMatchObject({
      code: "invalid-input",
      message: expect.stringContaining("nvalid partition"),
    });
    expect(await rig.get(job)).toMatchObject({ state: "failed", externalId: null });
  });

  test("an exit code, a signal, a cancelled job and an array are told apart", async () => {
    const rig = await rigOf();
    const failing = await rig.add("exit 3");
    const array = await rig.add('test "$SLURM_ARRAY_TASK_ID" != 2', {
      options: ["--time=1", "--array=0-3"],
    });
    const running = await rig.add("sleep 60");
    const waiting = await rig.add("true", { forecast: cleanAt(300, 2) });
    for (const job of [failing, array, running, waiting]) await rig.engine.submit(job);
    await rig.untilState(running, "running");
    await rig.engine.cancel(running);
    await rig.engine.cancel(waiting);
    expect(await rig.untilState(failing, "failed")).toMatchObject({
      exit: { code: 3, signal: null },
    });
    const tasks = await rig.untilState(array, "failed");
    expect(tasks).toMatchObject({ exit: { code: 1 } });
    expect(tasks.spans).toHaveLength(4);
    expect((await rig.untilState(running, "cancelled")).spans).toHaveLength(1);
    expect((await rig.untilState(waiting, "cancelled")).spans).toHaveLength(0);
  });

  test("an array moves as one", async () => {
    const rig = await rigOf();
    const job = await rig.add("echo $SLURM_ARRAY_TASK_ID >> tasks", {
      options: ["--time=1", "--array=1,4,7"],
      forecast: cleanAt(300, 2),
    });
    await rig.engine.submit(job);
    await rig.replan(job, cleanAt(0, 2));
    await rig.untilState(job, "done");
    expect([...rig.lines("tasks")].sort()).toEqual(["1", "4", "7"]);
  });

  test("held and released, suspended and resumed", async () => {
    const rig = await rigOf();
    const job = await rig.add("sleep 3", { forecast: cleanAt(2, 2) });
    await rig.engine.submit(job);
    await rig.engine.hold(await rig.get(job));
    await delay(3000);
    await rig.engine.reconcile();
    expect(await rig.get(job)).toMatchObject({
      state: "waiting",
      reason: expect.stringContaining("held in Slurm"),
    });
    await rig.engine.release(await rig.get(job));
    const running = await rig.untilState(job, "running");
    await cluster.ok("scontrol", "suspend", `${running.externalId}`);
    await rig.untilState(job, "paused");
    await delay(1500);
    await cluster.ok("scontrol", "resume", `${running.externalId}`);
    const done = await rig.untilState(job, "done");
    const ran = done.spans.reduce((sum, { seconds }) => sum + (seconds ?? Number.NaN), 0);
    // What it was suspended for does not count as running.
    expect(ran).toBeLessThan((done.endedAt ?? 0) - (done.startedAt ?? 0));
  });

  test("a node dies: the job is requeued, and begins again without Slurm's two minutes of delay", async () => {
    const rig = await rigOf();
    const job = await rig.add("hostname >> survivor; test $(wc -l < survivor) -gt 1 || sleep 60", {
      options: ["--time=2", "--requeue"],
    });
    await rig.engine.submit(job);
    await rig.untilState(job, "running");
    const node = (
      await cluster.ok("squeue", "-h", "-o", "%N", "-j", `${(await rig.get(job)).externalId}`)
    ).trim();
    await cluster.node(node).end("SIGKILL");
    await cluster.ok("scontrol", "update", `nodename=${node}`, "state=down", "reason=test");
    const lost = nowS();
    const done = await rig.untilState(job, "done");
    expect((done.startedAt ?? 0) < lost && (done.endedAt ?? 0) - lost < 60).toBe(true);
    expect(done.engineData["restarts"]).toBe(1);
    expect(done.spans).toHaveLength(2);
    expect((await accounted(done)).map((row) => row.split("|")[0])).toEqual([
      "NODE_FAIL",
      "COMPLETED",
    ]);
    cluster.node(node).start();
    await cluster.ok("scontrol", "update", `nodename=${node}`, "state=resume");
  });

  test("the controller dies and comes back: nothing is concluded meanwhile, nothing lost or doubled", async () => {
    const rig = await rigOf();
    const running = await rig.add("sleep 8; echo b >> outage");
    await rig.engine.submit(running);
    await rig.untilState(running, "running");
    // Slurm saves its state within five seconds of a change, ...
    await delay(6000);
    const before = await rig.add("echo a >> outage", { forecast: cleanAt(300, 2) });
    await rig.engine.submit(before);
    await rig.engine.reconcile();
    // ... and a crash before that undoes the release of this one, or makes it forgotten.
    await cluster.controller.end("SIGKILL");
    const during = await rig.add("echo c >> outage");
    const submission = rig.engine.submit(during);
    const words = rig.engine.reconcile();
    expect(await words).toEqual([expect.stringContaining("nothing was compared")]);
    await submission;
    expect(await rig.get(during)).toMatchObject({ state: "starting", externalId: null });
    expect(await rig.get(before)).toMatchObject({ state: "waiting" });
    expect(await rig.get(running)).toMatchObject({ state: "running" });

    cluster.controller.start();
    await until("the controller answers", async () => (await cluster.run("squeue")).code === 0);
    await rig.store.change(during.id, nowS(), (record) => ({
      // As if the minute had passed in which an sbatch may still be under way.
      record: { ...record, engineData: { ...record.engineData, handedAt: nowS() - 61 } },
      ...{ kind: "test", text: "aged" },
    }));
    await rig.engine.reconcile();
    await rig.replan(before, cleanAt(0, 2));
    for (const job of [before, running, during]) await rig.untilState(job, "done");
    expect([...rig.lines("outage")].sort()).toEqual(["a", "b", "c"]);
  });

  test("accounting is down: jobs run and end all the same, and it catches up", async () => {
    const rig = await rigOf();
    await cluster.accounting.end("SIGKILL");
    const job = await rig.add("exit 4");
    await rig.engine.submit(job);
    const done = await rig.untilState(job, "failed");
    expect(done).toMatchObject({ exit: { code: 4 } });
    expect(done.spans).toHaveLength(1);
    cluster.accounting.start();
    await until("accounting has heard of it", async () =>
      (
        await cluster.run("sacct", "-XPn", "-j", `${done.externalId}`, "--format=State")
      ).stdout.includes("FAILED"),
    );
  });

  test("Slurm forgets a waiting job: it is handed over again", async () => {
    const rig = await rigOf();
    const job = await rig.add("echo again >> forgotten");
    await rig.store.change(job.id, nowS(), (record) => ({
      record: { ...record, externalId: "4000000" },
      ...{ kind: "test", text: "a number that no cluster has" },
    }));
    await rig.untilState(job, "done");
    expect(rig.lines("forgotten")).toEqual(["again"]);
  });
});
