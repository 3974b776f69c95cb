// Published worked examples and disclosures. Where a published example contradicts itself, the test says
// what was printed and what its own numbers give.

import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../../test/fake-host.ts";
import {
  exact,
  type Figure,
  kilowattHours,
  parseCsvTable,
  seconds,
  type Unit,
} from "../../../core/index.ts";
import { intensity } from "../intensity.ts";
import { carbonCost, electricityCost, sumMoney } from "./cost.ts";
import { embodiedShare, SERVER_LIFE, serverByBuild, serverByParts, years } from "./embodied.ts";
import { gpuServerResources, primaryEnergy } from "./resources.ts";
import { sci, sciForAi } from "./sci.ts";
import { gridWater, waterOf } from "./water.ts";

const origin = { method: "declared", source: "as published" } as const;
const of = <U extends Unit>(unit: U, value: number): Figure<U> => exact(unit, value, origin);
const kwh = (value: number) => of("J", kilowattHours(value));
const kg = (value: number) => of("gCO2e", value * 1000);
const located = { kind: "average", basis: "location", scope: "direct" } as const;
const host = createFakeHost();

describe("water", () => {
  // Li et al. 2025, Table 1: training GPT-3 took 1,287 MWh; millions of litres on site, off site, in all.
  // (The paper takes the 1,287 MWh as machine energy. Patterson et al. 2021, whose figure it is, had
  // already multiplied it by a PUE of 1.10: with the machines' 1,170 MWh all figures are a tenth less.)
  test.each([
    ["US", 0.708, 4.731, 5.439],
    ["US-AZ", 2.098, 7.531, 9.629],
    ["US-GA", 0.077, 3.328, 3.406],
    ["US-IL", 0.952, 3.88, 4.832],
    ["US-IA", 0.18, 4.634, 4.814],
    ["US-TX", 0.322, 2.12, 2.442],
    ["US-VA", 0.18, 3.499, 3.679],
    ["US-WY", 0.167, 3.677, 3.845],
    ["IN", 0, 6.34, 6.34],
    ["ID", 2.445, 3.858, 6.304],
    ["IE", 0.026, 2.26, 2.286],
    ["NL", 0.077, 5.054, 5.131],
    ["SE", 0.116, 8.986, 9.101],
  ])("of training GPT-3 in %s", async (place, onSite, offSite, total) => {
    const rows = parseCsvTable(await host.readData("water/grid.csv"));
    const row = rows.find((one) => one["place"] === place) ?? {};
    const water = waterOf({
      machines: kwh(1_287_000),
      wue: of("L/kWh", Number(row["wue_l_per_kwh"])),
      pue: of("1", Number(row["pue"])),
      ewif: of("L/kWh", Number(row["ewif_l_per_kwh"])),
    });
    expect(Math.abs(water.onSite.value / 1e6 - onSite)).toBeLessThan(0.0011);
    expect(Math.abs(water.offSite.value / 1e6 - offSite)).toBeLessThan(0.0011);
    expect(Math.abs(water.total.value / 1e6 - total)).toBeLessThan(0.0021);
  });
  test("PUE multiplies the grid's water alone", () => {
    const inputs = { machines: kwh(100), wue: of("L/kWh", 2), ewif: of("L/kWh", 3) };
    const at = (pue: number) => waterOf({ ...inputs, pue: of("1", pue) });
    expect(at(1).onSite.value).toBe(at(2).onSite.value);
    expect(at(2).offSite.value).toBe(2 * at(1).offSite.value);
  });
  test("a grid that nobody assessed gets the spread of all, and says so", async () => {
    const known = await gridWater(host, "US-TX");
    const unknown = await gridWater(host, "FR");
    expect(known.value).toBe(1.287);
    expect([unknown.low, unknown.value, unknown.high].join()).toBe("1.287,3.142,9.501");
    expect(unknown.fallbacks[0]).toContain("FR");
  });
});

