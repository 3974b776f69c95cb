// Networks of every convolutional family on three sets of pictures: accuracy with its interval, size, operations,
// and what training and a thousand inferences cost. Rows are appended to a file as they come, so that a run that
// was cut off goes on where it ended; the tables are printed from that file.
//
//   GODWIT_DATA=... node bench/cnn/main.ts rows.ndjson [--only eurosat] [--seed 1] [--print]

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { printMachine } from "../engine/figures.ts";
import { baselineOf } from "./baseline.ts";
import { printSet } from "./print.ts";
import { SETS } from "./runs.ts";
import { nameOf, type Row, trainOne } from "./train-one.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    print: { type: "boolean", default: false },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error("give a file for the rows");
const seed = Number(values.seed);
const rows = (): Row[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
const keep = (row: Row): void => appendFileSync(file, `${JSON.stringify(row)}\n`);

printMachine("onnxruntime-node through godwit");
for (const set of SETS.filter(({ data }) => values.only === undefined || data === values.only)) {
  for (const run of values.print ? [] : set.runs) {
    const isDone = rows().some(
      (row) => row.data === set.data && row.name === nameOf(run) && row.seed === seed,
    );
    if (isDone) continue;
    console.error(`${set.data}: ${nameOf(run)}`);
    keep(await trainOne(set, run, seed));
  }
  printSet(
    set,
    rows().filter(({ data }) => data === set.data),
    await baselineOf(set.data),
  );
}
