// Rebuilds the tables of carbon-intensity/ that come from public files (US states, balancing areas,
// Google Cloud regions), and validates those that were transcribed by hand against whatever the same
// public files say about them. GODWIT_DATA is the folder with the files (see docs of test data).
//
//   node scripts/build-carbon-tables.ts            writes the tables and the checksums
//   node scripts/build-carbon-tables.ts --check    compares, writes nothing, exits with 1 on a difference

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { csvField, parseCsv, parseCsvTable } from "../src/core/csv.ts";
import { createNodeHost } from "../src/core/host/node-host.ts";
import { loadFactors } from "../src/measure/carbon/mix.ts";
import { checkPublished } from "../src/measure/carbon/mix-check.ts";
import { GRIDS, readGrid } from "../test/grid-carbon.ts";

const SOURCES =
  process.env["GODWIT_DATA"] ?? fileURLToPath(new URL("../../shared/data", import.meta.url));
const DATA = fileURLToPath(new URL("../data/", import.meta.url));
const check = process.argv.includes("--check");
const faults: string[] = [];

const source = (path: string): string => readFileSync(`${SOURCES}/${path}`, "utf8");
const own = (path: string): string => readFileSync(DATA + path, "utf8");
const table = (rows: readonly (readonly (string | number)[])[]): string =>
  `${rows.map((row) => row.map((value) => csvField(String(value))).join(",")).join("\n")}\n`;

/** Green Algorithms 3: two header rows, then `US-CA,...,California,216.43,...,source`. */
function usStates(): string {
  const [, , ...rows] = parseCsv(source("reference-factors/green-algorithms/CI_aggregated.csv"));
  const states = rows.filter(([id]) => /^US-[A-Z]{2}$/.test(id ?? ""));
  const listed = states.map(([id = "", , , name = "", intensity = ""]) => [
    id,
    // The source cuts this name short.
    name === "Mississip" ? "Mississippi" : name,
    intensity,
    2020,
  ]);
  return table([["id", "name", "gco2e_per_kwh", "year"], ...listed]);
}

const AREAS = {
  CISO: ["California ISO", "US-CAL-CISO"],
  PJM: ["PJM Interconnection", "US-MIDA-PJM"],
  ERCO: ["Electric Reliability Council of Texas", "US-TEX-ERCO"],
  MISO: ["Midcontinent ISO", "US-MIDW-MISO"],
} as const;

/** Emissions over generation of each calendar year: the mean that belongs to a kilowatt-hour. */
function balancingAreas(): string {
  const rows: (string | number)[][] = [];
  for (const [area, [name, zone]] of Object.entries(AREAS)) {
    const text = gunzipSync(readFileSync(`${SOURCES}/grid-carbon/${area}.csv.gz`)).toString();
    const years = new Map<string, { mwh: number; life: number; direct: number; hours: number }>();
    for (const row of parseCsvTable(text)) {
      const year = row["utc"]?.slice(0, 4) ?? "";
      const mwh = SOURCE_COLUMNS.reduce((sum, column) => sum + Number(row[column] ?? 0), 0);
      const sums = years.get(year) ?? { mwh: 0, life: 0, direct: 0, hours: 0 };
      sums.mwh += mwh;
      sums.life += mwh * Number(row["ci_lifecycle"]);
      sums.direct += mwh * Number(row["ci_direct"]);
      sums.hours++;
      years.set(year, sums);
    }
    for (const [year, { mwh, life, direct, hours }] of years) {
      if (hours < 8760) continue;
      rows.push([area, name, zone, (life / mwh).toFixed(1), (direct / mwh).toFixed(1), year]);
    }
  }
  const header = ["id", "name", "zone", "life_cycle_gco2e_per_kwh", "direct_gco2e_per_kwh", "year"];
  return table([header, ...rows]);
}

const SOURCE_COLUMNS =
  "coal nat_gas nuclear oil hydro solar wind other biomass geothermal unknown".split(" ");

/** Google's yearly files; the column's name says life-cycle until 2020, operational since. */
function gcpRegions(): string {
  const rows: (string | number)[][] = [];
  for (const file of readdirSync(`${SOURCES}/reference-factors/gcp`).sort()) {
    const year = Number(file.slice(0, 4));
    const [header = [], ...lines] = parseCsv(source(`reference-factors/gcp/${file}`));
    const scope = header[3]?.startsWith("Lifecycle") ? "life-cycle" : "direct";
    for (const [region = "", name = "", cfe = "", intensity = ""] of lines) {
      if (region === "" || Number.isNaN(Number(intensity)) || intensity === "") continue;
      rows.push([region, name, intensity, scope, cfe, year]);
    }
  }
  rows.sort((a, b) => `${a[0]} ${a[5]}`.localeCompare(`${b[0]} ${b[5]}`, "en"));
  return table([["region", "name", "gco2e_per_kwh", "scope", "cfe", "year"], ...rows]);
}

