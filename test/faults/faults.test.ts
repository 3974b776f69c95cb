// Every fault that godwit is known to meet, injected into a whole simulated run whose true energy is known:
// it is refused, named as a gap, told in a notice, or covered by a wider interval. No figure may be
// wrong without a word, and no zero may stand for a fault.
//
// GODWIT_FAULT_TABLE=1 npx vitest run test/faults writes the table of docs/methods/faults.md anew.

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { powercap, ZONE } from "./counter-machines.ts";
import { judge, type Rig, type Verdict } from "./fault.ts";
import { FAULTS } from "./faults.ts";
import { CPU, secondsOf } from "./load.ts";
import { faultTables } from "./table.ts";

const verdicts = new Map<string, Verdict>();
const page = new URL("../../docs/methods/faults.md", import.meta.url);
const MARK = "<!-- test/faults -->";

describe.each(Object.entries(FAULTS))("faults of %s", (_, faults) => {
  test.each(faults.map((fault) => [fault.name, fault] as const))("%s", async (name, fault) => {
    const verdict = await judge(fault);
    verdicts.set(name, verdict);
    expect(verdict.silent).toEqual([]);
    expect([...verdict.signs]).toContain(fault.expect);
  });
});

describe("the judge", () => {
  const lying = (factor: number) => ({
    name: "a lie",
    on: powercap,
    expect: "unharmed" as const,
    why: "",
    inject: ({ host }: Rig) => {
      const path = `${ZONE}/energy_uj`;
      host.files.set(path, () => `${Math.round(factor * CPU(secondsOf(host)) * 1e6)}\n`);
    },
  });

  test("finds a wrong number that nothing on the card remarks upon", async () => {
    const { silent, covered } = await judge(lying(0.9));
    expect(covered).toBe(false);
    expect(silent.join()).toContain("cpu: ");
  });

  test("has nothing against a right one", async () => {
    expect((await judge(lying(1))).silent).toEqual([]);
  });

  test("finds a run that says nothing at all of what it did not measure", async () => {
    const verdict = await judge({
      ...lying(1),
      inject: (rig) => {
        rig.finish = async (meter) => ({ ...(await meter.stop()), components: [], notices: [] });
      },
    });
    expect(verdict.silent).toEqual(["cpu: no figure", "memory: no figure"]);
  });
});

test("there are at least sixty, each with a name of its own", () => {
  const names = Object.values(FAULTS).flatMap((faults) => faults.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});

test("the page has each of them with its outcome", () => {
  const text = readFileSync(page, "utf8");
  for (const { name, expect: outcome } of Object.values(FAULTS).flat()) {
    expect(text).toContain(`| ${name} | ${outcome} |`);
  }
});

afterAll(() => {
  if (process.env["GODWIT_FAULT_TABLE"] === undefined) return;
  const [head = ""] = readFileSync(page, "utf8").split(MARK);
  writeFileSync(page, `${head}${MARK}\n\n${faultTables(FAULTS, verdicts)}\n`);
});
