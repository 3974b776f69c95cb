// `godwit profile`: where a model's parameters, operations, bytes, time and energy go.

import { Command, Option } from "@commander-js/extra-typings";
import { EXIT } from "../core/errors.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { InputChoice, ModelCount, RowOptions } from "../measure/profile/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import type { RunReport } from "./profile-run.ts";
import { parseFeed, parseShape, parseSize, parseValues } from "./profile-values.ts";
import { parseCount } from "./values.ts";

const EXAMPLES = `
Examples:
  $ godwit profile model.onnx
  $ godwit profile model.onnx --batch 8 --by scope --top 20
  $ godwit profile model.onnx --diff smaller.onnx
  $ godwit profile model.onnx --train --optimizer adam
  $ godwit profile model.onnx --csv > nodes.csv`;

const described = () =>
  new Command("profile")
    .description("Show where a model's parameters, operations, bytes, time and energy go.")
    .argument("<model>", "an .onnx file; of .safetensors and .gguf the weights alone")
    .option(
      "--input <name=1x3x224x224>",
      "shape of an input; names keep a size open",
      parseShape,
      {},
    )
    .option(
      "--value <name=16000>",
      "elements of a small input that sizes or branches hang on",
      parseValues,
      {},
    )
    .option("--size <name=4>", "size of a named axis", parseSize, {})
    .option("--batch <count>", "first axis of the inputs that leave it open", (text) =>
      parseCount("--batch", text, 1),
    )
    .addOption(
      new Option("--by <view>", "rows of the table")
        .choices(["node", "scope", "op", "graph"])
        .default("op"),
    )
    .addOption(
      new Option("--sort <column>", "order of the rows")
        .choices(["flops", "macs", "params", "bytes", "order"])
        .default("flops"),
    )
    .option("--top <count>", "rows to show", (text) => parseCount("--top", text, 1), 15)
    .option("--filter <pattern>", "only rows whose name or operator matches")
    .addOption(
      new Option("--flops <convention>", "what a FLOP is")
        .choices(["default", "tfprof", "toolkit"])
        .default("default"),
    )
    .option("--train", "add the cost of a training step")
    .option("--optimizer <name>", "optimiser of that step", "adam")
    .option("--sparsity", "read the weights and count zeros")
    .option("--run", "run it here with ONNX Runtime: time, CPU time and energy by node")
    .option("--feed <name=file.npy>", "values of an input for --run", parseFeed, {})
    .option("--threads <count>", "threads of --run", (text) => parseCount("--threads", text, 1))
    .option("--repeats <count>", "runs that count (default: two seconds of them)", (text) =>
      parseCount("--repeats", text, 1),
    )
    .option("--spin", "let threads spin between operators, as ONNX Runtime does by default")
    .option("--sweep <threads,batch>", "run settings and show the one with the least energy")
    .option("--diff <model>", "compare with another model")
    .option("--strict", "fail when an operator is not counted")
    .option("--json", "print as JSON")
    .option("--csv", "print the rows as CSV")
    .option("--keep [name]", "keep the model's card in the ledger")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES);

type Options = ReturnType<ReturnType<typeof described>["opts"]>;

/** The command `profile`. */
export const profileCommand = (context: CliContext) =>
  described().action(async (path, options) => {
    const { openFileSource } = await import("../core/host/file-source.ts");
    const { readWeightFile } = await import("../measure/profile/weight-file.ts");
    const source = openFileSource(path);
    try {
      const weights = readWeightFile(source);
      if (weights !== null) {
        const { showWeights } = await import("./profile-weights.ts");
        showWeights(context, path, { file: weights, ...options });
        return;
      }
    } finally {
      source.close();
    }
    await profile(context, path, options);
  });

async function profile(context: CliContext, path: string, options: Options): Promise<void> {
  const { openModelFile } = await import("../engine/open-model.ts");
  const { filterOf, rowsOf, trainingCost, sparsityOf } = await import(
    "../measure/profile/index.ts"
  );
  const started = context.host.monotonic();
  using opened = openModelFile(path);
  const model = await countOf(opened, options);
  const durationS = Number(context.host.monotonic() - started) / 1e9;
  const view: RowOptions = {
    by: options.by,
    sort: options.sort,
    top: options.csv === true ? Number.POSITIVE_INFINITY : options.top,
    ...(options.filter === undefined ? {} : { filter: filterOf(options.filter) }),
  };
  const training = options.train === true ? trainingCost(model, options.optimizer) : undefined;
  const sparsity =
    options.sparsity === true ? sparsityOf(model.tensors, opened.external) : undefined;
  const rows = rowsOf(model, view);
  if (options.sweep !== undefined)
    return showSweep(context, opened, { ...options, sweep: options.sweep });
  const run =
    options.run === true ? await runHere(context, opened, { ...options, count: model }) : null;
  if (options.diff !== undefined)
    await showDiff(context, model, { ...options, view, diff: options.diff });
  else if (options.json === true) {
    const { profileObject } = await import("../report/profile/data.ts");
    const parts = {
      ...(sparsity === undefined ? {} : { sparsity }),
      ...(run === null ? {} : { run: runObject(run) }),
    };
    const object = profileObject(model, rows.rows, {
      file: path,
      parts,
      ...(training === undefined ? {} : { training }),
    });
    context.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
  } else if (options.csv === true) {
    const { profileCsv } = await import("../report/profile/data.ts");
    context.stdout.write(profileCsv(rows.rows));
  } else {
    const text = await import("./profile-text.ts");
    const { stdout } = context;
    stdout.write(text.summaryText(model, path, stdout.columns));
    if (sparsity !== undefined) stdout.write(text.sparsityText(sparsity, stdout.columns));
    if (training !== undefined) stdout.write(text.trainingText(training, stdout.columns));
    stdout.write(`\n${text.rowsText(rows, view.by, stdout.columns)}`);
    if (run !== null) {
      const { runText } = await import("./profile-run.ts");
      stdout.write(`\n${runText(run, model, { top: options.top, width: stdout.columns })}`);
    }
  }
  if (options.keep !== undefined) await keep(context, model, { ...options, path, durationS });
  if (options.strict === true) refuseUncounted(context, model);
}

