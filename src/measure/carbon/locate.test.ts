import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { loadCountries } from "./country-table.ts";
import { locate } from "./locate.ts";
import { pueOf } from "./pue.ts";

const inZone = (timeZone: string) => createFakeHost({ facts: { timeZone } });

describe("the shipped country table", () => {
  test("has at least 200 countries, each with a code, a value and a year", async () => {
    const countries = await loadCountries(createFakeHost());
    expect(countries.length).toBeGreaterThan(200);
    for (const { iso2, iso3, name, intensity, year } of countries) {
      expect(iso2, name).toMatch(/^([A-Z]{2}|WORLD)$/);
      expect(iso3, name).toMatch(/^([A-Z]{3}|)$/);
      expect(intensity, name).toBeGreaterThan(10);
      expect(intensity, name).toBeLessThan(1500);
      expect(year, name).toBeGreaterThanOrEqual(2022);
    }
    expect(new Set(countries.map(({ iso2 }) => iso2)).size).toBe(countries.length);
  });

  // Ember, Yearly Electricity Data (2025).
  test.each([
    ["FR", 44.18],
    ["DEU", 342.06],
    ["Poland", 614.98],
    ["united states", 383.55],
  ])("answers %s", async (place, intensity) => {
    const signal = await locate(createFakeHost(), { location: place });
    expect(signal.intensity.value).toBe(intensity);
    expect(signal).toMatchObject({ kind: "average", basis: "location", scope: "life-cycle" });
  });
});

describe("the ladder of locations", () => {
  test("an intensity that was given wins and is exact", async () => {
    const signal = await locate(inZone("Europe/Berlin"), { intensity: 55, location: "PL" });
    expect(signal.intensity).toMatchObject({ value: 55, low: 55, high: 55, method: "declared" });
  });
  test("a place that was given beats the time zone", async () => {
    const signal = await locate(inZone("Europe/Berlin"), { location: "NO", given: "--location" });
    expect(signal.zone).toBe("NO");
    expect(signal.rung).toBe("Norway, --location");
  });
  test("the time zone names a country, and says that this is a guess", async () => {
    const signal = await locate(inZone("Asia/Calcutta"));
    expect(signal.zone).toBe("IN");
    expect(signal.rung).toContain("guessed from time zone Asia/Calcutta");
  });
  test.each(["UTC", "Etc/GMT+3", "Nowhere/Land", ""])("%s invents no country", async (zone) => {
    const signal = await locate(inZone(zone));
    expect(signal.zone).toBe("WORLD");
    expect(signal.intensity).toMatchObject({ low: 20, high: 900 });
    expect(signal.rung).toContain("names no country");
  });
});

describe("what cannot be right is refused", () => {
  test.each([[-1], [Number.NaN], [5000]])("%s gCO2e/kWh", async (intensity) => {
    await expect(locate(createFakeHost(), { intensity })).rejects.toMatchObject({
      code: "invalid-input",
    });
  });
  test("kilograms are recognised and put right", async () => {
    await expect(locate(createFakeHost(), { intensity: 0.38 })).rejects.toMatchObject({
      message: expect.stringContaining("kg"),
      hint: expect.stringContaining("380"),
    });
  });
  test("a mistyped country gets a suggestion", async () => {
    await expect(locate(createFakeHost(), { location: "Germny" })).rejects.toMatchObject({
      hint: expect.stringContaining("Germany"),
    });
  });
  test.each([0.9, 0, -1, 6, Number.NaN])("a PUE of %s", (declared) => {
    expect(() => pueOf({ declared, personal: false })).toThrow(/PUE/);
  });
});

test("PUE is 1 at home, as declared elsewhere, else the surveyed mean with its reason", () => {
  expect(pueOf({ personal: true }).value).toBe(1);
  expect(pueOf({ declared: 1.12, personal: false })).toMatchObject({ value: 1.12, low: 1.12 });
  const unknown = pueOf({ personal: false });
  expect(unknown.value).toBe(1.56);
  expect(unknown.low).toBeLessThan(unknown.value);
  expect(unknown.fallbacks).toHaveLength(1);
});