/** Every region leads to a place that a table knows, and Green Algorithms names the same country. */
function validateRegions(): void {
  const countries = new Set(
    parseCsvTable(own("carbon-intensity/countries.csv")).map((row) => row["iso2"]),
  );
  const states = new Set(parseCsvTable(usStates()).map((row) => row["id"]));
  const gcp = new Set(parseCsvTable(gcpRegions()).map((row) => `gcp:${row["region"]}`));
  for (const { region, place = "" } of parseCsvTable(own("cloud-regions/regions.csv"))) {
    if (!countries.has(place) && !states.has(place) && !gcp.has(place)) {
      faults.push(`cloud-regions: ${region} leads to ${place}, which no table knows`);
    }
  }
}

/** The factors of the hourly series are those that the series' own description prints. */
function validateFactors(): void {
  const text = source("grid-carbon/README.md");
  const names = "coal oil gas nuclear solar wind hydro unknown biomass geothermal".split(" ");
  const rows = parseCsvTable(own("generation-factors/factors.csv"));
  for (const [label, scope] of [
    ["lifecycle", "life-cycle"],
    ["direct", "direct"],
  ] as const) {
    const line = text.split("\n").find((one) => one.startsWith(`| ${label} |`)) ?? "";
    const values = line.split("|").slice(2, -1).map(Number);
    names.forEach((name, at) => {
      const row = rows.find(
        (one) => one["set"] === "carboncast" && one["scope"] === scope && one["source"] === name,
      );
      if (Number(row?.["gco2e_per_kwh"]) !== values[at]) {
        faults.push(`generation-factors: ${scope} ${name} is not ${values[at]}`);
      }
    });
  }
}

/** Every hour of the grids follows from its generation; what was published wrong is told. */
async function validateGrids(): Promise<void> {
  const host = createNodeHost();
  const sets = {
    lifeCycle: await loadFactors(host, "carboncast", "life-cycle"),
    direct: await loadFactors(host, "carboncast", "direct"),
  };
  for (const grid of GRIDS) {
    const hours = readGrid(grid);
    for (const fault of checkPublished(hours, sets)) {
      faults.push(`grid-carbon ${grid}: ${JSON.stringify(fault)}`);
    }
    const published = hours.map((hour) => ({
      ...hour,
      lifeCycle: hour.lifeCycleUpstream ?? hour.lifeCycle,
    }));
    for (const fault of checkPublished(published, sets)) {
      console.error(`note: ${grid} as published: ${JSON.stringify(fault)}`);
    }
  }
}

/** PUE of Google's campuses and the defaults of providers, as Green Algorithms lists them. */
function validateEffectiveness(): void {
  const [, , ...campuses] = parseCsv(
    source("reference-factors/green-algorithms/cloudProviders_datacenters.csv"),
  );
  const [, , ...defaults] = parseCsv(source("reference-factors/green-algorithms/defaults_PUE.csv"));
  for (const row of parseCsvTable(own("data-centres/effectiveness.csv"))) {
    const { provider = "", region = "", value } = row;
    if (!row["source"]?.includes("Green Algorithms 3")) continue;
    const listed =
      region === ""
        ? defaults.find(([name]) => name?.toLowerCase() === provider)?.[1]
        : campuses.find(([name, campus]) => name === provider && campus === region)?.[6];
    if (Number(listed) !== Number(value)) {
      faults.push(`data-centres: ${provider} ${region} is ${value}, the source says ${listed}`);
    }
  }
}

function put(path: string, text: string): void {
  if (!check) writeFileSync(DATA + path, text);
  else if (!existsSync(DATA + path) || own(path) !== text) faults.push(`${path} differs`);
}

function checksums(folder: string): void {
  const files = readdirSync(DATA + folder).filter((name) => name.endsWith(".csv"));
  const lines = files.sort().map((name) => {
    const hash = createHash("sha256")
      .update(own(`${folder}/${name}`))
      .digest("hex");
    return `${hash}  ${name}\n`;
  });
  put(`${folder}/SHA256SUMS`, lines.join(""));
}

put("carbon-intensity/us-states.csv", usStates());
put("carbon-intensity/balancing-areas.csv", balancingAreas());
put("carbon-intensity/gcp-regions.csv", gcpRegions());
validateRegions();
validateFactors();
await validateGrids();
validateEffectiveness();
for (const folder of [
  "carbon-intensity",
  "cloud-regions",
  "generation-factors",
  "data-centres",
  "water",
]) {
  checksums(folder);
}
for (const fault of faults) console.error(`error: ${fault}`);
console.error(`${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