async function countOf({ model, external }: OpenModel, options: Options): Promise<ModelCount> {
  const { countModel, inputShapes } = await import("../measure/profile/index.ts");
  const inputs = inputShapes(model, choiceOf(options));
  return countModel(model, {
    external,
    convention: options.flops,
    values: options.value,
    ...(inputs === undefined ? {} : { inputs }),
  });
}

const choiceOf = ({ input, size, batch }: Options): InputChoice => ({
  shapes: input,
  sizes: size,
  ...(batch === undefined ? {} : { batch }),
});

async function runHere(
  context: CliContext,
  opened: OpenModel,
  { count, ...options }: Options & { readonly count: ModelCount },
): Promise<RunReport> {
  const { inputShapes } = await import("../measure/profile/index.ts");
  const { runModel } = await import("./profile-run.ts");
  return runModel(context, opened, {
    count,
    inputs: inputShapes(opened.model, choiceOf(options)),
    values: options.value,
    feeds: options.feed,
    threads: options.threads,
    repeats: options.repeats,
    spin: options.spin === true,
  });
}

/** The run for programs: figures with their intervals and methods, seconds by node. */
const runObject = ({ cost, times, roofline }: RunReport): object => ({
  ...cost,
  roofline: { peak_flop_per_s: roofline.peakFlops, bandwidth_byte_per_s: roofline.bandwidth },
  kernels: times.kernels.map(({ time, ...kernel }) => ({ ...kernel, time_s: time })),
  elsewhere_s: times.elsewhere,
  folded: times.folded,
});

async function showSweep(
  context: CliContext,
  opened: OpenModel,
  options: Options & { readonly sweep: string },
): Promise<void> {
  const { inputShapes } = await import("../measure/profile/index.ts");
  const { parseSweep, sweepModel, sweepText } = await import("./profile-run.ts");
  const over = parseSweep(options.sweep);
  const result = await sweepModel(context, opened, {
    over,
    batch: options.batch,
    inputs: inputShapes(opened.model, choiceOf(options)),
    values: options.value,
    feeds: options.feed,
    threads: options.threads,
    repeats: options.repeats,
    spin: options.spin === true,
  });
  const { stdout } = context;
  if (options.json === true)
    stdout.write(`${JSON.stringify({ schema: "godwit.sweep/1", ...result }, null, 2)}\n`);
  else stdout.write(sweepText(result, stdout.columns));
}

async function showDiff(
  context: CliContext,
  model: ModelCount,
  options: Options & { readonly view: RowOptions; readonly diff: string },
): Promise<void> {
  const { openModelFile } = await import("../engine/open-model.ts");
  const { differences, diffText, rowDifferences } = await import("./profile-diff.ts");
  using other = openModelFile(options.diff);
  const after = await countOf(other, options);
  const { stdout } = context;
  if (options.json === true) {
    const object = {
      schema: "godwit.profile-diff/1",
      totals: differences(model, after),
      flops: rowDifferences(model, after, options.view),
    };
    stdout.write(`${JSON.stringify(object, null, 2)}\n`);
  } else stdout.write(diffText([model, after], options.view, stdout.columns));
}

async function keep(
  context: CliContext,
  model: ModelCount,
  options: Options & { readonly path: string; readonly durationS: number },
): Promise<void> {
  const { basename } = await import("node:path");
  const { openLedger } = await import("../ledger/index.ts");
  const { ledgerOf } = await import("./open-ledger.ts");
  const { identifyMachine } = await import("../measure/run/identity.ts");
  const { modelCard } = await import("../measure/profile/model-card.ts");
  const { host, stderr } = context;
  const name = typeof options.keep === "string" ? options.keep : basename(options.path, ".onnx");
  const machine = await identifyMachine(host);
  const card = modelCard(model, { host, machine, name, durationS: options.durationS });
  const ledger = await openLedger(ledgerOf(context, options.ledger), { ifAbsent: "create" });
  try {
    await ledger.put(card);
  } finally {
    ledger.close();
  }
  stderr.write(`kept as ${card.id} (godwit show ${card.id})\n`);
}

function refuseUncounted(
  { stderr, setExitCode }: CliContext,
  { uncounted, faults }: ModelCount,
): void {
  if (uncounted.length === 0 && faults.length === 0) return;
  const nodes = uncounted.reduce((sum, of) => sum + of.nodes.length, 0);
  const operators = uncounted.map(({ operator }) => operator).join(", ");
  stderr.write(
    `--strict: ${nodes} nodes are not counted (${operators}), ${faults.length} faults\n`,
  );
  setExitCode(EXIT.failed);
}
