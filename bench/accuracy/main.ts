// How wrong godwit and its peers are on measured machines: prints the tables of
// docs/methods/accuracy.md, or the same figures as JSON.
//
//   node bench/accuracy/main.ts [--json] [DATA]
//
// DATA is the folder that holds reference-factors/; GODWIT_DATA when it is left out.

import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { VERSION } from "../../src/core/version.ts";
import { accuracyTables, missingRows, SOURCES } from "./accuracy.ts";
import { tableText } from "./score.ts";

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean" } },
  allowPositionals: true,
});
const [data = process.env["GODWIT_DATA"] ?? "../shared/data"] = positionals;

const missing = missingRows(data);
if (missing !== null) {
  console.log(`skipped: ${missing}`);
} else {
  const tables = await accuracyTables(data);
  const about = {
    godwit: VERSION,
    node: process.version,
    machine: `${cpus()[0]?.model.trim()} x ${cpus().length}, ${process.platform} ${release()}`,
    date: new Date().toISOString(),
    sources: SOURCES,
  };
  if (values.json) console.log(JSON.stringify({ ...about, tables }, null, 2));
  else {
    console.log(`godwit ${about.godwit} bench/accuracy, node ${about.node}, ${about.machine}`);
    console.log(`${about.date}\n`);
    for (const source of SOURCES) console.log(`- ${source}`);
    for (const table of tables) console.log(`\n${tableText(table)}`);
  }
}
