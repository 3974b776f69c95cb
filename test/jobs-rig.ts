// A project folder with a queue of jobs, for tests on real processes. An "hour" of a forecast lasts two
// seconds.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect } from "vitest";
import { runProgram } from "../src/cli/program.ts";
import { createNodeHost } from "../src/core/host/node-host.ts";
import { handOver, openJobStore } from "../src/systems/schedule/jobs/index.ts";
import { createSession } from "./cli-session.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");
export const LONG = 40_000;
export const host = createNodeHost();

const closing: (() => void)[] = [];
afterAll(() => {
  for (const close of closing) close();
});

/** Every step of a forecast. */
export const ALWAYS = Array.from({ length: 40 }, (_, step) => step);

/** A project folder with a queue, and what is done in it. */
export function setUp() {
  const folder = mkdtempSync(join(tmpdir(), "godwit-jobs-"));
  mkdirSync(join(folder, ".godwit"));
  closing.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Two-second steps from now on, clean at those numbered. */
  function forecast(...clean: readonly number[]): void {
    const start = Math.floor(host.wall() / 1000);
    const utc = (moment: number): string => new Date(moment * 1000).toISOString();
    const json = {
      ...{ schema: "godwit.signal/1", zone: "DE", kind: "average", basis: "location" },
      ...{ issued_at: utc(start), start: utc(start), step_s: 2, source: "made up" },
      values_gco2e_per_kwh: ALWAYS.map((at) => (clean.includes(at) ? 100 : 400)),
    };
    writeFileSync(join(folder, "forecast.json"), JSON.stringify(json));
  }

  /** One command line in this process, with a real machine below it. */
  async function godwit(args: readonly string[], env: Record<string, string> = {}) {
    const { context, printed } = createSession({
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", GODWIT_LOCATION: "DE", ...env },
    });
    const code = await runProgram({ ...context, host }, args);
    const [out, err] = [printed.out, printed.err].map((chunks) => Buffer.concat(chunks).toString());
    return { code, out: out ?? "", err: err ?? "" };
  }

  async function submit(options: readonly string[], command: readonly string[], env = {}) {
    const usual = ["--signal", "forecast.json", "--power", "100W", "--error", "0", "--json"];
    const answer = await godwit(["submit", ...usual, ...options, "--", ...command], env);
    expect(answer.err + answer.out).toContain('"godwit.job/1"');
    return JSON.parse(answer.out) as { readonly id: string };
  }

  const show = async (id: string): Promise<Shown> =>
    JSON.parse((await godwit(["jobs", id, "--json"])).out) as Shown;

  function agent(...options: readonly string[]): ChildProcess {
    const env = { ...process.env, GODWIT_LOCATION: "DE", SECRET_OF_AGENT: "1" };
    const words = [MAIN, "agent", ...options];
    const child = spawn(process.execPath, words, { cwd: folder, env, stdio: "ignore" });
    closing.unshift(() => child.kill("SIGKILL"));
    return child;
  }

  /** Supervises the newest attempt in this process, as the agent has another one do. */
  async function superviseHere(id: string): Promise<Shown> {
    const store = await openJobStore(join(folder, ".godwit"));
    await store.change(id, 0, handOver("a test"));
    store.close();
    await godwit(["agent", "supervise", id, "1", "--folder", join(folder, ".godwit")]);
    return show(id);
  }

  return { folder, forecast, godwit, submit, show, agent, superviseHere };
}

export interface Shown {
  readonly state: string;
  readonly reason: string;
  readonly pid: number | null;
  readonly attempts: number;
  readonly stdout: string;
  readonly ran: readonly unknown[];
  readonly cards: readonly string[];
  readonly exit: { readonly code: number } | null;
}

export async function until<T>(what: () => Promise<T> | T, is: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 25_000;
  for (;;) {
    const value = await what();
    if (is(value)) return value;
    if (Date.now() > deadline) throw new Error(`it did not happen: ${JSON.stringify(value)}`);
    await delay(50);
  }
}

export const stateOf = (pid: number): string =>
  /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";
