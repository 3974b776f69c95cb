// The hourly grids that several tests read in place: nine regions with their generation by source.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parseCsv } from "../src/core/index.ts";
import { dataFile, missingData } from "./shared-data.ts";

export const GRIDS = ["CISO", "PJM", "ERCO", "EPE", "MISO", "DE", "PL", "NL", "SE"] as const;

export interface GridHour {
  /** Start, milliseconds since 1970 UTC. */
  readonly start: number;
  readonly lifeCycle: number;
  readonly direct: number;
  /** As the source published it, where it was kept beside a corrected value. */
  readonly lifeCycleUpstream: number | null;
  readonly mix: Readonly<Record<string, number>>;
}

/** Why the grids cannot be read; null when they are there. */
export const missingGrids = missingData("grid-carbon/CISO.csv.gz");
if (missingGrids !== null) console.log(`skipping tests on hourly grids: ${missingGrids}`);

/** The files' names of sources, by ours. */
const SOURCES: Readonly<Record<string, string>> = {
  coal: "coal",
  nat_gas: "gas",
  nuclear: "nuclear",
  oil: "oil",
  hydro: "hydro",
  solar: "solar",
  wind: "wind",
  other: "unknown",
  unknown: "unknown",
  biomass: "biomass",
  geothermal: "geothermal",
};

export function readGrid(grid: string): readonly GridHour[] {
  const text = gunzipSync(readFileSync(dataFile(`grid-carbon/${grid}.csv.gz`))).toString();
  const [header = [], ...rows] = parseCsv(text);
  const column = (name: string) => header.indexOf(name);
  const upstream = column("ci_lifecycle_upstream");
  const sources = header.flatMap((name, at) => {
    const source = SOURCES[name];
    return source === undefined ? [] : [{ source, at }];
  });
  return rows.map((row) => ({
    start: Date.parse(row[0] ?? ""),
    lifeCycle: Number(row[column("ci_lifecycle")]),
    direct: Number(row[column("ci_direct")]),
    lifeCycleUpstream: upstream === -1 ? null : Number(row[upstream]),
    mix: Object.fromEntries(sources.map(({ source, at }) => [source, Number(row[at])])),
  }));
}
