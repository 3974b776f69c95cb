// The workload that `npm start` measures: reads lines of text from pictures, says how well, and tells
// godwit, when it runs under godwit, what only it can know.
//
//   node examples/ocr/recognise.ts [lines] [threads]

import { writeFileSync } from "node:fs";
import type { TensorValue } from "../../src/engine/index.ts";
import { characterErrorRate, exactMatch } from "../../src/models/data/index.ts";
import { renderLines, type TextLine } from "./lines.ts";
import { costPerLine, OPERATIONS_SOURCE } from "./operations.ts";
import { loadRecogniser } from "./recogniser.ts";

const BATCH = 8;
const count = Number(process.argv[2] ?? 400);
const threads = Number(process.argv[3] ?? 2);

const lines = renderLines(count, 1);
const recognise = await loadRecogniser(threads);

const answers: string[] = [];
for (let start = 0; start < lines.length; start += BATCH) {
  answers.push(...(await recognise(lines.slice(start, start + BATCH))));
}
const accuracy = characterAccuracy(lines, answers);
const exact = Math.round(count * exactMatch.of(textsOf(answers), truthOf(lines)).value);
console.log(
  `read ${count} lines of text: ${(100 * accuracy).toFixed(1)} % of the characters right, ` +
    `${exact} lines without a fault`,
);

const facts = process.env["GODWIT_FACTS"];
if (facts !== undefined) {
  const { macs, flops, parameters } = costPerLine();
  const source = OPERATIONS_SOURCE;
  const report = {
    quality: {
      metric: "character accuracy",
      value: accuracy,
      split: `${count} rendered lines, seed 1`,
      samples: count,
      baseline: { name: "one line for all", value: oneLineForAll(lines) },
    },
    operations: { macs: count * macs, flops: count * flops, source },
    parameters: { count: parameters, source },
  };
  writeFileSync(facts, JSON.stringify(report));
}

/** 1 minus edits per character, summed over all lines. */
function characterAccuracy(lines: readonly TextLine[], answers: readonly string[]): number {
  return 1 - characterErrorRate.of(textsOf(answers), truthOf(lines)).value;
}

function truthOf(lines: readonly TextLine[]): TensorValue {
  return textsOf(lines.map(({ text }) => text));
}

function textsOf(data: readonly string[]): TensorValue {
  return { dataType: "string", dims: [data.length], data };
}

/** What always giving one answer would reach: the best of the first lines as that answer. */
function oneLineForAll(lines: readonly TextLine[]): number {
  const scores = lines.slice(0, 20).map(({ text }) =>
    characterAccuracy(
      lines,
      lines.map(() => text),
    ),
  );
  return Math.max(...scores);
}