describe("embodied emissions", () => {
  test("of training BLOOM, as its authors share them out", () => {
    // Luccioni, Viguier and Ligozat, JMLR 24 (2023), section 4.1: 1,082,990 GPU hours on servers of 8;
    // a server is 2,500 kg, a GPU 150 kg; 6 years in service at 85 %: 7.57 t + 3.64 t = 11.2 t.
    const life = of("s", years(6) * 0.85);
    const hours = (count: number) => seconds(count * 3600);
    const servers = embodiedShare({
      total: kg(2500),
      time: hours(1_082_990 / 8),
      life,
      share: 1,
    });
    const gpus = embodiedShare({ total: kg(150), time: hours(1_082_990), life, share: 1 });
    // Printed cut off, not rounded: 7.575 t.
    expect(Math.abs(servers.value / 1e6 - 7.57)).toBeLessThan(0.01);
    expect(gpus.value / 1e6).toBeCloseTo(3.64, 2);
    expect((servers.value + gpus.value) / 1e6).toBeCloseTo(11.2, 1);
  });
  test("of a server by parts: two sockets and 256 GB are the 1,433.12 kg of a case study", () => {
    // Green Software Foundation, eShoppen case study (database server; from Cloud Carbon Footprint's
    // table): 100 + 1.388 x (256 - 16) + 1,000, the factor 533/384 rounded.
    expect(serverByParts({ sockets: 2, memoryGb: 256 }).value / 1000).toBeCloseTo(1433.12, 1);
    expect(serverByParts({ sockets: 1, memoryGb: 16 }).value).toBe(1_000_000);
    // Teads 2021: an SSD 100 kg, an HDD 50 kg (some tools have the two the other way round).
    const plain = serverByParts({ sockets: 1, memoryGb: 16 }).value;
    expect(serverByParts({ sockets: 1, memoryGb: 16, ssds: 1 }).value - plain).toBe(100_000);
    expect(serverByParts({ sockets: 1, memoryGb: 16, hdds: 1 }).value - plain).toBe(50_000);
  });
  test("of a server by areas and masses (UBA Texte 94/2021), term by term", () => {
    const build = {
      diesMm2: [600, 600],
      memoryGb: 512,
      memoryGbPerCm2: 1.25,
      memoryModules: 16,
      ssds: [{ gb: 960, gbPerCm2: 48 }],
      hdds: 2,
      powerSupplyKg: 5,
      enclosure: "rack",
    } as const;
    const cpus = 2 * (0.0197 * 600 + 9.14);
    const memory = 2.2 * (512 / 1.25) + 16 * 5.22;
    const storage = 2.2 * (960 / 48) + 6.34 + 2 * 31.11;
    const rest = 66.1 + 5 * 24.3 + 150 + 6.68;
    expect(serverByBuild(build).value / 1000).toBeCloseTo(cpus + memory + storage + rest, 9);
    const blade = serverByBuild({ ...build, enclosure: "blade" });
    // A blade and its sixteenth of 880 kg instead of 150 kg.
    expect((serverByBuild(build).value - blade.value) / 1000).toBeCloseTo(150 - 30.9 - 55, 9);
    expect(() => serverByBuild({ ...build, memoryGbPerCm2: 0 })).toThrow(/sizes/);
  });
  test("reserved and idle is reserved: time and share count, work does not", () => {
    const reserve = { total: kg(1000), life: SERVER_LIFE, time: years(1) };
    const whole = embodiedShare({ ...reserve, share: 1 });
    expect(whole.value / 1000).toBeCloseTo(250, 9);
    expect(embodiedShare({ ...reserve, share: 0.25 }).value).toBeCloseTo(whole.value / 4, 6);
    // 4 years may be 3 or 6: the shorter the life, the more a year carries.
    expect(whole.high / whole.value).toBeGreaterThan(1.3);
    expect(() => embodiedShare({ ...reserve, share: 1.5 })).toThrow(/share of 1.5/);
    expect(() => embodiedShare({ ...reserve, share: 1, life: of("s", 0) })).toThrow(/life of 0/);
  });
});

