// Imports into a real ledger in a temporary project.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-import-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Answer> => godwit(args, { cwd });

test("a log is imported once, however often it is given", async () => {
  const line = (second: number) => `2026-01-31T12:00:0${second}Z,100`;
  writeFileSync(join(cwd, "spl.txt"), `time,watts\n${[0, 1, 2, 3].map(line).join("\n")}\n`);
  const first = await run("import", "spl", "spl.txt", "--name", "resnet50 offline");
  expect(first.code).toBe(0);
  expect((await run("import", "spl", "spl.txt", "--name", "resnet50 offline")).out).toBe(first.out);
  const { runs } = JSON.parse((await run("runs", "--json")).out);
  expect(runs).toMatchObject([
    { name: "resnet50 offline", energy_j: 300, energy_method: "sampled" },
  ]);
});

test("sacct takes the cluster's watts and place from options, and says what it lacks", async () => {
  const fields = "JobID|JobName|Start|Elapsed|NCPUS|TotalCPU|CPUTime|ReqMem|State";
  const job = "7|train|2026-01-01T01:00:00|01:00:00|8|04:00:00|08:00:00|0G|COMPLETED";
  writeFileSync(join(cwd, "jobs"), `${fields}\n${job}\n`);
  const options = ["--tdp", "10", "--pue", "1", "--intensity", "400"];
  expect((await run("import", "sacct", "jobs", ...options)).code).toBe(0);
  const card = JSON.parse((await run("show", "train", "--json")).out);
  expect(card.measures.emissions.value).toBeCloseTo(16, 8);
  const { err } = await run("import", "sacct", "jobs", "--intensity", "400");
  expect(err).toContain("note: no energy: watts of a core are not given (--tdp)");
});

test("an unknown format, a file that is not there, a time that is none: wrong usage", async () => {
  expect((await run("import", "csv", "x")).code).toBe(2);
  expect((await run("import", "spl", "none")).err).toContain("cannot read none");
  expect((await run("import", "spl", "x", "--from", "noon")).err).toContain("--from");
});
