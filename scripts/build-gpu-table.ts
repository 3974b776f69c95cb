// Rebuilds data/gpus/gpus.csv: board power of GPUs by the name that their driver reports.
// Rows of Green Algorithms' TDP_gpu.csv (CC BY 4.0) are renamed to drivers' names; the others are
// makers' published figures, listed in data/gpus/published.csv.
//
//   node scripts/build-gpu-table.ts [folder with green-algorithms/TDP_gpu.csv]

import { readFileSync, writeFileSync } from "node:fs";
import { csvField, parseCsv, parseCsvTable } from "../src/core/index.ts";

const references =
  process.argv[2] ?? `${process.env["GODWIT_DATA"] ?? "../shared/data"}/reference-factors`;
const output = new URL("../data/gpus/", import.meta.url);

/**
 * Names of Green Algorithms' rows as drivers report them. `Any` is an assumption, TPUs have no such
 * driver, and boards with two devices (K80) or of unlike variants (P100, V100) are in published.csv.
 */
const DRIVER_NAMES: Readonly<Record<string, string>> = {
  "AMD RX480": "AMD Radeon RX 480",
  "NVIDIA A100 40GB PCIe": "NVIDIA A100-PCIE-40GB",
  "NVIDIA A100 80GB PCIe": "NVIDIA A100 80GB PCIe",
  "NVIDIA GTX 1080": "NVIDIA GeForce GTX 1080",
  "NVIDIA GTX 1080 Ti": "NVIDIA GeForce GTX 1080 Ti",
  "NVIDIA GTX TITAN X": "NVIDIA GeForce GTX TITAN X",
  "NVIDIA RTX 2080": "NVIDIA GeForce RTX 2080",
  "NVIDIA RTX 2080 Ti": "NVIDIA GeForce RTX 2080 Ti",
  "NVIDIA Tesla P100 PCIe": "Tesla P100-PCIE-16GB",
  "NVIDIA Tesla P4": "Tesla P4",
  "NVIDIA Tesla T4": "Tesla T4",
  "NVIDIA Tesla V100S": "Tesla V100S-PCIE-32GB",
  "NVIDIA Titan V": "NVIDIA TITAN V",
  "NVIDIA TITAN X Pascal": "NVIDIA TITAN X (Pascal)",
};

interface Row {
  readonly name: string;
  readonly tdp: string;
  readonly source: string;
  readonly year: string;
}

const greenAlgorithms: Row[] = parseCsv(
  readFileSync(`${references}/green-algorithms/TDP_gpu.csv`, "utf8"),
).flatMap(([model, , , tdp]) => {
  const name = DRIVER_NAMES[model ?? ""];
  return name === undefined || tdp === undefined
    ? []
    : [{ name, tdp, source: "Green Algorithms", year: "" }];
});
const published: Row[] = parseCsvTable(readFileSync(new URL("published.csv", output), "utf8")).map(
  (row) => ({
    name: row["name"] ?? "",
    tdp: row["tdp_w"] ?? "",
    source: row["source"] ?? "",
    year: row["year"] ?? "",
  }),
);

const rows = new Map<string, Row>();
for (const row of [...greenAlgorithms, ...published]) {
  if (!(Number(row.tdp) > 0)) throw new Error(`${row.name}: no board power`);
  const earlier = rows.get(row.name);
  if (earlier !== undefined && earlier.tdp !== row.tdp) {
    throw new Error(
      `${row.name}: ${earlier.tdp} W (${earlier.source}), ${row.tdp} W (${row.source})`,
    );
  }
  rows.set(row.name, earlier ?? row);
}
const lines = [...rows.values()]
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(({ name, tdp, source, year }) => [name, tdp, source, year].map(csvField).join(","));
writeFileSync(new URL("gpus.csv", output), `name,tdp_w,source,year\n${lines.join("\n")}\n`);
console.error(`${lines.length} GPUs`);
