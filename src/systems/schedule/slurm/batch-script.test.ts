import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { batchScript, launchWords } from "./batch-script.ts";

test("begins with the user's comments, which hold sbatch's options, and none of the commands", () => {
  const text = "#!/usr/bin/python3\n# a word\n#SBATCH -t 5\n\nimport os\n#SBATCH -t 9\n";
  const lines = batchScript(text).split("\n");
  expect(lines.slice(0, 4)).toEqual(["#!/bin/sh", "# a word", "#SBATCH -t 5", ""]);
  expect(lines.join("\n")).not.toMatch(/import|-t 9|python/);
});

describe.skipIf(process.platform === "win32")("on a node", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "godwit-batch-"));
    write("batch", batchScript(null));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  };
  /** Runs the script for a job whose command prints its arguments. */
  const run = (program: readonly [string, string], ...args: readonly string[]) => {
    const words = launchWords({
      ...{ program, id: "j1", name: HOSTILE, tags: { team: "vision" }, cards: "/cards" },
      file: write("job", '#!/bin/sh\nprintf "%s|" "$@"\nexit 7\n'),
    });
    const env = { PATH: `${folder}:/usr/bin:/bin`, SLURMD_NODENAME: "n1" };
    const options = { env, encoding: "utf8" } as const;
    return spawnSync(join(folder, "batch"), [...words, ...args], options);
  };
  const HOSTILE = "$(touch pwned) `x`\n;'\"\\ -- --";
  const stub = '#!/bin/sh\ntest "$1" = --version && exit 0\nprintf "%s|" "$@"\nexit 3\n';
  const metered = `run|--quiet|--defer|--name=${HOSTILE}|--ledger=/cards|--tag=team=vision|--tag=job=j1|--|`;

  test("the program that it was submitted with runs the command; no word is read by a shell", () => {
    const { status, stdout } = run(["/bin/sh", write("main", stub)], HOSTILE, "--", "");
    expect(stdout).toBe(`${metered}${join(folder, "job")}|${HOSTILE}|--||`);
    expect(status).toBe(3);
  });
  test("where that is not on the node, the one in the PATH does", () => {
    write("godwit", stub);
    const { status, stdout, stderr } = run(["/nowhere/node", "/nowhere/main.js"], "x");
    expect(stdout).toBe(`${metered}${join(folder, "job")}|x|`);
    expect([status, stderr]).toEqual([3, ""]);
  });
  test("without any the command runs all the same, ends as it ends, and that is said", () => {
    const broken = write("main", "exit 1\n");
    const { status, stdout, stderr } = run(["/bin/sh", broken], HOSTILE, "--", "");
    expect(stdout).toBe(`${HOSTILE}|--||`);
    expect(status).toBe(7);
    expect(stderr).toBe("godwit: it is not on n1: the job runs without the meter\n");
  });
});