describe("operational disclosures", () => {
  test.each([
    // Luccioni et al. 2023, Table 3: BLOOM, 433,196 kWh at 57 g/kWh.
    ["BLOOM", 433_196, 57, 24.69],
    // Patterson et al. 2021 (arXiv:2104.10350), Table 4: GPT-3, 1,287 MWh (PUE included), 0.429 kg/kWh.
    ["GPT-3", 1_287_000, 429, 552.1],
  ])("of training %s", (_, energy, grams, tonnes) => {
    const { score } = sci({
      energy: kwh(energy),
      intensity: intensity(of("gCO2e/kWh", grams), located),
      embodied: kg(0),
      per: { name: "training", count: 1 },
    });
    expect(score.value / 1e6).toBeCloseTo(tonnes, 1);
  });
  test("GPT-3's energy follows from its machines: PUE once", () => {
    // Patterson et al. 2021, Table 4: 14.8 days x 10,000 V100 x 330 W x PUE 1.10 = 1,287 MWh.
    const machines = 14.8 * 24 * 10_000 * 0.33;
    expect((machines * 1.1) / 1000).toBeCloseTo(1289.4, 1);
    expect(Math.abs((machines * 1.1) / 1_287_000 - 1)).toBeLessThan(0.002);
  });
});

describe("software carbon intensity", () => {
  const india = intensity(of("gCO2e/kWh", 951), { ...located, kind: "marginal" });
  const hour = seconds(3600);
  const fourYears = of("s", 35_040 * 3600);

  // Green Software Foundation, eShoppen case study: R is 500 users over one hour.
  test("eShoppen's application server: 66.69 g", () => {
    const embodied = embodiedShare({
      total: kg(1205.52),
      time: hour,
      life: fourYears,
      share: 2 / 16,
    });
    // Printed 4.305 g, from 4.3005 g.
    expect(embodied.value).toBeCloseTo(4.3005, 3);
    const { score } = sci({
      energy: kwh(0.0656),
      intensity: india,
      embodied: of("gCO2e", 4.305),
      per: { name: "500 users in an hour", count: 1 },
    });
    expect(score.value).toBeCloseTo(66.6906, 4);
  });
  test("eShoppen's database server contradicts itself: its formula gives a tenth of its energy", () => {
    // Printed: E = (0.10 x 1 hour x 1 chip x 150 TDP x 0.32)/1000 = 0.048. It is 0.0048 kWh.
    expect((0.1 * 1 * 1 * 150 * 0.32) / 1000).toBeCloseTo(0.0048, 12);
    const score = (energy: number) =>
      sci({
        energy: kwh(energy),
        intensity: india,
        embodied: of("gCO2e", 5.112),
        per: { name: "500 users in an hour", count: 1 },
      }).score.value;
    // The printed total of 50.76 g follows from the printed energy, not from the printed formula.
    expect(score(0.048)).toBeCloseTo(50.76, 2);
    expect(score(0.0048)).toBeCloseTo(9.68, 2);
  });
  test("eShoppen's client contradicts itself: the memory's energy is eight times its formula", () => {
    // Printed: E = (1 hour x 1 chip x 12.16 x 0.12)/1000 = 0.01216. It is 0.001459 kWh.
    expect((12.16 * 0.12) / 1000).toBeCloseTo(0.001459, 6);
    expect((0.0036 + 0.01216) * 951 + 9.98).toBeCloseTo(24.97, 2);
  });
  test("a market-based intensity does not compile, and is refused", () => {
    const market = intensity(of("gCO2e/kWh", 0), { ...located, basis: "market" });
    const per = { name: "request", count: 1 };
    // @ts-expect-error certificates do not lower SCI
    expect(() => sci({ energy: kwh(1), intensity: market, embodied: kg(0), per })).toThrow(
      /no market-based/,
    );
  });
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("per %s units is no rate", (count) => {
    const per = { name: "request", count };
    expect(() => sci({ energy: kwh(1), intensity: india, embodied: kg(0), per })).toThrow(
      /no rate/,
    );
  });
});

