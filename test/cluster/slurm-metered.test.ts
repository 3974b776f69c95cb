// Jobs that people hand to a real cluster with `godwit submit`: each runs under the meter on its node, and comes
// back with its card and what it saved; held and released by the command line.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/daemons.ts";
import { missingSlurm, type SlurmCluster, startSlurm } from "../support/slurm-cluster.ts";
import { godwitOn } from "../support/slurm-jobs.ts";

let cluster: SlurmCluster;

describe.skipIf(missingSlurm !== null)("jobs of the command line", () => {
  beforeAll(async () => {
    cluster = await startSlurm();
    // Two-second steps from a minute ago on, all alike: everything begins at once.
    const start = Math.floor(Date.now() / 1000) - 60;
    const utc = (moment: number): string => new Date(moment * 1000).toISOString();
    const json = {
      ...{ schema: "godwit.signal/1", zone: "DE", kind: "average", basis: "location" },
      ...{ issued_at: utc(start), start: utc(start), step_s: 2, source: "made up" },
      values_gco2e_per_kwh: Array.from({ length: 1200 }, () => 400),
    };
    writeFileSync(join(cluster.work, "forecast.json"), JSON.stringify(json));
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  const godwit = (...args: readonly string[]) => godwitOn(cluster, ...args);
  const submit = async (options: readonly string[], ...words: readonly string[]) => {
    const usual = ["--engine", "slurm", "--signal", "forecast.json", "--power", "100W", "--json"];
    const about = ["--deadline", "+20min", "--duration", "30s", "--error", "0", ...options];
    const { code, out, err } = await godwit("submit", ...usual, ...about, "--", "-t1", ...words);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as Shown;
  };
  const show = async ({ id }: Pick<Shown, "id">): Promise<Shown> => {
    await godwit("agent", "--once", "--quiet");
    return JSON.parse((await godwit("jobs", id, "--json")).out) as Shown;
  };
  const ended = async (job: Pick<Shown, "id">): Promise<Shown> => {
    let last: Shown | null = null;
    await until(`${job.id} ends`, async () => {
      last = await show(job);
      return ["done", "failed", "cancelled"].includes(last.state);
    }).catch((cause) => {
      throw new Error(JSON.stringify(last), { cause });
    });
    return last as unknown as Shown;
  };
  const write = (name: string, text: string): void =>
    writeFileSync(join(cluster.work, name), text, { mode: 0o755 });
  const output = ({ external_id: id }: Shown): string =>
    readFileSync(join(cluster.work, `slurm-${id}.out`), "utf8");

  test("a script runs under the meter, with its words, its code, its card and its account", async () => {
    const hostile = "$(touch pwned) 'x'\n\"";
    write("train.sh", '#!/bin/bash\n#SBATCH --job-name=night\nprintf "%s|" "$0" "$@"\nsleep 2\n');
    const job = await submit(
      ["--name", "train", "--tag", "team=vision"],
      "train.sh",
      hostile,
      "--",
    );
    const done = await ended(job);
    expect(done).toMatchObject({ state: "done", exit: { code: 0 } });
    expect(output(done)).toContain(`|${hostile}|--|`);
    expect((await cluster.ok("ls", cluster.work)).includes("pwned")).toBe(false);
    expect(await cluster.ok("sacct", "-XPn", "-j", `${done.external_id}`, "--format=JobName")).toBe(
      "night\n",
    );
    expect(done.cards).toHaveLength(1);
    const card = JSON.parse((await godwit("show", done.cards[0] ?? "", "--json")).out);
    expect(card).toMatchObject({
      status: "complete",
      subject: { name: "train", tags: { team: "vision", job: job.id } },
    });
    expect(done.account?.energy_j.source).not.toMatch(/declared|no card/);
    expect(done.account?.energy_j.value).toBeGreaterThan(0);
    expect(done.account?.saving_gco2e.value).toBeCloseTo(0, 5);
    const { out } = await godwit("savings", "--json");
    const { jobs } = JSON.parse(out) as { jobs: { id: string; energy_j: unknown }[] };
    expect(jobs.find(({ id }) => id === job.id)?.energy_j).toEqual(done.account?.energy_j);
  });

  test("a program needs no script, and its code is the job's", async () => {
    const job = await submit([], "sh", "-c", "echo from $SLURM_JOB_ID; exit 5");
    const done = await ended(job);
    expect(done).toMatchObject({ state: "failed", exit: { code: 5 }, cards: [expect.anything()] });
    expect(output(done)).toBe(`from ${done.external_id}\n`);
    await expect(submit([], "trian.sh")).rejects.toThrow("cannot read the script");
  });

  test("a run that is killed with its meter has a card by its samples", async () => {
    const job = await submit([], "sleep", "300");
    const samples = join(cluster.work, ".godwit", "jobs", job.id, "cards", "segments");
    await until("it is sampled", () => existsSync(samples) && readdirSync(samples).length === 1);
    await cluster.ok("scancel", "--full", "--signal=KILL", `${job.external_id}`);
    const done = await ended(job);
    expect(done).toMatchObject({ state: "cancelled", cards: [expect.anything()] });
    const card = JSON.parse((await godwit("show", done.cards[0] ?? "", "--json")).out);
    expect(card).toMatchObject({ status: "interrupted", subject: { tags: { job: job.id } } });
    expect(readdirSync(samples)).toEqual([]);
  });

  test("an array has a card for each of its tasks", async () => {
    const done = await ended(await submit([], "--array=0-2", "sh", "-c", "sleep 1"));
    expect(done).toMatchObject({ state: "done", cards: { length: 3 } });
    expect(new Set(done.cards).size).toBe(3);
    expect(done.account?.energy_j.source).toBe("cards of all attempts");
  });

  test("a job of several nodes is not said to have used what one of them did", async () => {
    const done = await ended(await submit([], "-N2", "srun", "sleep", "1"));
    expect(done).toMatchObject({ state: "done", cards: [expect.anything()] });
    expect(done.account?.energy_j.source).toMatch(/one of 2 nodes: --power x time/);
  });

  test("a node without godwit runs the job all the same, and says so", async () => {
    const store = join(cluster.work, ".godwit");
    const job = await submit(["--earliest", "+10min"], "sh", "-c", "echo ran");
    // As if neither Node nor godwit were where they were when it was submitted.
    const batch = join(store, "jobs", job.id, "batch", "sh");
    const text = readFileSync(batch, "utf8");
    write("bare", text.replace("node=$1 program=$2", "node=/nowhere program=$2"));
    const words = ["x", "y", "run", "--quiet", "--", "sh", "-c", "echo ran; exit 6"];
    const id = (await cluster.ok("sbatch", "--parsable", "-t1", "bare", ...words)).trim();
    await until("it ends", async () =>
      (await cluster.ok("sacct", "-XPn", "-j", id, "--format=State,ExitCode")).includes(
        "FAILED|6:0",
      ),
    );
    expect(readFileSync(join(cluster.work, `slurm-${id}.out`), "utf8")).toMatch(
      /^godwit: it is not on n\d: the job runs without the meter\nran\n$/,
    );
    expect(await godwit("cancel", job.id)).toMatchObject({ code: 0 });
  });

  test("without the meter Slurm gets the script itself", async () => {
    write("plain.sh", '#!/bin/sh\nprintf "%s|" "$@"; sleep 2\n');
    const done = await ended(await submit(["--no-meter"], "plain.sh", "a b"));
    expect(done).toMatchObject({ state: "done", cards: [] });
    expect(output(done)).toBe("a b|");
    expect(done.account?.energy_j.source).toMatch(/^no card tells/);
  });

  test("held by the command line it does not begin; released it does", async () => {
    const job = await submit(["--earliest", "+5s"], "sh", "-c", "true");
    expect(await godwit("hold", job.id)).toMatchObject({ code: 0 });
    // An operator's hold is named otherwise than a user's.
    expect(await cluster.ok("squeue", "-h", "-o", "%r", "-j", `${job.external_id}`)).toMatch(
      /^JobHeld(Admin|User)\n$/,
    );
    expect(await show(job)).toMatchObject({ state: "waiting", held: true });
    expect((await godwit("jobs")).out).toContain("held");
    const told = await godwit("release", job.id, "--json");
    expect(JSON.parse(told.out)).toMatchObject([{ id: job.id, held: false }]);
    expect(await ended(job)).toMatchObject({ state: "done" });
    expect(await godwit("hold", job.id)).toMatchObject({ code: 2 });
  });
});

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly external_id: string | null;
  readonly cards: readonly string[];
  readonly account: {
    readonly energy_j: { readonly value: number; readonly source: string };
    readonly saving_gco2e: { readonly value: number };
  } | null;
}
