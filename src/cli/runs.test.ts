import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import { startRecord } from "../../test/run-records.ts";
import type { Card } from "../core/card.ts";
import { createSegment, openLedger } from "../ledger/index.ts";
import { parseSince } from "./runs.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-runs-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function keep(...cards: readonly Card[]): Promise<void> {
  const ledger = await openLedger(join(cwd, ".godwit"));
  for (const card of cards) await ledger.put(card);
  ledger.close();
}

// The fake host's clock stands at 2026-01-01T00:00:00Z.
const ago = (id: string, name: string, minutes: number, changes: Partial<Card> = {}): Card =>
  exampleCard({
    id,
    subject: { kind: "command", name, tags: {} },
    startedAt: new Date(Date.UTC(2026, 0, 1) - minutes * 60_000).toISOString(),
    ...changes,
  });

describe("godwit runs", () => {
  test("lists runs newest first, marks what is not measured, fits 80 columns", async () => {
    await keep(
      ago("1k9x3f2ab-m4x7cd", `python train.py ${"--very-long ".repeat(9)}`, 200),
      ago("1k9x3f2ac-8yq2w1", "test", 5, { status: "interrupted" }),
    );
    const { out, err, code } = await godwit(["runs"], { cwd });
    const lines = out.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines.map((line) => line.slice(0, 6))).toEqual(["RUN   ", "8yq2w1", "m4x7cd"]);
    expect(lines[1]).toMatch(/test +5 min ago +1 min +~4\.50 kJ +~475 mgCO2e +interrupted$/);
    expect(lines[2]).toMatch(/python.*\.\.\. +3 h ago .* ok$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(err).toContain("~ estimated");
  });

  test("an id whose short half is shared is shown whole", async () => {
    await keep(ago("1k9x3f2ab-aaaaaa", "a", 1), ago("1k9x3f2ac-aaaaaa", "b", 2));
    const { out } = await godwit(["runs"], { cwd });
    expect(out).toContain("1k9x3f2ab-aaaaaa");
    expect(out).toContain("1k9x3f2ac-aaaaaa");
  });

  test("a name cannot write to the terminal", async () => {
    await keep(ago("a", "evil\u001b[2Jname\nsecond", 1));
    const { out } = await godwit(["runs"], { cwd });
    expect(out).not.toContain("\u001b");
    expect(out.trimEnd().split("\n")).toHaveLength(2);
  });

  test("filters, limits, and says when there is more", async () => {
    await keep(
      ago("a", "train", 1, { subject: { kind: "command", name: "train", tags: { seed: "1" } } }),
      ago("b", "train", 2),
      ago("c", "test", 3000, { status: "failed" }),
    );
    const ids = async (...args: string[]): Promise<string[]> =>
      JSON.parse((await godwit(["runs", "--json", ...args], { cwd })).out).runs.map(
        ({ id }: { id: string }) => id,
      );
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(await ids("--name", "TRA")).toEqual(["a", "b"]);
    expect(await ids("--tag", "seed=1")).toEqual(["a"]);
    expect(await ids("--since", "1d")).toEqual(["a", "b"]);
    expect(await ids("--since", "2025-12-31T23:58:30Z")).toEqual(["a"]);
    expect(await ids("--status", "failed")).toEqual(["c"]);
    expect(await ids("--limit", "0")).toEqual(["a", "b", "c"]);
    const { out, err } = await godwit(["runs", "--limit", "2"], { cwd });
    expect(out.trimEnd().split("\n")).toHaveLength(3);
    expect(err).toContain("--limit 0 shows all");
  });

  test("a run that still goes on has no line yet, but is counted", async () => {
    await keep(ago("a", "train", 1));
    // Samples that do not say who writes them cannot be told from those of a run under way.
    createSegment(join(cwd, ".godwit"), "running").append(
      startRecord({ id: "running", pidStart: null }),
    );
    const { out, err } = await godwit(["runs"], { cwd });
    expect(out).not.toContain("running");
    expect(err).toContain("Under way: 1");
  });

  test("--json has units in its names and null for what is unknown", async () => {
    const { emissions: _, ...measures } = exampleCard().measures;
    await keep(ago("a", "train", 1, { measures }));
    const { out, err } = await godwit(["runs", "--json"], { cwd });
    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual({
      schema: "godwit.runs/1",
      ledger: join(cwd, ".godwit"),
      runs: [
        {
          id: "a",
          name: "train",
          kind: "command",
          status: "complete",
          machine: "abc123",
          started_at: "2025-12-31T23:59:00.000Z",
          duration_s: 60,
          energy_j: 4500,
          energy_method: "estimated",
          emissions_gco2e: null,
          emissions_method: null,
        },
      ],
    });
  });

  test("a project without runs is told how to begin, and nothing is made", async () => {
    writeFileSync(join(cwd, "package.json"), "{}");
    const { out, err, code } = await godwit(["runs"], { cwd });
    expect({ out, code }).toEqual({ out: "", code: 0 });
    expect(err).toContain("godwit run -- COMMAND");
    const json = await godwit(["runs", "--json"], { cwd });
    expect(JSON.parse(json.out).runs).toEqual([]);
    expect(() => rmSync(join(cwd, ".godwit"))).toThrow("ENOENT");
  });

  test.each([
    ["does not exist", () => {}, /there is no ledger/],
    ["is a file", () => writeFileSync(join(cwd, "kept"), "x"), /is a file, not a folder/],
    [
      "holds a damaged ledger",
      () => {
        mkdirSync(join(cwd, "kept"));
        writeFileSync(join(cwd, "kept/ledger.db"), "not a database at all ".repeat(99));
      },
      /is damaged/,
    ],
  ])("a ledger that somebody named and that %s is an error", async (_, prepare, message) => {
    prepare();
    for (const how of [
      { args: ["runs", "--ledger", "kept"], env: {} },
      { args: ["runs"], env: { GODWIT_LEDGER: "kept" } },
    ]) {
      const { code, err, out } = await godwit(how.args, { cwd, env: how.env });
      expect(code).toBe(1);
      expect(out).toBe("");
      expect(err).toMatch(message);
      expect(err).toMatch(/fix {2}\S/);
    }
  });

  test.each([
    [["--sinse", "1d"], "--since"],
    [["--since", "yesterday"], "2026-01-31"],
    [["--since", "2026-13-99"], "2026-01-31"],
    [["--limit", "-1"], "--limit"],
    [["--limit", "2.5"], "--limit"],
    [["--tag", "novalue"], "key=value"],
    [["--status", "done"], "interrupted"],
  ])("%j is wrong usage and says what would be right", async (args, said) => {
    const { code, err } = await godwit(["runs", ...args], { cwd });
    expect(code).toBe(2);
    expect(err).toContain(said);
  });
});

test("a time ago and a date are instants", () => {
  expect(parseSince("90s", 1_000_000)).toBe(910_000);
  expect(parseSince("1.5h", 10_000_000)).toBe(4_600_000);
  expect(parseSince("2026-01-31", 0)).toBe(Date.UTC(2026, 0, 31));
});
