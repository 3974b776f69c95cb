// `godwit slim simplify`, `quantise`, `prune`, `factorise`: one pass on a model, by hand. Nothing is verified
// here; godwit slim verify does that.

import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { suggest, UserError } from "../core/index.ts";
import { nativeRuntime } from "../engine/index.ts";
import {
  applyRecipe,
  CALIBRATION_BATCH,
  type Fidelity,
  type FloatLeftover,
  floatLeftovers,
  inputsOf,
  type PassContext,
  type PassName,
  type Refusal,
  recipeOf,
} from "../models/compress/index.ts";
import { allRows } from "../models/data/index.ts";
import { encodeModel, loadOperators, type Model } from "../onnx/index.ts";
import { FIDELITY_TEXTS } from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import { outputFile } from "./output-file.ts";
import { openSlimInputs, openSlimModel } from "./slim-inputs.ts";
import { type DataOptions, dataCommand, SEED_OPTION } from "./slim-options.ts";
import { parseCount, parseShare } from "./values.ts";

/** Samples that statistics are taken on. */
const CALIBRATION = 128;

const passCommand = (name: string) =>
  new Command(name)
    .argument("<model>", "an .onnx file")
    .requiredOption("-o, --out <file>", "the model to write")
    .option(...SEED_OPTION)
    .option("--json", "print as JSON");

const dataPassCommand = (name: string) =>
  dataCommand(name)
    .argument("<model>", "an .onnx file")
    .requiredOption("-o, --out <file>", "the model to write")
    .option(...SEED_OPTION)
    .option("--json", "print as JSON");

/** The command `slim simplify`. */
export const slimSimplifyCommand = (context: CliContext) =>
  passCommand("simplify")
    .description("Fold constants, fuse and remove what a model does not need.")
    .option("--exact", "keep outputs the same bit for bit")
    .action((model, { exact, ...options }) =>
      applyPass(context, {
        model,
        pass: "simplify",
        values: exact === true ? { exact } : {},
        options,
      }),
    );

const PASS_OF = {
  static: "quantise-static",
  dynamic: "quantise-dynamic",
  weights: "quantise-weights",
  half: "store-half",
  codebook: "cluster",
} as const;

/** The command `slim quantise`. */
export const slimQuantiseCommand = (context: CliContext) =>
  dataPassCommand("quantise")
    .description("Compute in 8 bits, or store weights in fewer.")
    .addOption(
      new Option(
        "--how <kind>",
        "static needs samples; dynamic suits matrix products; weights are stored in blocks; half (float16) and codebook make the file small, not the run",
      )
        .choices(["static", "dynamic", "weights", "half", "codebook"] as const)
        .default("static" as const),
    )
    .addOption(
      new Option("--calibration <method>", "of static").choices([
        "minmax",
        "moving-average",
        "sample-mean",
        "percentile",
        "entropy",
        "mse",
      ] as const),
    )
    .addOption(
      new Option("--bits <bits>", "of weights").choices(["4", "8"] as const).default("8" as const),
    )
    .option(
      "--clusters <count>",
      "values of a codebook, 2 to 256",
      (text) => parseCount("--clusters", text, 2),
      16,
    )
    .option("--keep-float <nodes>", "names after commas", (text) => text.split(","))
    .action((model, options) => {
      const kept = options.keepFloat === undefined ? {} : { keepFloat: options.keepFloat };
      const calibration =
        options.calibration === undefined ? {} : { calibration: { method: options.calibration } };
      const values = {
        ...kept,
        ...(options.how === "static" ? calibration : {}),
        ...(options.how === "weights" ? { bits: Number(options.bits) } : {}),
        ...(options.how === "codebook" ? { clusters: options.clusters } : {}),
      };
      return applyPass(context, { model, pass: PASS_OF[options.how], values, options });
    });

/** The command `slim prune`. */
export const slimPruneCommand = (context: CliContext) =>
  dataPassCommand("prune")
    .description("Take channels and heads out, with all that hangs on them.")
    .requiredOption("--ratio <share>", "of every group to remove, such as 0.5", (text) =>
      parseShare("--ratio", text),
    )
    .option(
      "--align <channels>",
      "that stay, in multiples of this",
      (text) => parseCount("--align", text, 1),
      16,
    )
    .action((model, options) =>
      applyPass(context, {
        model,
        pass: "prune",
        values: { ratio: options.ratio, align: options.align },
        options,
      }),
    );