describe("SCI for AI", () => {
  // Green Software Foundation, SCI for AI, section 9. Three of its four printed scores are off by 1,000.
  const runtime = (operational: number, embodied: number) =>
    [{ stage: "runtime", operational: kg(operational), embodied: kg(embodied) }] as const;
  const training = (operational: number, embodied: number) =>
    [{ stage: "training", operational: kg(operational), embodied: kg(embodied) }] as const;

  test("a consumer's tokens: 6,500 kg over 50 billion are 130 g a million, not the printed 0.13 g", () => {
    const { score } = sciForAi("consumer", runtime(5000, 1500), { name: "token", count: 50e9 });
    expect(score.value * 1e6).toBeCloseTo(130, 9);
  });
  test("a provider's FLOPs: 200 t over 5e22 are 4e-18 kg each as printed, so 4 kg per 1e18, not 4 g", () => {
    const { score } = sciForAi("provider", training(180_000, 20_000), {
      name: "FLOP",
      count: 5e22,
    });
    expect(score.value / 1000).toBeCloseTo(4e-18, 27);
    expect((score.value / 1000) * 1e18).toBeCloseTo(4, 9);
  });
  test("a consumer's inferences: 3,200 kg over 40 million are the printed 0.08 g", () => {
    const { score } = sciForAi("consumer", runtime(3200, 0), { name: "inference", count: 40e6 });
    expect(score.value).toBeCloseTo(0.08, 12);
  });
  test("a provider's parameters: 75 t over 2.5 billion are 30 t a billion, not the printed 30 kg", () => {
    const per = { name: "billion parameters", count: 2.5 };
    expect(sciForAi("provider", training(75_000, 0), per).score.value / 1e6).toBeCloseTo(30, 9);
  });
  test("stages are counted in one boundary only, and units are the specification's", () => {
    expect(() => sciForAi("consumer", training(1, 1), { name: "token", count: 1 })).toThrow(
      /training is not in the consumer's boundary/,
    );
    expect(() => sciForAi("provider", [], { name: "FLOP", count: 1 })).toThrow(/no stage/);
    expect(() => sciForAi("consumer", runtime(1, 1), { name: "smile", count: 1 })).toThrow(
      /no functional unit/,
    );
  });
});

describe("resources and costs", () => {
  test("primary energy by the directive's factor, and what making a GPU server depletes", () => {
    expect(primaryEnergy(kwh(10)).value).toBe(kilowattHours(19));
    expect(primaryEnergy(kwh(10)).low).toBeCloseTo(kilowattHours(10), 3);
    // EcoLogits 0.9: 0.37 kgSb and 5.1e-3 kgSb a GPU.
    expect(gpuServerResources(8).adpe.value).toBeCloseTo(370 + 8 * 5.1, 9);
    expect(gpuServerResources(8).primary.value).toBeCloseTo((70_000 + 8 * 1828) * 1e6, 0);
    expect(() => gpuServerResources(-1)).toThrow(/-1 GPUs/);
  });
  test("electricity and carbon at a price, in one currency", () => {
    const perKwh = { currency: "EUR", rate: of("money/kWh", 0.3) };
    const perTonne = { currency: "EUR", rate: of("money/tCO2e", 80) };
    const electricity = electricityCost(kwh(100), perKwh);
    const carbon = carbonCost(kg(500), perTonne);
    expect([electricity.amount.value, carbon.amount.value]).toEqual([30, 40]);
    expect(sumMoney([electricity, carbon])).toMatchObject({
      currency: "EUR",
      amount: { value: 70 },
    });
    const dollars = carbonCost(kg(1), { ...perTonne, currency: "USD" });
    expect(() => sumMoney([electricity, dollars])).toThrow(/EUR and USD/);
    expect(() => electricityCost(kwh(1), { ...perKwh, currency: "€" })).toThrow(/no currency/);
  });
});
