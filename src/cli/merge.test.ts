// Merging from a ledger and from files of other hosts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import type { Card } from "../core/card.ts";
import { openLedger } from "../ledger/index.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-merge-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Answer> => godwit(args, { cwd });
const on = (id: string, machine: string): Card =>
  exampleCard({ id, machine: { ...exampleCard().machine, id: machine } });

test("a run of the ledger and a file of another host become one run of the ledger", async () => {
  const ledger = await openLedger(join(cwd, ".godwit"));
  await ledger.put(on("here", "m1"));
  ledger.close();
  writeFileSync(join(cwd, "there.json"), JSON.stringify(on("there", "m2")));
  const { code, err } = await run("merge", "here", "there.json", "--name", "both");
  expect(code).toBe(0);
  expect(err).toContain("2 runs as ");
  expect(err).toContain("9.00 kJ");
  const card = JSON.parse((await run("show", "both", "--json")).out);
  expect(card.mergedFrom).toEqual(["here", "there"]);
  expect(card.measures.energy.attributed.value).toBe(9000);
  expect((await run("report", "both", "--html", "r.html")).code).toBe(0);
  expect((await run("explain", "both")).out).toContain("attributed energy of all runs");
});

test("-o writes a file and leaves the ledger alone", async () => {
  const lines = [on("a", "m1"), on("b", "m1")].map((card) => JSON.stringify(card));
  writeFileSync(join(cwd, "ranks.ndjson"), `${lines.join("\n")}\n`);
  const { code, err } = await run("merge", "ranks.ndjson", "-o", "job.json");
  expect(code).toBe(0);
  expect(err).toContain("note: a, b overlapped on one machine");
  expect(err).toContain("claimed more than their machine used");
  const written = JSON.parse(readFileSync(join(cwd, "job.json"), "utf8"));
  // Active 3000 J each and idle 1500 J once would be more than the 6000 J that the machine used.
  expect(written.measures.energy.attributed.value).toBeCloseTo(6000, 6);
  expect((await run("runs")).err).toContain("No runs yet");
});

test("a file that holds no card, or a single run, is refused", async () => {
  writeFileSync(join(cwd, "x.json"), "{}");
  expect((await run("merge", "x.json")).err).toContain("x.json: not a card");
  writeFileSync(join(cwd, "y.json"), JSON.stringify(on("a", "m1")));
  expect((await run("merge", "y.json")).err).toContain("there is nothing to merge");
});
