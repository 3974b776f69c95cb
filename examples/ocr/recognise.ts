// The workload that `npm start` measures: reads lines of text from pictures and says how well.
//
//   node examples/ocr/recognise.ts [lines] [threads]

import { editDistance } from "../../src/core/index.ts";
import { renderLines } from "./lines.ts";
import { loadRecogniser } from "./recogniser.ts";

const BATCH = 8;
const count = Number(process.argv[2] ?? 400);
const threads = Number(process.argv[3] ?? 2);

const lines = renderLines(count, 1);
const recognise = await loadRecogniser(threads);

let exact = 0;
let errors = 0;
let characters = 0;
for (let start = 0; start < lines.length; start += BATCH) {
  const batch = lines.slice(start, start + BATCH);
  const answers = await recognise(batch);
  batch.forEach(({ text }, index) => {
    const answer = answers[index] ?? "";
    if (answer === text) exact++;
    errors += editDistance(answer, text);
    characters += text.length;
  });
}
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
console.log(
  `read ${lines.length} lines: ${percent(exact, lines.length)} without a fault, ` +
    `${percent(characters - errors, characters)} of ${characters} characters right`,
);
