// What a site does to its cluster, on a real one: the submission hook on and off, nodes that sleep and wake,
// jobs that stop and go on, and many jobs at once.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JobRecord } from "../../src/systems/schedule/jobs/index.ts";
import { createSlurmAgent } from "../../src/systems/schedule/slurm/index.ts";
import { until } from "../support/daemons.ts";
import { missingSlurm, type SlurmCluster, startSlurm } from "../support/slurm-cluster.ts";
import {
  cleanAt,
  cleanIn,
  clusterHost,
  createJobRig,
  godwitOn,
  type JobRig,
  nowS,
} from "../support/slurm-jobs.ts";

let cluster: SlurmCluster;
const rigs: JobRig[] = [];

async function rigOf(): Promise<JobRig> {
  const rig = await createJobRig(cluster);
  rigs.push(rig);
  return rig;
}

/** As a service manager restarts it. */
async function restartController(): Promise<void> {
  await cluster.controller.end("SIGTERM");
  cluster.controller.start();
  await until("the controller answers", async () => (await cluster.run("squeue")).code === 0);
}

describe.skipIf(missingSlurm !== null)("a site", () => {
  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterEach(() => {
    for (const rig of rigs.splice(0)) rig.close();
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test("a hook that is installed puts off what opted in, and nothing else; uninstalled it is gone", async () => {
    const dir = ["--dir", cluster.folder];
    const start = Math.floor(nowS() / 60) * 60;
    const rows = Array.from({ length: 120 }, (_, minute) => {
      const at = new Date((start + 60 * minute) * 1000).toISOString();
      return `${at},${minute === 30 ? 20 : 400}`;
    });
    writeFileSync(join(cluster.work, "f.csv"), ["start,gco2e_per_kwh", ...rows, ""].join("\n"));
    const meaning = ["--zone", "DE", "--kind", "average", "--basis", "location"];
    const refresh = ["refresh", ...dir, "--signal", "f.csv", ...meaning, "--horizon", "90min"];
    writeFileSync(join(cluster.work, "job.sh"), "#!/bin/sh\n");
    /** Seconds from now until a submission begins. */
    const beginsIn = async (...options: readonly string[]): Promise<number> => {
      const args = ["--parsable", "--time=1", ...options, "job.sh"];
      const id = (await cluster.ok("sbatch", ...args)).trim();
      const text = await cluster.ok("scontrol", "show", "job", id);
      await cluster.run("scancel", id);
      return Date.parse(`${/ EligibleTime=(\S+)/.exec(text)?.[1]}Z`) / 1000 - nowS();
    };
    const flex = "--comment=green-flex";
    expect(
      await godwitOn(cluster, "slurm", "install-hook", ...dir, "--max-delay", "1h"),
    ).toMatchObject({
      code: 0,
      out: expect.stringContaining("wrote"),
    });
    cluster.configure({ JobSubmitPlugins: "lua" });
    await restartController();
    // Installed, without a forecast: nothing changes.
    expect(await beginsIn(flex)).toBeLessThan(5);
    expect(await godwitOn(cluster, "slurm", ...refresh)).toMatchObject({ code: 0 });
    const clean = start + 30 * 60 - nowS();
    expect(Math.abs((await beginsIn(flex)) - clean)).toBeLessThan(5);
    expect(await beginsIn()).toBeLessThan(5);
    expect(await beginsIn("--comment=green-flex=10m")).toBeLessThan(5);
    const told = await cluster.run("sbatch", "--parsable", "--time=1", "--hold", flex, "job.sh");
    expect(told.stderr).toBe("");
    // With --parsable sbatch keeps what it was told to itself.
    const moved = await cluster.run("sbatch", "--time=1", flex, "job.sh");
    expect(moved.code).toBe(0);
    expect(moved.stderr).toMatch(/godwit: begins .* when the grid is about 95 % cleaner/);
    // Whatever becomes of its files, jobs are as they were handed in.
    for (const file of ["godwit-policy", "godwit.lua"]) {
      const path = join(cluster.folder, file);
      const whole = readFileSync(path, "utf8");
      writeFileSync(path, whole.slice(0, whole.length / 2));
      expect(await beginsIn(flex)).toBeLessThan(5);
      writeFileSync(path, whole);
    }
    expect(Math.abs((await beginsIn(flex)) - clean)).toBeLessThan(10);
    const gone = await godwitOn(cluster, "slurm", "install-hook", ...dir, "--uninstall");
    expect(gone.err).toContain("does nothing any more");
    await restartController();
    expect(await beginsIn(flex)).toBeLessThan(5);
    cluster.configure({ JobSubmitPlugins: null });
    await restartController();
    expect((await godwitOn(cluster, "slurm", "install-hook", ...dir, "--uninstall")).code).toBe(0);
    expect(readFileSync(join(cluster.folder, "slurm.conf"), "utf8")).toContain("ClusterName");
  });

  test("a job that may be stopped is suspended and resumed as its plan says", async () => {
    const rig = await rigOf();
    const job = await rig.add("for _ in 1 2 3 4 5 6 7 8; do sleep 1; done", {
      ...{ durationS: 8, pausing: { kind: "stop" }, forecast: cleanAt(0, 30) },
    });
    const agent = agentOf(rig);
    await rig.engine.submit(job);
    await rig.untilState(job, "running");
    await rig.replan(job, cleanIn([0, 1], [5, 60]));
    await until("it is done", async () => {
      await agent.tick();
      return (await rig.get(job)).state === "done";
    });
    const kinds = (await rig.store.history(job.id)).map(({ kind }) => kind);
    expect(kinds).toContain("paused");
    const { spans, startedAt, endedAt } = await rig.get(job);
    const ran = spans.reduce((sum, { seconds }) => sum + (seconds ?? Number.NaN), 0);
    expect((endedAt ?? 0) - (startedAt ?? 0) - ran).toBeGreaterThanOrEqual(1);
  });

  test("a job that can save itself is saved, requeued, and begun again when its plan says", async () => {
    const rig = await rigOf();
    // Relative: it is run in the job's folder, not in the agent's.
    const save = ["/bin/sh", "-c", 'echo "$GODWIT_JOB_ID" >> saved'] as const;
    const job = await rig.add('echo run >> saves; test -n "$SLURM_RESTART_COUNT" || sleep 60', {
      ...{ durationS: 8, pausing: { kind: "checkpoint", command: save } },
      ...{ forecast: cleanAt(0, 30), options: ["--time=2", "--requeue"] },
    });
    const agent = agentOf(rig);
    await rig.engine.submit(job);
    await rig.untilState(job, "running");
    await rig.replan(job, cleanIn([0, 1], [5, 60]));
    await until("it is done", async () => {
      await agent.tick();
      return (await rig.get(job)).state === "done";
    });
    expect(rig.lines("saves")).toEqual(["run", "run"]);
    expect(rig.lines("saved")).toEqual([job.id]);
    expect((await rig.get(job)).engineData["restarts"]).toBe(1);
    expect((await rig.get(job)).spans).toHaveLength(2);
  });

  test("500 jobs, half of them moved, the controller restarted in the middle: none lost, none doubled", async () => {
    const rig = await rigOf();
    mkdirSync(join(cluster.work, "many"));
    const jobs: JobRecord[] = [];
    for (let at = 0; at < 500; at++)
      jobs.push(
        await rig.add(`echo "$SLURM_JOB_ID" >> many/${at}`, {
          scriptName: "many.sh",
          forecast: at % 2 === 0 ? cleanAt(0, 2) : cleanAt(300, 2),
        }),
      );
    let handed = 0;
    const submitting = Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (const job of jobs.filter((__, at) => at % 8 === lane)) {
          await rig.engine.submit(job);
          handed++;
        }
      }),
    );
    await until("half of them are handed over", () => handed >= 250);
    await cluster.controller.end("SIGTERM");
    await delay(500);
    cluster.controller.start();
    await submitting;
    const byState = async (state: JobRecord["state"]) =>
      rig.store.list({ engine: "slurm", states: [state] });
    for (const { id } of await byState("starting"))
      await rig.store.change(id, nowS(), (record) => ({
        record: { ...record, engineData: { ...record.engineData, handedAt: nowS() - 61 } },
        ...{ kind: "test", text: "aged" },
      }));
    await rig.engine.reconcile();
    for (const job of jobs.filter((_, at) => at % 2 === 1)) await rig.replan(job, cleanAt(0, 2));
    await until(
      "all are done",
      async () => {
        await rig.engine.reconcile();
        return (await byState("done")).length === jobs.length;
      },
      120_000,
    );

    const ledger = await byState("done");
    const numbers = new Set(ledger.map(({ externalId }) => externalId));
    expect(numbers.size).toBe(500);
    for (const [at, job] of jobs.entries())
      expect(rig.lines(`many/${at}`)).toEqual([(await rig.get(job)).externalId]);
    const rows = (await cluster.ok("sacct", "-XPnD", "--name=many.sh", "--format=JobIDRaw,State"))
      .trim()
      .split("\n");
    expect(rows.filter((row) => row.endsWith("|COMPLETED")).length).toBe(500);
    expect(
      new Set(rows.flatMap((row) => (row.endsWith("|COMPLETED") ? row.split("|")[0] : []))),
    ).toEqual(numbers);
  }, 240_000);

  test("idle nodes sleep, and a job that needs them wakes them and runs", async () => {
    const rig = await rigOf();
    const order = (name: string): string => join(cluster.folder, name);
    for (const name of ["down", "up"]) {
      writeFileSync(order(name), "");
      // Slurm starts these programs with an empty PATH.
      const text =
        `#!/bin/sh\nexport PATH=/usr/bin:/bin SLURM_CONF=${cluster.env["SLURM_CONF"]}\n` +
        `scontrol show hostnames "$1" >> ${order(name)}\n`;
      writeFileSync(order(`${name}.sh`), text, { mode: 0o755 });
    }
    cluster.configure({
      ...{ SuspendProgram: order("down.sh"), ResumeProgram: order("up.sh"), SuspendTime: "2" },
      ...{ SuspendTimeout: "3", ResumeTimeout: "30", SuspendExcNodes: "n1", SuspendRate: "0" },
      ResumeRate: "0",
    });
    await cluster.ok("scontrol", "reconfigure");
    const states = async () =>
      new Map((await rig.client.nodes()).map(({ name, states: own }) => [name, own.join(" ")]));
    /** Does to machines what the programs ask for. */
    let done = { down: 0, up: 0 };
    const obey = async (): Promise<void> => {
      for (const name of ["down", "up"] as const) {
        const asked = readFileSync(order(name), "utf8").trim().split("\n").filter(Boolean);
        for (const node of asked.slice(done[name])) {
          if (name === "down") await cluster.node(node).end("SIGKILL");
          // A machine that has booted says so; this one only starts its daemon again.
          else cluster.node(node).start("-b");
        }
        done = { ...done, [name]: asked.length };
      }
    };
    await until("three nodes sleep", async () => {
      await obey();
      const now = await states();
      return ["n2", "n3", "n4"].every((node) =>
        /POWERED_DOWN|POWERING_DOWN/.test(now.get(node) ?? ""),
      );
    });
    await delay(3500);
    expect((await states()).get("n1")).toBe("IDLE");
    const asleep = nowS();
    const job = await rig.add("srun hostname > woken", { options: ["--time=1", "--nodes=3"] });
    await rig.engine.submit(job);
    await until(
      "it is done",
      async () => {
        await obey();
        await rig.engine.reconcile();
        return (await rig.get(job)).state === "done";
      },
      40_000,
    );
    expect(rig.lines("woken")).toHaveLength(3);
    expect(nowS() - asleep).toBeLessThan(40);
  });

  test("the advice on sleep reads the cluster's own nodes and history", async () => {
    const power = ["--idle-power", "100W", "--boot-energy", "50kJ", "--boot-time", "1min"];
    const young = await godwitOn(cluster, "slurm", "advise", ...power);
    expect(young).toMatchObject({ code: 2, err: expect.stringContaining("less than an hour") });
    const history = await (await rigOf()).client.history(nowS() - 3600, nowS());
    expect(history.length).toBeGreaterThan(4);
    expect(new Set(history.flatMap(({ nodes }) => nodes))).toEqual(new Set(cluster.nodes));
    expect(history.every(({ start, end }) => start > nowS() - 3600 && end >= start)).toBe(true);
  });
});

/** An agent that looks at the cluster whenever it is asked to. */
function agentOf(rig: JobRig) {
  return createSlurmAgent({
    ...{ engine: rig.engine, client: rig.client, store: rig.store, host: clusterHost(cluster) },
    moment: () => ({ now: nowS(), monotonicS: performance.now() / 1000 }),
    forecastOf: () => Promise.reject(new Error("no newer one")),
    ...{ refreshS: 60, pollS: 0, onEvent: () => {} },
  });
}
