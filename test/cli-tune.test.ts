// `godwit tune` from outside: real processes, a real ledger, a search that is cut and gone on with.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fillIn } from "../src/cli/tune-worker.ts";
import { godwit as command } from "./cli-session.ts";

/** Each run of the search is two processes, and other tests use the cores too. */
const LONG = 90_000;

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-tune-test-"));
  writeFileSync(join(folder, "space.json"), '{"x": {"float": [0, 1]}, "kind": {"choice": ["a"]}}');
  // Prints a number on the way and its metric at the end; counts its runs.
  writeFileSync(
    join(folder, "work.mjs"),
    `import { appendFileSync } from "node:fs";
     const [x, resource] = process.argv.slice(2).map(Number);
     const { kind } = JSON.parse(process.env.GODWIT_CONFIG);
     appendFileSync("runs.txt", "x");
     console.log("acc=0.1", kind);
     console.log("acc=" + (1 - (x - 0.4) ** 2 - 0.1 / resource));`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tune(...args: readonly string[]) {
  const options = [
    "--space",
    "space.json",
    "--schedule",
    "asha",
    "--resource",
    "1:2",
    "--eta",
    "2",
  ];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [MAIN, "tune", ...options, "--trials", "2", "--json", ...args],
    { cwd: folder, env: { ...process.env, GODWIT_LOCATION: "DE" }, encoding: "utf8" },
  );
  return { status, stderr, told: stdout === "" ? null : JSON.parse(stdout) };
}

const runs = (): number => readFileSync(join(folder, "runs.txt"), "utf8").length;
const work = [
  "--metric-pattern",
  "acc=([0-9.]+)",
  "--",
  process.execPath,
  "work.mjs",
  "{x}",
  "{resource}",
];

test(
  "a search is measured run by run, cut by its energy, gone on with, and added up",
  () => {
    const first = tune("--max-energy", "0.001mWh", ...work);
    // 3.6 mJ: less than any process takes. Exit 4: the budget was used up.
    expect(first.told.stopped).toBe("energy");
    expect(first.status).toBe(4);
    expect(first.stderr).toContain(`--resume ${first.told.search}`);
    const before = runs();
    expect(before).toBe(first.told.runs.length);

    const second = tune("--resume", first.told.search, ...work);
    expect(second.status).toBe(0);
    expect(second.told.stopped).toBe("done");
    // Two configurations, of which the better went on; none of the first runs was repeated.
    expect(second.told.runs.length).toBe(3);
    expect(second.told.runs.slice(0, before)).toEqual(first.told.runs);
    expect(runs()).toBe(3);
    const { best, energy_j } = second.told;
    expect(best).toMatchObject({ resource: 2, config: { kind: "a" } });
    expect(best.value).toBeCloseTo(1 - (best.config.x - 0.4) ** 2 - 0.1 / 2, 9);
    const sum = second.told.runs.reduce(
      (total: number, run: { energy_j: number }) => total + run.energy_j,
      0,
    );
    expect(energy_j).toBeCloseTo(sum, 9);
    expect(energy_j).toBeGreaterThan(0);

    const other = tune("--resume", first.told.search, "--seed", "9", ...work);
    expect(other.status).toBe(2);
    expect(other.stderr).toContain("was another one");
  },
  LONG,
);

test("values are filled into any word; other braces stay as they are", () => {
  const words = ["run", "--lr={lr}", '{"a":1}', "{unknown}", "{trial}-{resource}.onnx"];
  const filled = fillIn(words, { trial: 3, resource: 2.5, config: { lr: 0.01 } });
  expect(filled).toEqual(["run", "--lr=0.01", '{"a":1}', "{unknown}", "3-3.onnx"]);
});

test("what does not fit together is told before anything runs", async () => {
  const refused = async (...args: readonly string[]) =>
    command(["tune", "--space", join(folder, "space.json"), ...args, "--", "true"], {
      cwd: folder,
    });
  const messages = [
    [["--schedule", "asha"], "needs a range of the resource"],
    [["--resource", "9:1"], 'cannot read "9:1"'],
    [["--metric", "quality"], "whether more of quality is better is not known"],
    [["--energy", "front", "--good-enough", "0.9"], "energy can have one role only"],
    [["--metric-pattern", "acc"], 'cannot use "acc"'],
    [["--metric-pattern", "("], 'cannot use "("'],
  ] as const;
  for (const [args, message] of messages) {
    const { code, err } = await refused(...args);
    expect([code, err.includes(message)]).toEqual([2, true]);
  }
  const absent = await command(["tune", "--space", "none.json", "--", "true"], { cwd: folder });
  expect(absent.err).toContain("--space: cannot read");
});
