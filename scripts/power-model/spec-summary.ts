// The summary of all published SPECpower_ssj2008 results up to 2026 that Cloud Carbon Footprint
// keeps (Apache-2.0): idle and full-load wall power only, but of servers newer than the rows with
// all load levels. Per-thread coefficients come from it, and a second look at the server model.

import { parseCsvTable } from "../../src/core/index.ts";
import { type CpuTable, findTdp } from "../../src/measure/estimate/cpu-table.ts";

export interface SummaryServer {
  readonly cpu: string;
  /** Of `data/cpus/microarchitectures.csv`; null when the name does not tell. */
  readonly microarchitecture: string | null;
  /** Calendar year of publication. */
  readonly published: number;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly frequencyGHz: number;
  readonly memoryGB: number;
  /** Sum over sockets in watts, null when the CPU is not listed. */
  readonly tdp: number | null;
  readonly idleWatts: number;
  readonly fullWatts: number;
}

/** Names of CPUs as vendors number them; the first pattern that matches decides. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/\be5-\d+\w* v4\b|\bd-15\d\d\b/, "broadwell"],
  [/\b(platinum|gold|silver|bronze) \d1\d\d\w?\b/, "skylake-sp"],
  [/\b(platinum|gold|silver|bronze) \d2\d\d\w?\b/, "cascade-lake"],
  [/\b(platinum|gold) [58]3\d\dhl?\b|\bgold 63(28|30|48)h/, "cooper-lake"],
  [/\b(platinum|gold|silver) \d3\d\d\w?\b/, "ice-lake-sp"],
  [/\b(platinum|gold|silver|bronze|xeon) [3-8]4\d\d[a-z+]*(?!\w)/, "sapphire-rapids"],
  [/\b(platinum|gold|silver|bronze|xeon) [3-8]5\d\d[a-z+]*(?!\w)/, "emerald-rapids"],
  [/\b6[5-9]\d\dp\b/, "granite-rapids"],
  [/\b6[5-9]\d\de\b/, "sierra-forest"],
  [/\bepyc 7\w\w1p?\b/, "zen"],
  [/\bepyc 7\w[\w]2p?\b/, "zen2"],
  [/\bepyc 7\w\w3[px]?\b/, "zen3"],
  [/\bepyc (8\d\d4|97\d4)p?n?\b/, "zen4c"],
  [/\bepyc 9\w\w4[pxf]?\b/, "zen4"],
  [/\bepyc 9[0-9]{2}5[pf]?\b/, "zen5"],
  [/\bampere.*\baltra\b/, "neoverse-n1"],
];

/** The microarchitecture that a CPU name of the summary stands for. */
export function microarchitectureOf(name: string): string | null {
  const plain = name.toLowerCase().replace(/\((r|tm)\)|®/g, "");
  if (/\bepyc (9645|9745|9825|9845|9965)\b/.test(plain)) return "zen5c";
  return NAMES.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

/** Every row with both powers. Sizes of memory below 8 GB are cut-off numbers ("1,024") and NaN. */
export function parseSummary(text: string, tdps: CpuTable): readonly SummaryServer[] {
  return parseCsvTable(text)
    .map((row): SummaryServer => {
      const cpu = (row["CPU Description"] ?? "").replace(/[,\s]+$/, "");
      const sockets = Number(row["Chips"]);
      const memoryGB = Number(row["Total Memory (GB)"]);
      const tdp = findTdp(tdps, cpu);
      return {
        cpu,
        microarchitecture: microarchitectureOf(cpu),
        published: Number((row["Published"] ?? "").slice(-4)),
        sockets,
        cores: Number(row["# Cores"]),
        threads: Number(row["Total Threads"]),
        frequencyGHz: Number(row["Processor MHz"]) / 1000,
        memoryGB: memoryGB >= 8 ? memoryGB : Number.NaN,
        tdp: tdp === null ? null : tdp * sockets,
        idleWatts: Number(row["avg. watts @ active idle"]),
        fullWatts: Number(row["avg. watts @ 100%"]),
      };
    })
    .filter(({ idleWatts, fullWatts }) => idleWatts > 0 && fullWatts > idleWatts);
}
