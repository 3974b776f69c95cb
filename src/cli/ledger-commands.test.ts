// show, explain, export and rm on a real ledger in a temporary project.

import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, createSession, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import { startRecord } from "../../test/run-records.ts";
import { richCard } from "../../test/sample-card.ts";
import { parseCard } from "../core/card.ts";
import { parseCsvTable } from "../core/csv.ts";
import { exact, sum } from "../core/index.ts";
import { createSegment, openLedger, segmentPath } from "../ledger/index.ts";
import { explanation, filledIn, stepsBehind } from "./explanation.ts";
import { rmCommand } from "./rm.ts";

let cwd = "";
let folder = "";
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-commands-"));
  folder = join(cwd, ".godwit");
  const ledger = await openLedger(folder);
  await ledger.put(exampleCard({ id: "small", startedAt: "2025-12-01T00:00:00Z" }));
  await ledger.put(richCard({ id: "rich" }));
  ledger.close();
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Answer> => godwit(args, { cwd });

describe("godwit show", () => {
  test("shows the latest card when none is named", async () => {
    expect((await run("show")).out).toBe((await run("show", "rich")).out);
    expect((await run("show")).out).toContain("python train.py --epochs 3");
  });

  test("--json gives the card and nothing else", async () => {
    const { out, err } = await run("show", "small", "--json");
    expect(parseCard(JSON.parse(out)).id).toBe("small");
    expect(err).toBe("");
  });

  test("--markdown is Markdown; both at once is wrong usage", async () => {
    expect((await run("show", "--markdown")).out).toMatch(/^## python train/);
    expect((await run("show", "--markdown", "--json")).code).toBe(2);
  });

  test("a mistyped name gets a suggestion", async () => {
    const { code, err } = await run("show", "trian");
    expect(code).toBe(2);
    expect(err).toContain("Did you mean train?");
  });
});

describe("godwit explain", () => {
  test("prints every step with its numbers, at most 80 columns wide", async () => {
    const { out } = await run("explain", "rich");
    expect(out).toContain("C = 11160 J / 3.6e6 x 44.2 gCO2e/kWh");
    expect(out).toContain("Ember 2025, FR 2024");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("of one measure prints that and what it is made of", async () => {
    const { out } = await run("explain", "rich", "emissions");
    expect(out).toContain("1. emissions");
    expect(out).not.toContain("sum of the components");
  });

  test("of a mistyped measure suggests, of a card without steps says so", async () => {
    expect((await run("explain", "rich", "emisions")).err).toContain("Did you mean emissions?");
    expect((await run("explain", "small")).err).toContain("keeps no arithmetic");
  });

  test("--json gives the steps", async () => {
    const { steps, schema } = JSON.parse((await run("explain", "rich", "--json")).out);
    expect(schema).toBe("godwit.explanation/1");
    expect(steps).toEqual(richCard().steps);
  });

  test("follows a chain through the results that steps hand on", () => {
    const origin = { method: "measured", source: "a sensor" } as const;
    const part = exact("J", 2, origin);
    const all = sum("J", [part, part], { source: "both" });
    const step = (name: string, inputs: object, result: object) =>
      ({ name, formula: "a", inputs, result, source: "" }) as unknown as ReturnType<
        typeof richCard
      >["steps"][number];
    const card = richCard({
      steps: [
        step("sensor", {}, part),
        step("unrelated", {}, exact("J", 9, origin)),
        step("total", { a: part, b: part }, all),
        step("emissions", { energy: all }, exact("gCO2e", 1, origin)),
      ],
    });
    expect(stepsBehind(card, "Emissions").map(({ name }) => name)).toEqual([
      "sensor",
      "total",
      "emissions",
    ]);
    expect(explanation(card, stepsBehind(card, "total"), 40)).toContain("2. total = 4.00 J");
  });

  test("fills in names of devices, which hold dashes and begin alike", () => {
    const joules = (value: number) => exact("J", value, { method: "measured", source: "" });
    const figures = { "gpu-1": joules(1), "gpu-10": joules(10), gpu: joules(100) };
    const [step] = richCard().steps;
    if (step === undefined) throw new Error("the sample has steps");
    expect(filledIn({ ...step, formula: "gpu-1 + gpu-10 + gpu * 2", inputs: figures })).toBe(
      "1 J + 10 J + 100 J * 2",
    );
  });
});

describe("godwit export", () => {
  test("--parquet and --csv agree, cell for cell, when they are read back", async () => {
    expect((await run("export", "--parquet", "runs.parquet", "--csv", "runs.csv")).code).toBe(0);
    const bytes = readFileSync(join(cwd, "runs.parquet"));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows = await parquetReadObjects({ file: file as ArrayBuffer });
    const table = parseCsvTable(readFileSync(join(cwd, "runs.csv"), "utf8"));
    expect(rows.map((row) => row["id"])).toEqual(["rich", "small"]);
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual(Object.keys(table[0] ?? {}).sort());
    for (const [at, row] of rows.entries()) {
      for (const [name, cell] of Object.entries(row)) {
        expect(String(cell ?? "")).toBe(table[at]?.[name]);
      }
    }
    expect(rows[0]?.["energy_attributed_j"]).toBe(11_160);
    expect(rows[1]?.["model_size_bytes"] ?? null).toBeNull();
  });

  test("--parquet of nothing is still a Parquet file", async () => {
    const { bytes, code } = await run("export", "--parquet", "-", "--name", "none like that");
    expect(code).toBe(0);
    expect(bytes.subarray(0, 4).toString()).toBe("PAR1");
    expect(bytes.subarray(-4).toString()).toBe("PAR1");
  });

  test("--ndjson and --json give whole cards", async () => {
    const lines = (await run("export", "--ndjson", "-")).out.trimEnd().split("\n");
    expect(lines.map((line) => parseCard(JSON.parse(line)).id)).toEqual(["rich", "small"]);
    expect(JSON.parse((await run("export", "small", "--json", "-")).out)).toEqual([
      exampleCard({ id: "small", startedAt: "2025-12-01T00:00:00Z" }),
    ]);
    expect((await run("export", "--json", "-", "--name", "none")).out).toBe("[]\n");
  });

  test("without a format, to a folder that is not there, twice to standard output: refused", async () => {
    expect((await run("export")).err).toContain("--csv FILE");
    expect((await run("export", "--csv", "none/runs.csv")).err).toContain("no folder");
    expect((await run("export", "--csv", "-", "--json", "-")).code).toBe(2);
  });

  test("Parquet does not garble a terminal", async () => {
    const { code, err } = await godwit(["export", "--parquet", "-"], { cwd, isTTY: true });
    expect(code).toBe(2);
    expect(err).toContain("--parquet runs.parquet");
  });
});

describe("godwit rm", () => {
  test("--yes removes runs with their samples", async () => {
    createSegment(folder, "small").close();
    const { out, code } = await run("rm", "small", "--yes");
    expect({ out, code }).toEqual({ out: "small\n", code: 0 });
    expect(existsSync(segmentPath(folder, "small"))).toBe(false);
    expect((await run("show", "small")).code).toBe(2);
  });

  test("asks nobody when there is no terminal, and removes nothing", async () => {
    const { code, err } = await run("rm", "small");
    expect(code).toBe(2);
    expect(err).toContain("--yes");
    expect((await run("show", "small")).code).toBe(0);
  });

  test.each([
    ["y", true],
    ["Yes ", true],
    ["", false],
    ["no", false],
    ["yesterday", false],
  ])("on a terminal asks, and %j is an answer", async (answer, isRemoved) => {
    const { context } = createSession({ cwd, isTTY: true });
    const questions: string[] = [];
    const command = rmCommand(context, async (question) => {
      questions.push(question);
      return answer;
    });
    await command.parseAsync(["small"], { from: "user" });
    expect(questions).toEqual(["Remove run small and its samples? [y/N] "]);
    expect((await run("show", "small")).code).toBe(isRemoved ? 2 : 0);
  });

  test("one mistyped run among several removes none", async () => {
    expect((await run("rm", "small", "smal-l", "--yes")).code).toBe(2);
    expect((await run("show", "small")).code).toBe(0);
  });
});

describe("a run that was killed", () => {
  const start = startRecord({
    id: "crashed",
    // Long ago: it is over, whichever machine's it was.
    startedAt: "2025-12-31T00:00:00.000Z",
    subject: { kind: "command", name: "python crash.py", tags: {} },
    pid: 999_999_999,
    pidStart: "1",
    sensors: [],
  });
  const tick = (t: number) => ({ type: "tick", t, values: [], busyS: t, subjectS: t, rss: 1 });

  test("appears as interrupted, up to its last whole sample, and only once", async () => {
    const segment = createSegment(folder, "crashed");
    for (const record of [start, tick(0), tick(1), tick(2)]) segment.append(record);
    appendFileSync(segment.path, '{"type":"tick","t":3,"val');
    for (const _ of ["first time", "second time"]) {
      const { runs } = JSON.parse((await run("runs", "--json")).out);
      expect(runs).toHaveLength(3);
      expect(runs.find(({ id }: { id: string }) => id === "crashed")).toMatchObject({
        name: "python crash.py",
        status: "interrupted",
        duration_s: 2,
        energy_j: null,
      });
    }
  });

  test("before anything else was kept is found without a ledger", async () => {
    rmSync(join(folder, "ledger.db"));
    createSegment(folder, "crashed").append(start);
    expect((await run("show", "crashed")).out).toContain("interrupted");
  });

  test("with samples that cannot be read is said, and can be removed", async () => {
    writeFileSync(createSegment(folder, "broken").path, "not a record\n");
    const { code, out, err } = await run("runs");
    expect(code).toBe(0);
    expect(out).toContain("rich");
    expect(err).toContain("The samples of run broken cannot be read back");
    expect((await run("rm", "broken", "--yes")).code).toBe(0);
    expect((await run("runs")).err).not.toContain("broken");
  });
});
