// Prints the comparison as the tables of docs/methods/prediction.md: `node bench/predict/main.ts`.

import { type Moment, type Series, score } from "./compare.ts";
import { readRecorded, recordedFamilies } from "./recorded.ts";
import { drawRuns, FAMILIES } from "./series.ts";

const RUNS = 400;
/** Constants were chosen on seed 2026. */
const SEED = 7;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(name: string, runs: readonly Series[], moment: Moment): string {
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

const HEADINGS: Readonly<Record<Moment, string>> = {
  first: "At the first prediction",
  quarter: "After a quarter of the run",
  half: "After half of the run",
};

const families = recordedFamilies(readRecorded());
const drawn = FAMILIES.map(({ name, draw }) => ({
  name,
  runs: drawRuns({ name, draw }, RUNS, SEED),
}));
const all = (of: readonly { readonly runs: readonly Series[] }[]): readonly Series[] =>
  of.flatMap(({ runs }) => runs);

for (const moment of ["first", "quarter", "half"] as const) {
  console.log(`\n${HEADINGS[moment]}\n`);
  console.log(
    "| series | epochs seen | godwit | mean of epochs | first epoch | coverage | width |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const { name, runs } of drawn) console.log(row(name, runs, moment));
  console.log(row("**all drawn**", all(drawn), moment));
  for (const { name, runs, isChosenOn } of families)
    console.log(row(`recorded: ${name}${isChosenOn ? "" : " (held out)"}`, runs, moment));
  const foreseeable = families.filter(({ isForeseeable }) => isForeseeable);
  const heldOut = families.filter(({ isChosenOn }) => !isChosenOn);
  const both = foreseeable.filter(({ isChosenOn }) => !isChosenOn);
  console.log(row("**all recorded**", all(families), moment));
  console.log(row("**recorded, held out**", all(heldOut), moment));
  console.log(row("**recorded, foreseeable**", all(foreseeable), moment));
  console.log(row("**recorded, foreseeable, held out**", all(both), moment));
}
