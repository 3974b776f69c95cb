import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { loadCountries } from "./country-table.ts";
import { locate } from "./locate.ts";
import { loadPlaces } from "./place-tables.ts";
import { findPlace } from "./places.ts";
import { providerPue, providerWue, pueOf } from "./pue.ts";

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

describe("places beyond countries", () => {
  test.each([
    // Green Algorithms 3: eGRID 2020, California.
    ["US-CA", "US-CA", 216.43, 2020, "direct"],
    ["california", "US-CA", 216.43, 2020, "direct"],
    // Google region-carbon-info, 2024.csv and 2021.csv.
    ["gcp:europe-west1", "gcp:europe-west1", 103.37, 2024, "direct"],
    ["europe-west1@2021", "gcp:europe-west1", 110, 2021, "direct"],
    ["gcp:europe-west1@2019", "gcp:europe-west1", 196, 2019, "life-cycle"],
    // Not an ISO code, and what most people write.
    ["UK", "GB", 215.79, 2024, "life-cycle"],
    // Ember 2025 for Ireland, where AWS's region lies.
    ["eu-west-1", "IE", 279.79, 2024, "life-cycle"],
    // Google's figure for Montreal stands for Quebec's grid, not Canada's mean.
    ["aws:ca-central-1", "gcp:northamerica-northeast1", 5.48, 2024, "direct"],
    ["WestEurope", "NL", 252.7, 2024, "life-cycle"],
  ])("%s is in %s", async (location, zone, intensity, year, scope) => {
    const signal = await locate(createFakeHost(), { location });
    expect(signal).toMatchObject({ zone, year, scope });
    expect(signal.intensity.value).toBe(intensity);
  });
  test("a country's mean that fits a region badly gets a wide interval and says why", async () => {
    const { intensity } = await locate(createFakeHost(), { location: "ca-west-1" });
    expect(intensity.fallbacks.join()).toContain("far from the mean of Canada");
    expect(intensity.high / intensity.value).toBeGreaterThan(3);
  });
  test("a name of two places is refused with both", async () => {
    await expect(locate(createFakeHost(), { location: "Georgia" })).rejects.toMatchObject({
      message: expect.stringMatching(/GE \(Georgia\) or US-GA/),
    });
  });
  test.each([
    ["eu-wset-1", "eu-west-1"],
    ["US-CX", "US-CA"],
    ["gcp:europe-wst1", "gcp:europe-west1"],
  ])("%s gets the suggestion %s", async (location, near) => {
    await expect(locate(createFakeHost(), { location })).rejects.toMatchObject({
      hint: expect.stringContaining(`Did you mean ${near}`),
    });
  });
  test("a country's code is not suggested for another's: all are a letter apart", async () => {
    await expect(locate(createFakeHost(), { location: "XQ" })).rejects.toMatchObject({
      hint: expect.stringMatching(/^Give a country/),
    });
  });
  test("a year without a figure is refused with the years that there are", async () => {
    await expect(locate(createFakeHost(), { location: "CISO@2030" })).rejects.toMatchObject({
      hint: expect.stringContaining("2019, 2020, 2021, 2022"),
    });
  });
  test("every id and alias leads back to its place, and no id is there twice", async () => {
    const places = await loadPlaces(createFakeHost());
    expect(places.length).toBeGreaterThan(400);
    expect(new Set(places.map(({ id }) => id)).size).toBe(places.length);
    for (const place of places) {
      expect(findPlace(places, place.id.toLowerCase()).id).toBe(place.id);
      for (const alias of place.aliases) expect(findPlace(places, alias).id).toBe(place.id);
      expect(place.intensity, place.id).toBeGreaterThan(1);
      expect(place.intensity, place.id).toBeLessThan(1500);
    }
  });
});

