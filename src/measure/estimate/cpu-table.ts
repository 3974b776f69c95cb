// Thermal design power of CPUs by name, from the shipped table (data/cpus). A name is looked up
// exactly, after what differs between a kernel's and a catalogue's spelling is taken away; there is
// no nearest match, because neighbouring model numbers differ threefold in power.

import { type Host, parseCsvTable, type Watts, watts } from "../../core/index.ts";

/** Watts by normalised name. */
export type CpuTable = ReadonlyMap<string, Watts>;

export const CPU_TABLE_SOURCE =
  "CPU thermal design powers of CodeCarbon (Intel ARK and AMD specifications), MIT";

/** The shipped table. */
export async function loadCpuTable(host: Host): Promise<CpuTable> {
  const rows = parseCsvTable(await host.readData("cpus/cpus.csv"));
  return new Map(rows.map((row) => [row["name"] ?? "", watts(Number(row["tdp_w"]))]));
}

/** Thermal design power of one socket, or null when the name says too little or is not listed. */
export function findTdp(table: CpuTable, cpuName: string): Watts | null {
  return table.get(normaliseCpuName(cpuName)) ?? null;
}

/** Taken out of names in this order; each is replaced by a space. */
const NOISE: readonly RegExp[] = [
  /\((r|tm|c)\)|[®™©\u200b]/g,
  /\bcpu\b|\bapu\b|\bprocessors?\b|\bsoc\b/g,
  // Clock: "@ 2.40GHz", "3.20 GHz".
  /@?\s*\d+(\.\d+)?\s*[gm]hz\b/g,
  // Graphics: "with Radeon Vega Graphics", "w/ Radeon 780M Graphics", "R7, 12 COMPUTE CORES 4C+8G".
  /(\bwith\b|\bw\/).*$/g,
  /,.*$/g,
  /\b(\d+|dual|triple|quad|six|eight|ten|twelve|sixteen)[ -]core\b/g,
  // Generation: "11th Gen Intel(R) Core(TM) i7-1165G7".
  /\b\d+(st|nd|rd|th) gen\b/g,
  /\(oem only\)|\bmobile\b/g,
  /\b(intel|amd|genuine)\b/g,
];

/**
 * What identifies a CPU in its name: lower case, without marks, vendor, clock, core count and
 * graphics, with hyphens as spaces. `Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz` gives
 * `xeon e5 2620 v3`.
 */
export function normaliseCpuName(name: string): string {
  const bare = NOISE.reduce((text, noise) => text.replace(noise, " "), name.toLowerCase());
  return bare.replace(/[-_+]/g, " ").replace(/\s+/g, " ").trim();
}
