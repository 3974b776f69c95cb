import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import type { Card } from "../core/card.ts";
import { scaled } from "../core/index.ts";
import { openLedger } from "../ledger/index.ts";

/** A card whose energies and emissions are a multiple of the example's. */
function run(id: string, name: string, factor: number, changes: Partial<Card> = {}): Card {
  const example = exampleCard();
  const { energy, emissions } = example.measures;
  if (energy === undefined || emissions === undefined) throw new Error("the example has both");
  const { gross, net, attributed } = energy;
  return exampleCard({
    id,
    subject: { kind: "command", name, tags: {} },
    measures: {
      ...example.measures,
      energy: {
        gross: scaled(gross, factor),
        ...(net === undefined ? {} : { net: scaled(net, factor) }),
        ...(attributed === undefined ? {} : { attributed: scaled(attributed, factor) }),
      },
      emissions: scaled(emissions, factor),
    },
    ...changes,
  });
}

let cwd = "";
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-compare-"));
  const ledger = await openLedger(join(cwd, ".godwit"));
  for (const [at, factor] of [1, 1.02, 0.98].entries()) {
    await ledger.put(run(`before-${at}`, "before", factor));
    await ledger.put(run(`after-${at}`, "after, tuned", factor * 0.8));
  }
  await ledger.put(run("before-cut", "before", 0.1, { status: "interrupted" }));
  const { boundary } = exampleCard();
  await ledger.put(run("wall", "wall", 1, { boundary: { ...boundary, scope: "facility" } }));
  ledger.close();
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const compare = (...args: string[]): Promise<Answer> => godwit(["compare", ...args], { cwd });

describe("godwit compare", () => {
  test("names stand for all complete runs, and a name may hold a comma", async () => {
    const { out, code } = await compare("before", "after, tuned", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: "godwit.comparison/1",
      baseline: ["before-0", "before-1", "before-2"],
      candidate: ["after-0", "after-1", "after-2"],
      headline: "energy_attributed",
      verdict: "better",
    });
  });

  test("commas separate runs", async () => {
    const { out } = await compare("before-0,before-1", "after-0, after-1,after-0", "--json");
    expect(JSON.parse(out)).toMatchObject({
      baseline: ["before-0", "before-1"],
      candidate: ["after-0", "after-1"],
    });
  });

  test("says the verdict first, leaves equal rows out, states the test, fits 80 columns", async () => {
    const { out } = await compare("before", "after, tuned");
    expect(out).toMatch(/^better: energy, attributed -20 % \(-23 to -17\)\n/);
    expect(out).toContain("Welch");
    expect(out).not.toContain("running time");
    expect(out).toContain("left out; --all shows them");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect((await compare("before", "after, tuned", "--all")).out).toContain("running time");
  });

  test("one run each admits what it assumes", async () => {
    const { out } = await compare("before-0", "after-0");
    expect(out).toMatch(/^within noise: energy, attributed -20 %/);
    expect(out).toContain("5 % from run to run is assumed");
  });

  test("unlike boundaries are refused in words, with exit code 0: it is an answer", async () => {
    const { out, code } = await compare("before-0", "wall");
    expect(code).toBe(0);
    expect(out).toMatch(/^not comparable: energy, attributed, unlike boundaries/);
    expect(out).toContain("wall against facility");
  });

  test("a run on both sides is refused, with a way out", async () => {
    const { code, err } = await compare("before", "before");
    expect(code).toBe(2);
    expect(err).toContain("before~0 is the latest alone");
  });

  test("NAME~0 against NAME~1 compares two runs of one name", async () => {
    expect((await compare("before~1", "before~2")).code).toBe(0);
  });

  test("an unknown run is named", async () => {
    expect((await compare("before", "none-such")).err).toContain("no run none-such");
  });
});
