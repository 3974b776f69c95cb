// Yearly mean carbon intensity by country, from the shipped table (data/carbon-intensity, Ember).

import { type Host, parseCsvTable } from "../../core/index.ts";

export interface Country {
  /** ISO 3166-1 alpha-2, or `WORLD`. */
  readonly iso2: string;
  /** ISO 3166-1 alpha-3; empty for the world. */
  readonly iso3: string;
  readonly name: string;
  /** Life-cycle, average, location-based, gCO2e/kWh. */
  readonly intensity: number;
  readonly year: number;
}

export const COUNTRY_SOURCE = "Ember, Yearly Electricity Data (2025), life-cycle, CC BY 4.0";

/** All countries of the shipped table, the world's mean among them. */
export async function loadCountries(host: Host): Promise<readonly Country[]> {
  const rows = parseCsvTable(await host.readData("carbon-intensity/countries.csv"));
  return rows.map((row) => ({
    iso2: row["iso2"] ?? "",
    iso3: row["iso3"] ?? "",
    name: row["name"] ?? "",
    intensity: Number(row["gco2e_per_kwh"]),
    year: Number(row["year"]),
  }));
}

/** The country that a code (`DE`, `DEU`, any case) or an English name stands for. */
export function findCountry(countries: readonly Country[], place: string): Country | null {
  const wanted = place.trim().toLowerCase();
  const names = (country: Country) => [country.iso2, country.iso3, country.name];
  return (
    countries.find((country) => names(country).some((name) => name.toLowerCase() === wanted)) ??
    null
  );
}

/** Country of an IANA time zone; null for zones of no country, such as `UTC`. */
export async function countryOfTimeZone(host: Host, timeZone: string): Promise<string | null> {
  const rows = parseCsvTable(await host.readData("time-zones/zones.csv"));
  return rows.find((row) => row["time_zone"] === timeZone)?.["iso2"] ?? null;
}
