// Fits the power model of machines without sensors and writes data/power-model/coefficients.json.
//
//   node scripts/fit-power-model.ts [../shared/data]
//
// Prints how every form did on the inner years, which was chosen, and only then the outer scores.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCsvTable, watts } from "../src/core/index.ts";
import { buildPowerModel, TESTED_FROM } from "./power-model/build.ts";
import { newerServers } from "./power-model/newer-servers.ts";
import { PEERS, scorePeer } from "./power-model/peers.ts";
import {
  candidates,
  choose,
  innerFolds,
  judge,
  LAST_TRAINING_YEAR,
} from "./power-model/selection.ts";
import { parseSummary } from "./power-model/spec-summary.ts";
import { parseSystems } from "./power-model/spec-systems.ts";
import {
  bias,
  calibratedBand,
  coverage,
  crossCoverage,
  type Held,
  later,
  leaveOut,
  mape,
} from "./power-model/validation.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const shipped = new URL("../data/", import.meta.url);
const [data = process.env["GODWIT_DATA"] ?? "../shared/data"] = process.argv.slice(2);
const factors = join(data, "reference-factors");

const tdps = new Map(
  parseCsvTable(readFileSync(new URL("cpus/cpus.csv", shipped), "utf8")).map((row) => [
    row["name"] ?? "",
    watts(Number(row["tdp_w"])),
  ]),
);
const systems = parseSystems(readFileSync(join(factors, "specpower/load_levels.csv.gz")));
const summary = parseSummary(
  readFileSync(join(factors, "ccf/SPECpower-2026-03-09.csv"), "utf8"),
  tdps,
);

const past = systems.filter((system) => system.year <= LAST_TRAINING_YEAR);
const judged = judge(candidates(), past);
console.log("inner score  2019    2020    2021    form");
for (const { form, score, byYear } of judged) {
  console.log([score, ...byYear].map(percent).join("  "), " ", form.name);
}
const { form } = choose(judged);
console.log(`\nchosen: ${form.name}\n`);

const report = (name: string, rows: readonly Held[], covered: number): void => {
  const scores = [`MAPE ${percent(mape(rows))}`, `bias ${percent(bias(rows))}`];
  console.log(`${name}: ${rows.length} systems, ${scores.join(", ")}, cover ${percent(covered)}`);
};
for (const by of ["cpu", "family"] as const) {
  const rows = leaveOut(form, systems, { by, from: TESTED_FROM });
  const { band, stretch } = calibratedBand(rows);
  report(`left out by ${by}`, rows, coverage(rows, band));
  console.log(`  unstretched bands of other folds ${percent(crossCoverage(rows))}, x${stretch}`);
}
const newest = later(form, systems, { fitUntil: LAST_TRAINING_YEAR, testUntil: 2022 });
report("after 2021", newest, coverage(newest, calibratedBand(innerFolds(form, past).flat()).band));

const model = buildPowerModel(systems, summary);
for (const [end, { servers, error, covered }] of Object.entries(newerServers(model, summary))) {
  const text = `MAPE ${percent(error)}, cover ${percent(covered)}`;
  console.log(`published 2023 to 2026, ${end}: ${servers} systems, ${text}`);
}

const tested = systems.filter((system) => system.year >= TESTED_FROM);
for (const peer of PEERS) {
  const score = scorePeer(peer, tested);
  console.log(`${peer.name}: MAPE ${percent(score.mape)}, bias ${percent(score.bias)}`);
}

// Lists and ranges of numbers on one line each.
const text = `${JSON.stringify(model, null, 1).replace(/\[[^[{}]*?\]|\{[^[{]*?\}/g, (part) => part.replace(/\s+/g, " "))}\n`;
writeFileSync(new URL("power-model/coefficients.json", shipped), text);
const checksum = createHash("sha256").update(text).digest("hex");
writeFileSync(new URL("power-model/SHA256SUMS", shipped), `${checksum}  coefficients.json\n`);
