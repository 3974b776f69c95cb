// `godwit eval`: a model's quality on a dataset, and what it took to compute.

import { basename, dirname, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Model } from "../onnx/index.ts";
import { renderJson } from "../report/json.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { signalOf } from "./run-options.ts";
import { tagOption } from "./tag-option.ts";
import { parseMap } from "./train-options.ts";
import { parseCount, parseIntensity } from "./values.ts";

const EXAMPLES = `
Examples:
  $ godwit eval model.onnx --data eurosat:test
  $ godwit eval model.onnx --data folder/ --metric accuracy --json

A part of the data is named after a colon; without one it is the test part, where there is
one. The interval is that of so many rows: another model may be as good within it.`;

const evalOptions = () =>
  new Command("eval")
    .description("Judge a model on data: its quality with an interval, time, energy, carbon.")
    .argument("<model>", "an .onnx file")
    .requiredOption("--data <name|path>", "a dataset by name, a file or a folder")
    .option(
      "--metric <name>",
      "accuracy, top-5, f1-macro, mae, mse, snr, cosine ... (default: by the labels)",
    )
    .option("--output <name>", "the output that is judged (default: the first)")
    .option("--map <input=column>", "which column goes where; may be given again", parseMap, {})
    .option("--batch <count>", "rows at once", (text) => parseCount("--batch", text, 1), 64)
    .option("--threads <count>", "(default: up to 4)", (text) => parseCount("--threads", text, 1))
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--name <name>", "name of the run (default: the model and the data)")
    .addOption(tagOption("tag of the run; may be given again"))
    .option("--json", "print the card as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES);

export const evalCommand = (context: CliContext) =>
  evalOptions().action(async (file, options) => {
    const { openModelFile } = await import("../engine/index.ts");
    const path = resolve(context.cwd, file);
    const opened = openModelFile(path);
    try {
      await judge(context, { path, model: opened.model, options });
    } finally {
      opened.close();
    }
  });

async function judge(
  context: CliContext,
  of: {
    readonly path: string;
    readonly model: Model;
    readonly options: ReturnType<ReturnType<typeof evalOptions>["opts"]>;
  },
): Promise<void> {
  const { path, model, options } = of;
  const { metricNamed } = await import("../models/data/metrics/index.ts");
  const { evaluate } = await import("../models/train/index.ts");
  const { metricOf, openJudged } = await import("./train-inputs.ts");
  const { evalFacts } = await import("./train-facts.ts");
  const { startRun } = await import("./metered-run.ts");
  const dataset = await openJudged(options.data, model, context);
  const metric = metricNamed(options.metric ?? metricOf(dataset));
  const name = options.name ?? `${basename(path, ".onnx")} on ${dataset.name}`;
  const run = await startRun(context, {
    subject: { kind: "inference", name, tags: { ...options.tag } },
    place: ledgerOf(context, options.ledger),
    signal: signalOf(options, context),
  });
  const quality = await evaluate(model, dataset, {
    ...{ metric, batchSize: options.batch, columns: options.map, dataFolder: dirname(path) },
    ...(options.output === undefined ? {} : { output: options.output }),
    ...(options.threads === undefined ? {} : { engine: { threads: options.threads } }),
  }).catch(async (error: unknown) => {
    await run.fail();
    throw error;
  });
  const kept = await run.finish(evalFacts({ quality, dataset, model, file: path }));
  const { cardText } = await import("./train-text.ts");
  for (const text of kept.notices) context.stderr.write(`note: ${text}\n`);
  context.stdout.write(options.json === true ? renderJson(kept.card) : cardText(context, kept));
}
