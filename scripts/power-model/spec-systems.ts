// The published SPECpower_ssj2008 results that the server model is fitted on: wall power of whole
// servers at eleven target loads. The rows are SPEC's; they are read where they lie and never kept.

import { gunzipSync } from "node:zlib";
import { parseCsvTable } from "../../src/core/index.ts";

/** Target loads of the benchmark, in order; 0 is active idle. */
export const LOADS: readonly number[] = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** What a form may know of a server before it is measured. */
export interface Server {
  /** Sum over sockets, watts. */
  readonly tdp: number;
  readonly memoryGB: number;
  /** Nominal, not boost. */
  readonly frequencyGHz: number;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly amd: boolean;
  /** Hardware availability, years with months as fractions. */
  readonly available: number;
}

/** A server, what its CPU is called, and its measured power. */
export interface MeasuredServer extends Server {
  /** Hardware availability, the calendar year alone. */
  readonly year: number;
  readonly cpu: string;
  /** As the result spells it: `Intel Xeon X5670`. */
  readonly cpuName: string;
  readonly family: string;
  /** Wall watts at `LOADS`. */
  readonly watts: readonly number[];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The EPYC 7773X stands apart in the file but is of the third generation. */
const FAMILY_ALIASES: Readonly<Record<string, string>> = {
  epyc: "epyc-gen3",
  kabylabe: "kabylake",
};

/** Every complete row; rows without a TDP, memory size or one of the powers are left out. */
export function parseSystems(gzipped: Uint8Array): readonly MeasuredServer[] {
  return parseCsvTable(gunzipSync(gzipped).toString("utf8")).map(systemOf).filter(isComplete);
}

function systemOf(row: Readonly<Record<string, string>>): MeasuredServer {
  const number = (column: string): number => Number(row[column] || Number.NaN);
  const family = row["Architecture"] ?? "";
  const year = number("Hardware_Availability_Year");
  const month = MONTHS.indexOf(row["Hardware_Availability_Month"] ?? "");
  return {
    tdp: number("TDP") * number("CPUChips"),
    memoryGB: number("HW_MemAmountGB"),
    frequencyGHz: number("HW_CPUFreq") / 1000,
    sockets: number("CPUChips"),
    cores: number("CPUCores"),
    threads: number("CPUThreads"),
    amd: row["CPUMake"] === "amd",
    available: year + Math.max(month, 0) / 12,
    year,
    cpu: row["CPUName"] ?? "",
    cpuName: row["HW_CPUName"] ?? "",
    family: FAMILY_ALIASES[family] ?? family,
    watts: LOADS.map((load) =>
      number(load === 0 ? "ActiveIdle" : `${Math.round(load * 100)}_AvgPower`),
    ),
  };
}

function isComplete(system: MeasuredServer): boolean {
  const needed = [system.tdp, system.memoryGB, system.frequencyGHz, system.cores, ...system.watts];
  return needed.every((value) => value > 0);
}
