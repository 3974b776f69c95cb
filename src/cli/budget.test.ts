// Budgets on a real ledger in a temporary project.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import type { Card } from "../core/card.ts";
import { exact } from "../core/index.ts";
import { openLedger } from "../ledger/index.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-budget-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Answer> => godwit(args, { cwd });
const file = (name: string, content: unknown): void =>
  writeFileSync(join(cwd, name), JSON.stringify(content));

function card(id: string, joules: number, minute: number): Card {
  const { measures } = exampleCard();
  const gross = exact("J", joules, { method: "measured", source: "RAPL" });
  return exampleCard({
    id,
    subject: { kind: "inference", name: "infer", tags: {} },
    startedAt: `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`,
    measures: { ...measures, energy: { gross } },
    boundary: { headline: "gross", scope: "component", idlePolicy: "all" },
  });
}

async function keep(...cards: readonly Card[]): Promise<void> {
  const ledger = await openLedger(join(cwd, ".godwit"));
  for (const one of cards) await ledger.put(one);
  ledger.close();
}

const budgetOf = (changes: object) => ({
  schema: "godwit.budget/1",
  budgets: [
    { name: "energy", runs: { name: "infer" }, metric: "energy_j", repeats: 3, ...changes },
  ],
});
const newer = [card("d", 99, 4), card("e", 100, 5), card("f", 101, 6)];
const older = [card("a", 79, 1), card("b", 80, 2), card("c", 81, 3)];

describe("godwit budget check", () => {
  test("judges the newest runs, writes every report, and ends with 4 when exceeded", async () => {
    await keep(...older, ...newer);
    file("godwit.budget.json", budgetOf({ limit: 90 }));
    const answer = await run("budget", "check", "--junit", "j.xml", "--markdown", "m.md");
    expect(answer.code).toBe(4);
    expect(answer.out).toContain("exceeded");
    expect(readFileSync(join(cwd, "j.xml"), "utf8")).toContain('failures="1"');
    expect(readFileSync(join(cwd, "m.md"), "utf8")).toContain("✖ exceeded");
  });

  test("a base of the same name is the runs before", async () => {
    await keep(...older, ...newer);
    file("b.json", budgetOf({ base: { name: "infer" }, tolerance: 0.1 }));
    const { code, out } = await run("budget", "check", "b.json", "--json");
    expect(code).toBe(4);
    const { schema, results } = JSON.parse(out);
    expect(schema).toBe("godwit.budget-check/1");
    expect(results[0]).toMatchObject({ runs: ["f", "e", "d"], baseRuns: ["c", "b", "a"] });
    expect(results[0].ratio.value).toBeCloseTo(1.25, 2);
  });

  test("a base may be a file that another branch exported", async () => {
    await keep(...older);
    await run("export", "--ndjson", "base.ndjson");
    await run("export", "--json", "base.json");
    await run("rm", "a", "b", "c", "--yes");
    await keep(...newer);
    for (const base of ["base.json", "base.ndjson"]) {
      file("b.json", budgetOf({ base: { file: base }, tolerance: 0.3 }));
      expect((await run("budget", "check", "b.json")).code).toBe(0);
    }
    writeFileSync(join(cwd, "base.json"), "[{}]");
    file("b.json", budgetOf({ base: { file: "base.json" }, tolerance: 0.3 }));
    expect((await run("budget", "check", "b.json")).err).toContain("base.json: not a card");
  });

  test("inconclusive passes and is said, unless --strict; missing never passes", async () => {
    await keep(...newer.slice(0, 2));
    file("godwit.budget.json", budgetOf({ limit: 1000 }));
    const loose = await run("budget", "check");
    expect(loose.code).toBe(0);
    expect(loose.out).toContain("2 of 3 runs are there");
    expect((await run("budget", "check", "--strict")).code).toBe(1);
    file("godwit.budget.json", budgetOf({ limit: 1000, runs: { name: "renamed" } }));
    expect((await run("budget", "check")).code).toBe(1);
  });

  test("a file that is absent, wrong, or an option that is not there: wrong usage", async () => {
    await keep(card("a", 1, 1));
    expect((await run("budget", "check")).err).toContain("budget init writes");
    file("godwit.budget.json", { schema: "godwit.budget/1", budgets: [] });
    expect((await run("budget", "check")).code).toBe(2);
    expect((await run("budget", "check", "--strcit")).err).toContain("--strict");
  });
});

describe("godwit budget init", () => {
  test("writes a budget that is kept, and does not replace one", async () => {
    await keep(...newer);
    expect((await run("budget", "init", "--runs", "infer")).code).toBe(0);
    const written = JSON.parse(readFileSync(join(cwd, "godwit.budget.json"), "utf8"));
    expect(written.budgets[0]).toMatchObject({ metric: "energy_j", limit: 111, repeats: 5 });
    expect((await run("budget", "init")).err).toContain("--force");
    expect((await run("budget", "init", "--force")).code).toBe(0);
    await keep(card("g", 100, 7), card("h", 100, 8));
    expect((await run("budget", "check", "--strict")).code).toBe(0);
  });
});
