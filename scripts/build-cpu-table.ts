// Rebuilds data/cpus/cpus.csv from CodeCarbon's list of thermal design powers (MIT).
//
//   node scripts/build-cpu-table.ts ../shared/data/reference-factors/codecarbon/cpu_power.csv
//
// Names are normalised as the look-up does; a name that stands for several powers is left out, and
// so is a bare model number without its product line, because it could match by chance.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { csvField, parseCsvTable } from "../src/core/index.ts";
import { normaliseCpuName } from "../src/measure/estimate/cpu-table.ts";

/** Watts; below and above are typing errors, not CPUs. */
const PLAUSIBLE = { low: 0.5, high: 1000 } as const;

/** Begins with a product line and has a model number: "xeon gold 6140", not "6274", not "epyc". */
const isSpecific = (name: string): boolean => /^[a-z]/.test(name) && /\d/.test(name);

export interface BuiltTable {
  readonly tdpOf: ReadonlyMap<string, number>;
  readonly ambiguous: readonly string[];
  readonly unspecific: number;
}

/** The look-up table of a list with columns `Name` and `TDP`. */
export function buildTable(text: string): BuiltTable {
  const found = new Map<string, Set<number>>();
  let unspecific = 0;
  for (const row of parseCsvTable(text)) {
    const name = normaliseCpuName(row["Name"] ?? "");
    const tdp = Number(row["TDP"]);
    if (!isSpecific(name) || !(tdp >= PLAUSIBLE.low && tdp <= PLAUSIBLE.high)) unspecific++;
    else found.set(name, (found.get(name) ?? new Set<number>()).add(tdp));
  }
  const tdpOf = new Map<string, number>();
  const ambiguous: string[] = [];
  for (const [name, [tdp, ...others]] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (tdp !== undefined && others.length === 0) tdpOf.set(name, tdp);
    else ambiguous.push(name);
  }
  return { tdpOf, ambiguous, unspecific };
}

if (import.meta.main) {
  const [source] = process.argv.slice(2);
  if (source === undefined) throw new Error("usage: node scripts/build-cpu-table.ts cpu_power.csv");
  const { tdpOf, ambiguous, unspecific } = buildTable(readFileSync(source, "utf8"));
  const lines = [...tdpOf].map(([name, tdp]) => `${csvField(name)},${tdp}`);
  const text = `name,tdp_w\n${lines.join("\n")}\n`;
  const folder = new URL("../data/cpus/", import.meta.url);
  writeFileSync(new URL("cpus.csv", folder), text);
  const checksum = createHash("sha256").update(text).digest("hex");
  console.error(`${tdpOf.size} names, ${unspecific} unspecific, cpus.csv ${checksum}`);
  console.error(`left out as ambiguous: ${ambiguous.join("; ")}`);
}
