// Prints the comparison as the table of docs/methods/prediction.md: `node bench/predict/main.ts`.

import { readFileSync } from "node:fs";
import { type Moment, score } from "./compare.ts";
import { drawRuns, FAMILIES } from "./series.ts";

const RUNS = 400;
const SEED = 2026;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(name: string, runs: readonly (readonly number[])[], moment: Moment): string {
  const result = score(runs, moment);
  return `| ${[
    name,
    result.firstAt.toFixed(0),
    percent(result.godwit),
    percent(result.meanOfEpochs),
    percent(result.firstEpoch),
    percent(result.coverage),
    percent(result.width),
  ].join(" | ")} |`;
}

const recorded = JSON.parse(
  readFileSync(new URL("recorded.json", import.meta.url), "utf8"),
) as Record<string, readonly number[][]>;

for (const moment of ["first", "quarter"] as const) {
  console.log(
    `\n${moment === "first" ? "At the first prediction" : "After a quarter of the run"}\n`,
  );
  console.log(
    "| series | epochs seen | godwit | mean of epochs | first epoch | coverage | width |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const family of FAMILIES)
    console.log(row(family.name, drawRuns(family, RUNS, SEED), moment));
  const all = FAMILIES.flatMap((family) => drawRuns(family, RUNS, SEED));
  console.log(row("all of these", all, moment));
  for (const [name, runs] of Object.entries(recorded)) console.log(row(name, runs, moment));
}
