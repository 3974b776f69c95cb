import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../test/fake-host.ts";
import { poorCard, richCard } from "../../test/sample-card.ts";
import { exact } from "../core/index.ts";
import {
  equivalentRange,
  equivalentsOf,
  equivalentText,
  loadEveryday,
  parseEveryday,
} from "./equivalents.ts";

const everyday = await loadEveryday(createFakeHost());
const thing = (id: string) => everyday.filter((entry) => entry.id === id);

/** The rich card with other energy and emissions. */
function cardOf(joules: number, grams: number) {
  const { measures, boundary } = richCard();
  const origin = { method: "measured", source: "test" } as const;
  return richCard({
    boundary: { ...boundary, headline: "gross" },
    measures: {
      ...measures,
      energy: { gross: exact("J", joules, origin) },
      emissions: exact("gCO2e", grams, origin),
    },
  });
}

describe("equivalents", () => {
  // Green Algorithms v3, data/latest/referenceValues.csv: 917 gCO2 a tree-month, 11 kg a tree-year.
  test("11 kg of emissions are twelve tree-months", () => {
    const [tree] = equivalentsOf(cardOf(1, 11_000), thing("tree-month"));
    expect(tree?.count.value).toBeCloseTo(12, 1);
  });

  // European Environment Agency, CO2 performance of new passenger cars: 108.1 g/km in 2022.
  test("108.1 g are one kilometre by car, less by an older car", () => {
    const [car] = equivalentsOf(cardOf(1, 108.1), thing("car-km"));
    expect(car?.count.value).toBeCloseTo(1, 10);
    expect(car?.count.low).toBeCloseTo(108.1 / 175, 10);
  });

  // US EPA, Greenhouse Gas Equivalencies Calculator (2024): 0.019 kWh a charge.
  test("one kWh charges a smartphone 53 times", () => {
    const [phone] = equivalentsOf(cardOf(3.6e6, 1), thing("smartphone-charge"));
    expect(phone && equivalentText(phone)).toBe("53 smartphone charges");
    expect(phone && equivalentRange(phone)).toBe("53 to 83");
  });

  // IAPWS-95: 419.1 - 83.9 kJ/kg from 20 to 100 degrees C at 0.998 kg/L; no kettle needs less.
  test("no kettle boils a litre with less than the heat of the water", () => {
    const [kettle] = thing("kettle-boil");
    expect(kettle?.amount.low).toBeGreaterThanOrEqual(Math.round((419.1 - 83.9) * 0.998) * 1000);
    expect(kettle?.amount.value).toBeCloseTo(Math.sqrt(335 * 419) * 1000, -3);
  });

  test("are estimates, whatever they come from, and carry source and year", () => {
    for (const { count, thing: what } of equivalentsOf(cardOf(3.6e6, 500), everyday)) {
      expect(count.method).toBe("estimated");
      expect(count.source).toContain(String(what.year));
    }
  });

  test("say nothing about next to nothing", () => {
    expect(equivalentsOf(cardOf(1, 0.001), everyday)).toEqual([]);
    expect(equivalentsOf(poorCard(), everyday)).toEqual([]);
  });

  test("never show more than two digits", () => {
    const texts = equivalentsOf(cardOf(123_456_789, 98_765), everyday).map(equivalentText);
    expect(texts).toEqual([
      "910 km by car",
      "1800 smartphone charges",
      "330 litres boiled in a kettle",
      "110 tree-months",
    ]);
  });

  test("a table with an unknown unit is refused by name", () => {
    const csv = "id,unit,value,low,high,one,many,per,year,source\nx,kg,1,1,1,a,b,c,2020,s\n";
    expect(() => parseEveryday(csv)).toThrow("x: unit kg");
  });
});
