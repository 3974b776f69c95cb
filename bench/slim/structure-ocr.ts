// What factorising and pruning leave of a real model without any retraining, with and without calibration
// inputs: `node bench/slim/structure-ocr.ts [lines]`. PP-OCRv4 reads rendered lines.

import { nativeRuntime } from "../../src/engine/index.ts";
import { countModel } from "../../src/measure/profile/index.ts";
import {
  factorise,
  type PassContext,
  prune,
  type Step,
  simplify,
  stepOf,
} from "../../src/models/compress/index.ts";
import { wilsonInterval } from "../../src/models/data/index.ts";
import { printMachine, printTable, row } from "../engine/figures.ts";
import { operators } from "./conv-stack.ts";
import { feedsOf, loadRecogniserModel, readLines, renderLines } from "./ocr.ts";

const [CALIBRATION, BATCH] = [32, 8];
const count = Number(process.argv[2] ?? 150);
const lines = renderLines(CALIBRATION + count, 5);
const [known, unseen] = [lines.slice(0, CALIBRATION), lines.slice(CALIBRATION)];

const plain: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };
const withData: PassContext = {
  ...plain,
  async *calibration() {
    for (let from = 0; from < known.length; from += BATCH) {
      yield feedsOf(known.slice(from, from + BATCH));
    }
  },
};

interface Variant {
  readonly name: string;
  readonly step: Step;
  readonly context: PassContext;
}

const within = (keep: number): Step =>
  stepOf(factorise, { rank: { rule: "budget", keep }, align: 8 });
const without = (ratio: number): Step => stepOf(prune, { ratio, align: 8 });

const VARIANTS: readonly Variant[] = [
  { name: "factorised to 90 % of the work, by weights alone", step: within(0.9), context: plain },
  { name: "factorised to 90 %, weighted by data", step: within(0.9), context: withData },
  { name: "factorised to 70 %, weighted by data", step: within(0.7), context: withData },
  { name: "7 % of all channels pruned", step: without(0.07), context: plain },
  { name: "7 % pruned, then refitted", step: without(0.07), context: withData },
];

const { name } = nativeRuntime();
printMachine(`${name} ${(await nativeRuntime().load()).version}`);
const base = (await simplify.apply(loadRecogniserModel(), plain, undefined)).model;
const rows: string[] = [];
for (const variant of [null, ...VARIANTS]) {
  const model = variant === null ? base : (await variant.step.apply(base, variant.context)).model;
  const right = (await readLines(model, unseen)).right.filter(Boolean).length;
  const [low, high] = wilsonInterval(right, count);
  const parameters = countModel(model).parameters.trainable;
  rows.push(
    row(
      variant?.name ?? "simplified",
      `${((100 * right) / count).toFixed(1)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`,
      parameters.toLocaleString("en"),
    ),
  );
}
console.log(
  `PP-OCRv4 recogniser, ${count} rendered lines, ${CALIBRATION} others for calibration\n`,
);
printTable(["", "lines without a fault, % (interval)", "parameters"], rows);
