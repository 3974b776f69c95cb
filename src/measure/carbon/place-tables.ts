// Every place whose carbon intensity is known: countries, US states, balancing areas and the regions of
// three clouds, from the shipped tables (data/carbon-intensity, data/cloud-regions), as one list.

import { type Host, parseCsvTable } from "../../core/index.ts";
import { COUNTRY_SOURCE, loadCountries } from "./country-table.ts";
import type { Place, PlaceYear } from "./places.ts";

const STATE_SOURCE = "US EPA eGRID 2020 by Green Algorithms 3, direct, CC BY 4.0";
const AREA_SOURCE = "US EIA-930 generation x CarbonCast life-cycle factors";
const GCP_SOURCE = "Google Cloud region-carbon-info, Apache-2.0";

/** Two countries have another code in the European Union's statistics, and one of them in speech. */
const EU_CODES: Readonly<Record<string, string>> = { GB: "UK", GR: "EL" };

/** All places, each id once. */
export async function loadPlaces(host: Host): Promise<readonly Place[]> {
  const [countries, states, areas, google] = await Promise.all([
    countryPlaces(host),
    statePlaces(host),
    areaPlaces(host),
    googlePlaces(host),
  ]);
  const grids = [...countries, ...states, ...areas, ...google];
  return [...grids, ...(await otherClouds(host, grids))];
}

async function countryPlaces(host: Host): Promise<readonly Place[]> {
  return (await loadCountries(host)).map(({ iso2, iso3, name, intensity, year }) => ({
    id: iso2,
    name,
    kind: "country",
    aliases: [iso3, EU_CODES[iso2] ?? ""].filter((code) => code !== ""),
    zone: iso2,
    source: COUNTRY_SOURCE,
    caveat: null,
    ...newest([{ intensity, scope: "life-cycle", year }]),
  }));
}

async function statePlaces(host: Host): Promise<readonly Place[]> {
  const rows = parseCsvTable(await host.readData("carbon-intensity/us-states.csv"));
  return rows.map(({ id = "", name = "", gco2e_per_kwh, year }) => ({
    id,
    name,
    kind: "state",
    aliases: [],
    zone: id,
    source: STATE_SOURCE,
    caveat: null,
    ...newest([{ intensity: Number(gco2e_per_kwh), scope: "direct", year: Number(year) }]),
  }));
}

async function areaPlaces(host: Host): Promise<readonly Place[]> {
  const rows = parseCsvTable(await host.readData("carbon-intensity/balancing-areas.csv"));
  return groupsOf(rows, "id").map(([id, ofArea]) => ({
    id,
    name: ofArea[0]?.["name"] ?? "",
    kind: "balancing-area",
    aliases: [ofArea[0]?.["zone"] ?? ""],
    zone: id,
    source: AREA_SOURCE,
    caveat: null,
    ...newest(
      ofArea.map((row) => ({
        intensity: Number(row["life_cycle_gco2e_per_kwh"]),
        scope: "life-cycle",
        year: Number(row["year"]),
      })),
    ),
  }));
}

async function googlePlaces(host: Host): Promise<readonly Place[]> {
  const rows = parseCsvTable(await host.readData("carbon-intensity/gcp-regions.csv"));
  return groupsOf(rows, "region").map(([region, ofRegion]) => ({
    id: `gcp:${region}`,
    name: ofRegion.at(-1)?.["name"] ?? "",
    kind: "cloud-region",
    aliases: [region],
    zone: `gcp:${region}`,
    source: GCP_SOURCE,
    caveat: null,
    ...newest(
      ofRegion.map((row) => ({
        intensity: Number(row["gco2e_per_kwh"]),
        scope: row["scope"] === "life-cycle" ? "life-cycle" : "direct",
        year: Number(row["year"]),
      })),
    ),
  }));
}

/** Regions of clouds that publish no intensity: each stands for the grid it lies in. */
async function otherClouds(host: Host, grids: readonly Place[]): Promise<readonly Place[]> {
  const rows = parseCsvTable(await host.readData("cloud-regions/regions.csv"));
  const byId = new Map(grids.map((grid) => [grid.id, grid]));
  return rows.map(({ provider = "", region = "", name = "", place = "", fit }) => {
    const grid = byId.get(place);
    if (grid === undefined) throw new Error(`${region} leads to ${place}, which no table knows`);
    return {
      ...grid,
      id: `${provider}:${region}`,
      name,
      kind: "cloud-region",
      aliases: [region],
      caveat: fit === "poor" ? `${region} lies in a grid far from the mean of ${grid.name}` : null,
    };
  });
}

type Row = Readonly<Record<string, string>>;

/** Rows that share a column's value, in the order of the table. */
function groupsOf(rows: readonly Row[], column: string): readonly (readonly [string, Row[]])[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = row[column] ?? "";
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
  }
  return [...groups];
}

/** The newest year's value beside all of them. */
function newest(years: readonly PlaceYear[]): PlaceYear & { readonly years: readonly PlaceYear[] } {
  const sorted = [...years].sort((a, b) => a.year - b.year);
  const last = sorted.at(-1);
  if (last === undefined) throw new Error("a place of no year in the shipped tables");
  return { ...last, years: sorted };
}