/** The command `slim factorise`. */
export const slimFactoriseCommand = (context: CliContext) =>
  dataPassCommand("factorise")
    .description("Split layers into chains of thinner ones.")
    .requiredOption("--keep <share>", "of the work of all layers, such as 0.5", (text) =>
      parseShare("--keep", text),
    )
    .addOption(
      new Option("--method <name>", "for convolutions")
        .choices(["tucker2", "cp", "spatial"] as const)
        .default("tucker2" as const),
    )
    .action((model, options) =>
      applyPass(context, {
        ...{ model, pass: "factorise", options },
        values: { rank: { rule: "budget", keep: options.keep }, method: options.method },
      }),
    );

interface PassRequest {
  readonly model: string;
  readonly pass: PassName;
  readonly values: Readonly<Record<string, unknown>>;
  readonly options: Partial<DataOptions> & {
    readonly out: string;
    readonly seed: number;
    readonly json?: true;
    readonly keepFloat?: readonly string[];
  };
}

/** A name with a slip of the pen would leave nothing in floats, and nobody would notice. */
function refuseUnknown({ graph }: Model, names: readonly string[]): void {
  const known = (graph?.nodes ?? []).flatMap(({ name = "", outputs }) => [name, outputs[0] ?? ""]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = suggest(unknown, known);
  throw new UserError("usage", `--keep-float: no node is called "${unknown}"`, {
    hint: near === null ? "godwit profile MODEL --by node lists them." : `Did you mean ${near}?`,
  });
}

async function applyPass(context: CliContext, request: PassRequest): Promise<void> {
  const { pass, values, options } = request;
  const path = resolve(context.cwd, request.model);
  const out = await outputFile(context, options.out, [path]);
  const model = await openSlimModel(path);
  try {
    refuseUnknown(model.whole, options.keepFloat ?? []);
    const operators = await loadOperators(context.host);
    const own = {
      operators,
      runtime: nativeRuntime(),
      ...(await calibrationOf(context, model, request)),
    };
    const steps = [{ pass, options: { ...values } }];
    const recipe = recipeOf(steps, { seed: options.seed, calibration: { rows: [], batch: 1 } });
    const {
      model: changed,
      changes,
      refused,
      fidelity,
    } = await applyRecipe(model.whole, recipe, own);
    const bytes = encodeModel(changed);
    await writeFileAtomic(out, bytes);
    const told = { fidelity, before_bytes: model.fileBytes, after_bytes: bytes.length };
    const left = pass === "quantise-static" ? await leftInFloats(changed, own, options.seed) : [];
    const done = { ...told, changes, refused, left_in_floats: left };
    context.stdout.write(
      options.json === true
        ? `${JSON.stringify({ schema: "godwit.slim-pass/1", pass, out, ...done }, null, 2)}\n`
        : passText(request, done),
    );
  } finally {
    model.close();
  }
}

/** What ONNX Runtime computes in floats although all around it is in 8 bits: slower than before. */
async function leftInFloats(
  model: Model,
  own: Omit<PassContext, "seed">,
  seed: number,
): Promise<readonly FloatLeftover[]> {
  for await (const feeds of own.calibration?.() ?? [])
    return floatLeftovers(model, feeds, { ...own, seed });
  return [];
}

async function calibrationOf(
  context: CliContext,
  model: Awaited<ReturnType<typeof openSlimModel>>,
  { options, pass }: PassRequest,
): Promise<Pick<PassContext, "calibration">> {
  if (options.data === undefined) {
    if (pass !== "quantise-static") return {};
    throw new UserError("usage", "static quantisation needs samples", {
      hint: "Add --data, or choose --how dynamic.",
    });
  }
  const { samples, dataset } = await openSlimInputs(context, model, options as DataOptions);
  const rows = allRows(Math.min(CALIBRATION, dataset.length));
  return { calibration: inputsOf(samples, rows, CALIBRATION_BATCH) };
}

interface Done {
  readonly fidelity: Fidelity;
  readonly before_bytes: number;
  readonly after_bytes: number;
  readonly changes: readonly unknown[];
  readonly refused: readonly Refusal[];
  readonly left_in_floats: readonly FloatLeftover[];
}

function passText({ pass, options }: PassRequest, done: Done): string {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
  const sizes = `${megabytes(done.before_bytes)} to ${megabytes(done.after_bytes)}`;
  const reasons = new Map<string, number>();
  for (const { reason } of done.refused) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const left = [...reasons].sort(([, a], [, b]) => b - a);
  return [
    `${pass}: ${done.changes.length} changes; ${FIDELITY_TEXTS[done.fidelity]}; ${sizes}: ${options.out}`,
    ...left.slice(0, 8).map(([reason, count]) => `left alone: ${count} x ${reason}`),
    ...done.left_in_floats.map(({ node, runs, reason }) => `runs as ${runs}: ${node}: ${reason}`),
    "Nothing is verified yet: godwit slim verify holds it against the original.",
    "",
  ].join("\n");
}
