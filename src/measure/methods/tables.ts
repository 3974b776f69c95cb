// The tables that peers bring along and whose licences allow it (data/methods/TOOL/SOURCE.md).

import { type Host, parseCsvTable, watts } from "../../core/index.ts";
import { type CpuTable, normaliseCpuName } from "../estimate/cpu-table.ts";
import type { GpuRating } from "../sensors/gpu-table.ts";

export interface PeerTables {
  readonly greenAlgorithms: {
    /** Watts of one core by normalised CPU name. */
    readonly cores: CpuTable;
    readonly gpus: readonly GpuRating[];
    /** gCO2e/kWh by place code, such as `FR`, `US-CA` or `WORLD`. */
    readonly intensities: ReadonlyMap<string, number>;
    readonly pues: ReadonlyMap<string, number>;
    /** By `provider/region`. */
    readonly regions: ReadonlyMap<string, { readonly place: string; readonly pue: number | null }>;
  };
  readonly codeCarbon: {
    /** gCO2e/kWh by ISO 3166-1 alpha-2 code. */
    readonly countries: ReadonlyMap<string, number>;
    /** gCO2e/kWh by `provider/region`. */
    readonly clouds: ReadonlyMap<string, number>;
  };
  readonly cloudCarbonFootprint: readonly CcfProcessor[];
}

/** Watts of one vCPU by microarchitecture, or of one GPU. */
export interface CcfProcessor {
  readonly kind: "cpu" | "gpu";
  readonly name: string;
  readonly minWatts: number;
  readonly maxWatts: number;
}

/** All tables of all peers. */
export async function loadPeerTables(host: Host): Promise<PeerTables> {
  const table = async (path: string) => parseCsvTable(await host.readData(`methods/${path}`));
  const numbers = async (path: string): Promise<ReadonlyMap<string, number>> =>
    new Map((await table(path)).map((row) => [row["key"] ?? "", Number(row["value"])]));
  const [cores, gpus, regions, processors] = await Promise.all([
    table("green-algorithms/cores.csv"),
    table("green-algorithms/gpus.csv"),
    table("green-algorithms/regions.csv"),
    table("cloud-carbon-footprint/processors.csv"),
  ]);
  return {
    greenAlgorithms: {
      cores: new Map(
        cores.map((row) => [normaliseCpuName(row["key"] ?? ""), watts(Number(row["value"]))]),
      ),
      gpus: gpus.map((row) => ({
        name: row["key"] ?? "",
        tdp: Number(row["value"]),
        source: "Green Algorithms v3",
        year: null,
      })),
      intensities: await numbers("green-algorithms/intensities.csv"),
      pues: await numbers("green-algorithms/pues.csv"),
      regions: new Map(
        regions.map((row) => [
          row["key"] ?? "",
          { place: row["place"] ?? "", pue: row["pue"] ? Number(row["pue"]) : null },
        ]),
      ),
    },
    codeCarbon: {
      countries: await numbers("codecarbon/countries.csv"),
      clouds: await numbers("codecarbon/clouds.csv"),
    },
    cloudCarbonFootprint: processors.map((row) => ({
      kind: row["kind"] === "gpu" ? "gpu" : "cpu",
      name: row["name"] ?? "",
      minWatts: Number(row["min_w"]),
      maxWatts: Number(row["max_w"]),
    })),
  };
}
