// PP-OCRv4 simplified and in 8 bits: what each form costs, and how many of 1,500 rendered lines it reads.

import { createSession } from "../../src/engine/index.ts";
import {
  type PassContext,
  prepareStatic,
  type StaticOptions,
  simplify,
} from "../../src/models/compress/index.ts";
import { encodeModel, type Model } from "../../src/onnx/index.ts";
import { printTable, row } from "../engine/figures.ts";
import { gainText, interleave } from "./interleave.ts";
import {
  accuracyOf,
  feedsOf,
  loadRecogniserModel,
  type Reading,
  readLines,
  renderLines,
} from "./ocr.ts";

/** Lines for calibration and for the score have seeds of their own. */
const CALIBRATION = { lines: 32, seed: 77 };
const TEST = { lines: 1500, seed: 5 };

/** Costs of one line on one thread, and accuracy; the paired 90 % interval of the loss by its side. */
export async function benchRecogniser(context: PassContext): Promise<void> {
  const original = loadRecogniserModel();
  const { model: simple } = await simplify.apply(original, context, undefined);
  const calibrated = withLines(context);
  const int8 = async (options: StaticOptions): Promise<Model> =>
    (await prepareStatic(simple, calibrated, options)).build([]).model;
  const contenders = [
    { name: "as published", model: original },
    { name: "simplified", model: simple },
    { name: "int8, minmax", model: await int8({ calibration: { method: "minmax" } }) },
    {
      name: "int8, mean of samples",
      model: await int8({ calibration: { method: "sample-mean" } }),
    },
    { name: "int8, least square error", model: await int8({ calibration: { method: "mse" } }) },
  ];
  const feeds = feedsOf(renderLines(1, TEST.seed));
  const sessions = await Promise.all(
    contenders.map(({ model }) => createSession(model, { threads: 1 })),
  );
  console.log(
    `largest difference of the simplified model's scores: ${await largestDifference(sessions)}`,
  );
  const timings = await interleave(
    contenders.map(({ name }, at) => ({ name, run: async () => sessions[at]?.run(feeds) })),
    { rounds: 25, runs: 3 },
  );
  await Promise.all(sessions.map((session) => session.close()));
  const lines = renderLines(TEST.lines, TEST.seed);
  const read: Reading[] = [];
  for (const { model } of contenders) read.push(await readLines(model, lines));
  console.log(`PP-OCRv4, one line of 320x48, one thread; ${TEST.lines} lines read\n`);
  printTable(
    [
      "form",
      "MB",
      "CPU ms",
      "less CPU by",
      "lines right",
      "character errors",
      "points lost (90 % interval)",
    ],
    contenders.map(({ name, model }, at) => {
      const timing = timings[at];
      const { right, characterErrors } = read[at] ?? NOTHING_READ;
      return row(
        name,
        (encodeModel(model).length / 1e6).toFixed(2),
        timing?.median.toFixed(2) ?? "",
        timing === undefined ? "" : gainText(timing),
        `${(100 * accuracyOf(right)).toFixed(2)} %`,
        `${(100 * characterErrors).toFixed(2)} %`,
        lossText(read[0]?.right ?? [], right),
      );
    }),
  );
}

const NOTHING_READ: Reading = { right: [], characterErrors: 0 };

const withLines = (context: PassContext): PassContext => ({
  ...context,
  async *calibration() {
    for (const line of renderLines(CALIBRATION.lines, CALIBRATION.seed)) yield feedsOf([line]);
  },
});

async function largestDifference(
  sessions: readonly Awaited<ReturnType<typeof createSession>>[],
): Promise<string> {
  const feeds = feedsOf(renderLines(8, 11));
  const [before, after] = await Promise.all(sessions.slice(0, 2).map((of) => of.run(feeds)));
  const [a, b] = [before, after].map((of) => Object.values(of ?? {})[0]?.data as Float32Array);
  const largest = a?.reduce((most, x, at) => Math.max(most, Math.abs(x - (b?.[at] ?? 0))), 0) ?? 0;
  return largest.toExponential(1);
}

/** Lines lost less lines won, of a hundred, with the normal interval of paired proportions. */
function lossText(before: readonly boolean[], after: readonly boolean[]): string {
  const count = before.length;
  const lost = before.filter((right, at) => right && !after[at]).length / count;
  const won = before.filter((right, at) => !right && after[at]).length / count;
  const half = 1.645 * Math.sqrt((lost + won - (lost - won) ** 2) / count);
  const [value, low, high] = [0, -half, half].map((by) => (100 * (lost - won + by)).toFixed(2));
  return `${value} (${low} to ${high})`;
}
