// Networks of every convolutional family on three sets of pictures: accuracy with its interval, size, operations,
// and what training and a thousand inferences cost. Two trainings run at a time, one thread each. Rows are appended
// to a file as they come, so that a run that was cut off goes on where it ended; the tables are printed from that
// file.
//
//   GODWIT_DATA=... node bench/cnn/main.ts rows.ndjson [--only eurosat] [--seed 1] [--print]

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { printMachine } from "../engine/figures.ts";
import { baselineOf } from "./baseline.ts";
import { printSet } from "./print.ts";
import type { Row } from "./row.ts";
import { type Run, SETS, type SetOfRuns } from "./runs.ts";
import { nameOf, trainOne } from "./train-one.ts";

const LANES = 2;

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

const sets = SETS.filter(({ data }) => values.only === undefined || data === values.only);
const done = rows().filter((row) => row.seed === seed);
const isDone = (set: SetOfRuns, run: Run): boolean =>
  done.some((row) => row.data === set.data && row.name === nameOf(run));
const waiting = values.print
  ? []
  : sets.flatMap((set) =>
      set.runs.filter((run) => !isDone(set, run)).map((run) => [set, run] as const),
    );

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [set, run] = next;
    const row = await trainOne(set, run, seed);
    appendFileSync(file as string, `${JSON.stringify(row)}\n`);
    const accuracy = `${(100 * row.accuracy.value).toFixed(1)} %`;
    console.error(`${set.data}: ${row.name}  ${accuracy}  ${row.train.cpuS.toFixed(0)} CPU s`);
  }
}

printMachine("onnxruntime-node through godwit");
await Promise.all(Array.from({ length: LANES }, work));
for (const set of sets) {
  const own = rows().filter(({ data }) => data === set.data);
  printSet(set, own, await baselineOf(set.data));
}
