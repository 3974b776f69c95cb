import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { evaluate } from "../../../test/formula.ts";
import { MACHINE, steadyRun } from "../../../test/run-records.ts";
import { parseCard } from "../../core/card.ts";
import { exact, type Unit } from "../../core/index.ts";
import { assemble } from "./assemble.ts";
import type { FootprintFactors } from "./footprint.ts";
import { machineFactors } from "./footprint-factors.ts";

const origin = { method: "declared", source: "a test" } as const;
const of = <U extends Unit>(unit: U, value: number) => exact(unit, value, origin);

const YEAR_S = 365 * 24 * 3600;

const factors: FootprintFactors = {
  water: { wue: of("L/kWh", 2), ewif: of("L/kWh", 3) },
  embodied: { total: of("gCO2e", 1_000_000), life: of("s", 4 * YEAR_S) },
  price: { currency: "EUR", rate: of("money/kWh", 0.3) },
  carbonPrice: { currency: "EUR", rate: of("money/tCO2e", 80) },
};

// A steady run of ten seconds: 375 J attributed, 0.0375 g at 360 g/kWh (assemble.test.ts).
describe("the footprint of a steady run", () => {
  const card = assemble(steadyRun({ footprint: factors, idleShare: of("1", 1) }));
  const { measures } = card;

  test("water is E_IT x (WUE + PUE x EWIF), and PUE is not in the first term", () => {
    expect(measures.water?.value).toBeCloseTo((375 * (2 + 3)) / 3.6e6, 12);
    const cooled = assemble(steadyRun({ footprint: factors, pue: of("1", 1.5) })).measures.water;
    expect(cooled?.value).toBeCloseTo((375 * (2 + 1.5 * 3)) / 3.6e6, 12);
  });

  test("making is shared out by reserved time and part, not by use", () => {
    expect(measures.embodied?.value).toBeCloseTo((1e6 * 10) / (4 * YEAR_S), 9);
    const quarter = assemble(steadyRun({ footprint: factors, idleShare: of("1", 0.25) }));
    expect(quarter.measures.embodied?.value).toBeCloseTo((0.25 * 1e6 * 10) / (4 * YEAR_S), 9);
  });

  test("costs are those of the facility's energy and of the emissions", () => {
    expect(measures.cost?.electricity?.amount.value).toBeCloseTo((375 / 3.6e6) * 0.3, 12);
    expect(measures.cost?.carbon?.amount.value).toBeCloseTo((0.0375 / 1e6) * 80, 12);
    expect(measures.cost?.electricity?.currency).toBe("EUR");
  });

  test("each has a step that can be worked out again, and the card keeps to its schema", () => {
    const own = card.steps.filter(({ name }) => /^(water|embodied|cost)/.test(name));
    expect(own.map(({ name }) => name)).toEqual([
      "water",
      "embodied emissions",
      "cost of electricity, EUR",
      "cost of carbon, EUR",
    ]);
    for (const { formula, inputs, result } of own) {
      const values = Object.entries(inputs).map(([key, input]) => [key, input.value] as const);
      expect(evaluate(formula, Object.fromEntries(values))).toBeCloseTo(result.value, 12);
    }
    expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
  });

  test("what no factor is known of is absent, never zero", () => {
    const bare = assemble(steadyRun()).measures;
    expect([bare.water, bare.embodied, bare.cost]).toEqual([undefined, undefined, undefined]);
  });
});

describe("factors of a machine", () => {
  const host = createFakeHost();
  const of = (change: object) =>
    machineFactors(host, {
      machine: MACHINE,
      personal: false,
      guest: false,
      zone: "US-TX",
      ...change,
    });

  test("outside a data centre no water is evaporated, but the grid's is used", async () => {
    const { water, embodied } = await of({ personal: true });
    expect([water?.wue.value, water?.ewif.value]).toEqual([0, 1.287]);
    // Nobody has a model of a personal computer here: absent rather than a server's.
    expect(embodied).toBeUndefined();
  });

  test("a data centre that publishes nothing gets a wide interval and the reason", async () => {
    const { water } = await of({});
    expect(water?.wue).toMatchObject({ value: 0.55, low: 0, high: 1.9 });
    expect(water?.wue.fallbacks[0]).toContain("not known");
  });

  test("a guest carries its threads' part of a typical host, and says so", async () => {
    const machine = { ...MACHINE, cpu: { ...MACHINE.cpu, threads: 12 } };
    const { embodied } = await of({ guest: true, machine });
    // 1,000 + 100 + 533/384 x (384 - 16) kg for 96 threads, an eighth of it.
    expect(embodied?.total.value).toBeCloseTo((1100 + (533 / 384) * 368) * 125, 3);
    expect(embodied?.total.fallbacks[0]).toContain("guest");
  });
});
