// A ledger on a server as its users have it: the commands, and a server that dies during a run.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { godwit } from "./cli-session.ts";
import { missingPostgres, type PostgresTestServer, startPostgres } from "./postgres-server.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");

let postgres: PostgresTestServer;
let cwd = "";
let url = "";

/** `godwit run` of a shell's script that says `ready`; what happens before it is let go on. */
async function run(meanwhile: () => Promise<void> = async () => {}) {
  const args = ["run", "--summary", "--name", "train", "--", "sh", "-c", "echo ready; read line"];
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, GODWIT_LEDGER: url, GODWIT_LOCATION: "DE" },
    stdio: "pipe",
  });
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => {
    stderr += text;
  });
  const closed = once(child, "close");
  const [stdout] = (await once(child.stdout, "data")) as [Buffer];
  await meanwhile();
  child.stdin.end("\n");
  const [code] = await closed;
  return { code, stdout: stdout.toString(), stderr };
}

const ask = (...args: string[]) => godwit(args, { cwd, env: { GODWIT_LEDGER: url } });

const serverFolder = (): string => {
  const [name = ""] = readdirSync(join(cwd, ".godwit", "servers"));
  return join(cwd, ".godwit", "servers", name);
};

describe.skipIf(missingPostgres !== null)("godwit with a ledger on a server", () => {
  beforeAll(async () => {
    postgres = await startPostgres({ fsync: "on" });
  });
  afterAll(() => postgres.stop());
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "godwit-server-"));
    url = postgres.database();
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  test("every command works there, and the samples stay here", async () => {
    expect(await run()).toMatchObject({ code: 0, stdout: "ready\n" });
    expect((await run()).stderr).toContain("postgresql://127.0.0.1:");
    const listed = JSON.parse((await ask("runs", "--json")).out);
    expect(listed.ledger).toMatch(/^postgresql:\/\/127\.0\.0\.1:\d+\/ledger\d+$/);
    expect(listed.runs).toMatchObject([{ name: "train" }, { name: "train" }]);
    const [{ id }] = listed.runs;
    expect(readdirSync(join(serverFolder(), "segments"))).toContain(`${id}.ndjson`);
    expect(existsSync(join(cwd, ".godwit", "ledger.db"))).toBe(false);

    for (const args of [
      ["show", "last"],
      ["explain", "train~1"],
      ["compare", "last", "last~1"],
    ]) {
      expect(await ask(...args)).toMatchObject({ code: 0, out: expect.stringMatching(/\w/) });
    }
    expect((await ask("export", "--csv", "-")).out.trim().split("\n")).toHaveLength(3);
    expect((await ask("doctor")).out).toMatch(/by environment\), can be\s+reached/);
    expect((await ask("rm", "last", "--yes")).out).toBe(`${id}\n`);
    expect(readdirSync(join(serverFolder(), "segments"))).not.toContain(`${id}.ndjson`);
    expect(JSON.parse((await ask("runs", "--json")).out).runs).toHaveLength(1);
    expect((await ask("runs", "--ledger", ".godwit")).code).not.toBe(0);
  });

  test("a server that dies during a run costs the run nothing, and gets it later", async () => {
    await run();
    const { code, stdout, stderr } = await run(() => postgres.kill());
    expect({ code, stdout }).toEqual({ code: 0, stdout: "ready\n" });
    expect(stderr.replace(/\s+/g, " ")).toMatch(/cannot be reached.* this run waits in/);
    expect(postgres.secrets.filter((secret) => stderr.includes(secret))).toEqual([]);
    const away = await ask("runs");
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining("cannot be reached") });

    await postgres.start();
    const back = await ask("runs", "--json");
    expect(back.err).toContain("1 run that waited here went to");
    const { runs } = JSON.parse(back.out);
    expect(runs).toMatchObject([{ status: "complete" }, { status: "complete" }]);
    expect((await ask("runs", "--json")).err).toBe("");
    expect(postgres.sql(url, "SELECT count(*) FROM godwit.cards")).toBe("2\n");
    expect(readdirSync(join(serverFolder(), "pending"))).toEqual([]);
  });

  test("a run whose card was never kept is made one of on the server", async () => {
    await run();
    postgres.sql(url, "DELETE FROM godwit.cards");
    // As after kill -9 before the card was kept: samples here, no card there.
    const { runs } = JSON.parse((await ask("runs", "--json")).out);
    expect(runs).toMatchObject([{ name: "train" }]);
    expect(postgres.sql(url, "SELECT count(*) FROM godwit.cards")).toBe("1\n");
  });

  test("the local runner keeps its cards there, also of a job that ran while it was down", async () => {
    const start = Math.floor(Date.now() / 1000) - 60;
    const utc = (moment: number): string => new Date(moment * 1000).toISOString();
    const forecast = {
      ...{ schema: "godwit.signal/1", zone: "DE", kind: "average", basis: "location" },
      ...{ issued_at: utc(start), start: utc(start), step_s: 60, source: "made up" },
      values_gco2e_per_kwh: Array.from({ length: 20 }, () => 400),
    };
    writeFileSync(join(cwd, "forecast.json"), JSON.stringify(forecast));
    /** Submits a job that shows its environment, and runs the queue until it has ended. */
    const submit = (name: string) => {
      const about = ["--deadline", "+10min", "--duration", "5s", "--power", "100W", "--name", name];
      const where = ["--signal", "forecast.json", "--ledger", url, "--wait", "--json"];
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [MAIN, "submit", ...about, ...where, "--", "env"],
        { cwd, env: { PATH: process.env["PATH"] ?? "", GODWIT_LOCATION: "DE" }, encoding: "utf8" },
      );
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stderr).toMatch(/Ctrl-C ends the waiting alone.*godwit cancel \w+/);
      return JSON.parse(stdout) as { state: string; cards: readonly string[]; stdout: string };
    };
    await run();
    const one = submit("one");
    expect(one).toMatchObject({ state: "done", cards: [expect.anything()] });
    expect(existsSync(join(serverFolder(), "jobs.db"))).toBe(true);
    await postgres.kill();
    const other = submit("other");
    expect(other).toMatchObject({ state: "done", cards: [expect.anything()] });
    await postgres.start();

    const { jobs } = JSON.parse((await ask("savings", "--json")).out);
    expect(jobs).toMatchObject([{ name: "one" }, { name: "other" }]);
    for (const { energy_j: energy } of jobs) expect(energy.source).not.toContain("no card");
    const names = "SELECT string_agg(name, ',' ORDER BY started_ms) FROM godwit.cards";
    expect(postgres.sql(url, names)).toBe("train,one,other\n");
    // The address and its password are the agent's affair.
    for (const job of [one, other]) {
      const seen = readFileSync(job.stdout, "utf8");
      expect(seen).toContain("GODWIT_JOB_ID=");
      expect(postgres.secrets.filter((secret) => seen.includes(secret))).toEqual([]);
    }
  }, 90_000);

  test("an address that cannot be right is refused before the command, unquoted", async () => {
    const flag = "postgresql://me:hunter2@host:port/db";
    const { code, err } = await ask("run", "--ledger", flag, "--", "touch", join(cwd, "ran"));
    expect(code).toBe(2);
    expect(err).toContain("the URL of the ledger cannot be used");
    expect(err).not.toContain("hunter2");
    expect(existsSync(join(cwd, "ran"))).toBe(false);
  });
});
