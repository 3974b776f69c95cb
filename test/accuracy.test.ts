// The error tables of bench/accuracy: the scoring on numbers done by hand, and that the page shows what
// the rows give.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { accuracyTables, missingRows } from "../bench/accuracy/accuracy.ts";
import { scoreOf, type Table, tableText } from "../bench/accuracy/score.ts";
import { dataFile } from "./shared-data.ts";

const data = dataFile("");
const missing = missingRows(data);
if (missing !== null) console.log(`skipping the error tables: ${missing}`);

describe("a score", () => {
  test("is relative to the truth, and the bias keeps its sign", () => {
    const score = scoreOf([
      { truth: 100, estimate: 50 },
      { truth: 100, estimate: 110 },
    ]);
    expect(score.mape).toBeCloseTo(0.3, 12);
    expect(score.bias).toBeCloseTo(-0.2, 12);
    expect(score.coverage).toBeNull();
  });

  test("counts truths on the edge of an interval as inside", () => {
    const bounds = { low: 90, high: 110 };
    const score = scoreOf([
      { truth: 90, estimate: 100, ...bounds },
      { truth: 111, estimate: 100, ...bounds },
    ]);
    expect(score.coverage).toBe(0.5);
  });

  test("has no coverage when one estimate has no interval", () => {
    const score = scoreOf([
      { truth: 1, estimate: 1, low: 1, high: 1 },
      { truth: 1, estimate: 1 },
    ]);
    expect(score.coverage).toBeNull();
  });

  test("of nothing is refused", () => {
    expect(() => scoreOf([])).toThrow("nothing to score");
  });
});

test("missing rows are named", () => {
  expect(missingRows("/nowhere")).toContain("specpower/load_levels.csv.gz");
});

describe.skipIf(missing !== null)("the tables", () => {
  const tables = missing === null ? accuracyTables(data) : Promise.resolve<readonly Table[]>([]);

  test("are those of the page", async () => {
    const page = readFileSync(new URL("../docs/methods/accuracy.md", import.meta.url), "utf8");
    for (const table of await tables) expect(page).toContain(tableText(table));
  });

  test("have every tool in each, with a score or with the reason for none", async () => {
    const [first] = await tables;
    const names = first?.rows.map(({ name }) => name) ?? [];
    for (const table of await tables) {
      const tools = table.rows.filter(({ kind }) => kind === "tool" || kind === "silent");
      expect(tools).toHaveLength(18);
      for (const { name } of tools) expect(names).toContain(name);
    }
  });

  test("godwit is nearest on servers it has not seen, and its interval holds 85 to 95 % of them", async () => {
    const [heldOut, nextYear] = await tables;
    for (const table of [heldOut, nextYear]) {
      const scored = table?.rows.flatMap((row) => (row.kind === "silent" ? [] : [row])) ?? [];
      const others = scored.filter(({ kind }) => kind !== "godwit").map(({ score }) => score.mape);
      for (const { score } of scored.filter(({ kind }) => kind === "godwit")) {
        expect(score.mape).toBeLessThan(Math.min(...others));
        expect(score.coverage).toBeGreaterThan(0.85);
        expect(score.coverage).toBeLessThan(0.95);
      }
    }
  });
});
