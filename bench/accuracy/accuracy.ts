// All error tables, from the published rows where they lie.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSummary } from "../../scripts/power-model/spec-summary.ts";
import { parseSystems } from "../../scripts/power-model/spec-systems.ts";
import { parseSweep } from "../../scripts/power-model/sweep.ts";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { loadCpuTable } from "../../src/measure/estimate/cpu-table.ts";
import { loadPeerTables } from "../../src/measure/methods/index.ts";
import { packageTable } from "./packages.ts";
import type { Table } from "./score.ts";
import { heldOutTable, newerTable, nextYearTable } from "./servers.ts";

const LEVELS = "specpower/load_levels.csv.gz";
const SUMMARY = "ccf/SPECpower-2026-03-09.csv";
const SWEEP = "codecarbon/cpu_load_profiling";

/** Where the measured powers come from. */
export const SOURCES: readonly string[] = [
  "SPECpower_ssj2008 results at eleven loads, compiled by Green Coding Solutions (spec-power-model); the results are SPEC's",
  "SPECpower_ssj2008 summary up to 9 March 2026, Cloud Carbon Footprint (ccf-coefficients, Apache-2.0)",
  "RAPL load sweep of four CPUs, January 2025, CodeCarbon (MIT)",
];

/** Which of the files is not in the data folder; null when all are. */
export function missingRows(data: string): string | null {
  const absent = [LEVELS, SUMMARY, SWEEP].filter(
    (name) => !existsSync(join(data, "reference-factors", name)),
  );
  return absent.length === 0 ? null : `no reference-factors/${absent.join(", ")} in GODWIT_DATA`;
}

/** Every table, servers first. */
export async function accuracyTables(data: string): Promise<readonly Table[]> {
  const path = (name: string): string => join(data, "reference-factors", name);
  const host = createNodeHost();
  const peers = await loadPeerTables(host);
  const systems = parseSystems(readFileSync(path(LEVELS)));
  const summary = parseSummary(readFileSync(path(SUMMARY), "utf8"), await loadCpuTable(host));
  const sweep = readdirSync(path(SWEEP)).flatMap((name) =>
    parseSweep(name, readFileSync(join(path(SWEEP), name), "utf8")),
  );
  return [
    heldOutTable(systems, peers),
    nextYearTable(systems, peers),
    newerTable({ systems, summary }, "full", peers),
    newerTable({ systems, summary }, "idle", peers),
    packageTable(sweep, peers),
  ];
}