describe("the cloud region of this process", () => {
  const inLambda = { AWS_REGION: "eu-north-1", AWS_LAMBDA_FUNCTION_NAME: "train" };
  test("is taken from the environment that proves it, above the time zone", async () => {
    const signal = await locate(createFakeHost({ env: inLambda }));
    expect(signal.zone).toBe("SE");
    expect(signal.rung).toBe(
      "Stockholm (aws:eu-north-1), by AWS_REGION, with AWS_LAMBDA_FUNCTION_NAME",
    );
  });
  test("is not believed of a client's setting alone", async () => {
    const env = { AWS_REGION: "eu-north-1", AWS_DEFAULT_REGION: "eu-north-1" };
    const host = createFakeHost({ env, facts: { timeZone: "Asia/Kolkata" } });
    expect((await locate(host)).zone).toBe("IN");
  });
  test("is read from App Service's display name", async () => {
    const env = { REGION_NAME: "West Europe", WEBSITE_INSTANCE_ID: "1" };
    expect((await locate(createFakeHost({ env }))).zone).toBe("NL");
  });
  test("that no table knows is passed over, and said", async () => {
    const env = { ...inLambda, AWS_REGION: "mars-1" };
    const { intensity } = await locate(
      createFakeHost({ env, facts: { timeZone: "Asia/Kolkata" } }),
    );
    expect(intensity.fallbacks).toContain("cloud region aws:mars-1 is in no table");
  });
  test("the metadata service is not asked unless that was allowed", async () => {
    const asked: string[] = [];
    const http = (url: string) => {
      asked.push(url);
      const isGoogle = url.startsWith("http://metadata.google.internal/");
      const body = isGoogle ? "projects/12/zones/europe-west1-b" : "<html>sign in</html>";
      return { status: isGoogle ? 200 : 404, headers: {}, body };
    };
    expect((await locate(createFakeHost({ http }))).zone).toBe("WORLD");
    expect(asked).toEqual([]);
    const signal = await locate(createFakeHost({ http }), { metadata: true });
    expect(signal.zone).toBe("gcp:europe-west1");
    expect(signal.rung).toContain("metadata service of gcp");
  });
  test("on AWS a token is fetched first", async () => {
    const http = (url: string, headers: Readonly<Record<string, string>>) => {
      if (url.endsWith("/latest/api/token")) return { status: 200, headers: {}, body: "t0k3n==" };
      const isAllowed = headers["x-aws-ec2-metadata-token"] === "t0k3n==";
      const isRegion = url.endsWith("/placement/region") && isAllowed;
      return { status: isRegion ? 200 : 401, headers: {}, body: isRegion ? "eu-west-1" : "" };
    };
    const signal = await locate(createFakeHost({ http }), { metadata: true });
    expect(signal.zone).toBe("IE");
  });
  test("a captive portal is no metadata service", async () => {
    const http = () => ({ status: 200, headers: {}, body: "<html>Welcome, please sign in</html>" });
    const { zone, intensity } = await locate(createFakeHost({ http }), { metadata: true });
    expect(zone).toBe("WORLD");
    expect(intensity.fallbacks[0]).toContain("no metadata service answered");
  });
  test("a place that is in no table is told with where it was given", async () => {
    const given = { location: "Atlantis", given: "by GODWIT_LOCATION" };
    await expect(locate(createFakeHost(), given)).rejects.toThrow(
      'no carbon intensity is known for "Atlantis" (given by GODWIT_LOCATION)',
    );
    const config = { location: "Atlantis", given: "by godwit.config.json" };
    await expect(locate(createFakeHost(), { config })).rejects.toThrow("by godwit.config.json");
  });

  test("settings stand above the time zone and below what is proven", async () => {
    const config = { location: "US-WA", given: "by godwit.config.json" };
    expect((await locate(inZone("Europe/Berlin"), { config })).rung).toBe(
      "Washington, by godwit.config.json",
    );
    expect((await locate(createFakeHost({ env: inLambda }), { config })).zone).toBe("SE");
  });
});

describe("what cannot be right is refused", () => {
  test.each([[-1], [Number.NaN], [5000]])("%s gCO2e/kWh", async (intensity) => {
    const given = "by GODWIT_INTENSITY";
    await expect(locate(createFakeHost(), { intensity, given })).rejects.toMatchObject({
      code: "invalid-input",
      message: expect.stringContaining(given),
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

test("a provider's own PUE and WUE carry their year, the region's before the fleet's", async () => {
  const host = createFakeHost();
  const fleet = await providerPue(host, "gcp", "europe-west9");
  expect(fleet?.value).toBe(1.1);
  expect((await providerPue(host, "gcp", "europe-west1"))?.value).toBe(1.08);
  expect((await providerPue(host, "AWS"))?.source).toContain("2025");
  expect(fleet?.low).toBeGreaterThanOrEqual(1);
  expect(await providerWue(host, "azure")).toMatchObject({ value: 0.27, unit: "L/kWh" });
  expect(await providerWue(host, "ovhcloud")).toBeNull();
});
