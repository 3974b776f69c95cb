// The options of `godwit train`, and the recipe that they make.

import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import type { Recipe } from "../models/train/recipe.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { tagOption } from "./tag-option.ts";
import { parseCount, parseEnergy, parseIntensity, parseNumber, parseShare } from "./values.ts";

const EXAMPLES = `
Examples:
  $ godwit train --net lenet-5 --data fashion-10k --epochs 10 -o lenet.onnx
  $ godwit train --net mobilenet-v1-small --alpha 0.5 --data eurosat --epochs 20 --flip --seed 1 -o m.onnx
  $ godwit train --net lenet-5 --data fashion-10k --select coreset --fraction 0.5 -o half.onnx
  $ godwit train --model imported.onnx --new-head --freeze 'features*' --data folder/ -o tuned.onnx
  $ godwit train --recipe m.recipe.json -o again.onnx
  $ godwit train --resume m.checkpoint

What --select and --curriculum take to choose rows is part of the run: its card has it.
Ctrl-C ends after the step under way and leaves a checkpoint to resume from.
Ends with 0 when it is done, 1 when numbers were no longer finite, 4 when the energy
budget was used up; the model is written in all three cases.
godwit data list tells the datasets that are known by name.`;

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** `input=column`, collected. */
export function parseMap(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) {
    throw new UserError("usage", `--map: cannot read "${text}"`, {
      hint: "Give an input or target and its column, such as --map labels=species.",
    });
  }
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

const above = (option: string) => (text: string) => parseNumber(option, text);
const whole = (option: string) => (text: string) => parseCount(option, text, 1);

/** The command with its options. */
export function trainOptions() {
  return new Command("train")
    .description("Train a network, or tune a model that you have, and say what it cost.")
    .option("--net <name>", "a network by name, such as lenet-5 or mobilenet-v1-small")
    .option("--model <file>", "an .onnx file to go on training")
    .option("--new-head", "with --model: a new last layer for the classes of the data")
    .option("--alpha <factor>", "width multiplier of the network", above("--alpha"))
    .option("--rho <factor>", "resolution multiplier of the network", above("--rho"))
    .option("--data <name|path>", "a dataset by name, a file or a folder")
    .option("--validation <share>", "rows to judge by after each epoch (default: 10%)", (text) =>
      parseShare("--validation", text),
    )
    .option(
      "--test <share>",
      "rows for the last judgement, where the data has none (default: 0)",
      (text) => parseShare("--test", text),
    )
    .option("--epochs <count>", "passes over the data (default: 10)", whole("--epochs"))
    .option("--batch <count>", "rows to a step (default: 32)", whole("--batch"))
    .option("--accumulate <count>", "steps to an update", whole("--accumulate"))
    .option("--seed <number>", "of all that is random (default: 1)", (text) =>
      parseCount("--seed", text, 0),
    )
    .addOption(
      new Option("--loss <name>", "(default: by the labels)").choices([
        "cross-entropy",
        "binary-cross-entropy",
        "mse",
        "mae",
        "huber",
      ] as const),
    )
    .option("--smoothing <share>", "label smoothing of the cross-entropy", (text) =>
      parseShare("--smoothing", text),
    )
    .option("--metric <name>", "what is judged by (default: by the loss)")
    .addOption(
      new Option("--optimizer <name>", "(default: adamw)").choices([
        "sgd",
        "adam",
        "adamw",
        "rmsprop",
        "adagrad",
        "lion",
      ] as const),
    )
    .option("--rate <number>", "highest learning rate (default: 0.003)", above("--rate"))
    .option("--momentum <share>", "of sgd and rmsprop", (text) => parseShare("--momentum", text))
    .option("--weight-decay <number>", "of matrices and kernels", above("--weight-decay"))
    .addOption(
      new Option("--schedule <name>", "of the learning rate (default: one-cycle)").choices([
        "one-cycle",
        "cosine",
        "constant",
      ] as const),
    )
    .option("--warm-up <share>", "of the updates, in which the rate rises first", (text) =>
      parseShare("--warm-up", text),
    )
    .option("--clip <norm>", "longest gradient", above("--clip"))
    .option("--average <share>", "keep a moving average of the weights, such as 0.999", (text) =>
      parseShare("--average", text),
    )
    .option(
      "--patience <epochs>",
      "end after so many epochs without a better one",
      whole("--patience"),
    )
    .option("--flip", "mirror images left and right")
    .option("--flip-vertical", "mirror them top and bottom too")
    .option("--turn", "turn square images by quarters: for views from above")
    .option("--shift <pixels>", "move images by up to so much", (text) =>
      parseCount("--shift", text, 0),
    )
    .addOption(
      new Option("--select <how>", "train on some of the rows (default: on all)").choices([
        "random",
        "coreset",
        "el2n",
        "grand",
        "forgetting",
        "dedup",
      ] as const),
    )
    .option("--fraction <share>", "how many of them, but for dedup (default: 0.5)", (text) =>
      parseShare("--fraction", text),
    )
    .option("--curriculum <epochs>", "easy rows first, all after so many", whole("--curriculum"))
    .option(
      "--score-epochs <count>",
      "epochs of the model that scores rows (default: 2; curriculum 1, forgetting 6)",
      whole("--score-epochs"),
    )
    .option("--only <pattern>", "train only these parameters; may be given again", collect, [])
    .option("--freeze <pattern>", "do not train these; may be given again", collect, [])
    .option("--lora <rank>", "train low-rank additions to matrices in their place", whole("--lora"))
    .option("--map <input=column>", "which column goes where; may be given again", parseMap, {})
    .option("--threads <count>", "(default: up to 4)", whole("--threads"))
    .option("--spin", "let waiting threads spin: faster on a machine with nothing else to do")
    .option("--tune", "time the ways to write gradients first (on a quiet machine)")
    .option("--recipe <file>", "take all of this from a recipe; options overrule it")
    .option("-o, --output <file>", "the model to write (default: model.onnx)")
    .option("--resume [checkpoint]", "go on from a checkpoint (default: that of the output)")
    .option("--max-energy <energy>", "end when more is used up, such as 50kJ", (text) =>
      parseEnergy("--max-energy", text),
    )
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--name <name>", "name of the run (default: network and data)")
    .addOption(tagOption("tag of the run; may be given again"))
    .option("--json", "print the outcome as JSON")
    .option("-q, --quiet", "no progress")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES);
}

export type TrainOptions = ReturnType<ReturnType<typeof trainOptions>["opts"]>;

/** What a recipe is before its loss and metric are known, which may follow from the data. */
export type OpenRecipe = Omit<Recipe, "loss" | "metric"> & Partial<Pick<Recipe, "loss" | "metric">>;

/** The recipe of a command line, over that of a file. Throws UserError for what is missing. */
export function recipeFrom(options: TrainOptions, base: Recipe | null): OpenRecipe {
  const data = options.data ?? base?.data;
  if (data === undefined) {
    throw new UserError("usage", "there is nothing to train on", {
      hint: "Name a dataset, a file or a folder: --data eurosat.",
    });
  }
  const loss = lossFrom(options, base);
  const metric = options.metric ?? (options.loss === undefined ? base?.metric : undefined);
  return {
    schema: "godwit.recipe/1",
    model: modelFrom(options, base),
    data,
    validation: options.validation ?? base?.validation ?? 0.1,
    test: options.test ?? base?.test ?? 0,
    epochs: options.epochs ?? base?.epochs ?? 10,
    batchSize: options.batch ?? base?.batchSize ?? 32,
    accumulate: options.accumulate ?? base?.accumulate ?? 1,
    seed: options.seed ?? base?.seed ?? 1,
    ...(loss === undefined ? {} : { loss }),
    ...(metric === undefined ? {} : { metric }),
    optimizer: optimizerFrom(options, base),
    schedule: scheduleFrom(options, base),
    ...given({
      clipNorm: options.clip ?? base?.clipNorm,
      average: options.average ?? base?.average,
      patience: options.patience ?? base?.patience,
      augment: augmentFrom(options) ?? base?.augment,
      ...rowsFrom(options, base),
      only: listFrom(options.only) ?? base?.only,
      freeze: listFrom(options.freeze) ?? base?.freeze,
      lora: options.lora === undefined ? base?.lora : { rank: options.lora },
      columns: Object.keys(options.map).length > 0 ? options.map : base?.columns,
      threads: options.threads ?? base?.threads,
      spin: options.spin ?? base?.spin,
      ways: base?.ways,
    }),
  };
}

function modelFrom(options: TrainOptions, base: Recipe | null): Recipe["model"] {
  const { net, model, newHead, alpha, rho } = options;
  if (net !== undefined && model !== undefined) {
    throw new UserError("usage", "--net and --model contradict each other", {
      hint: "Leave one of them out.",
    });
  }
  if (model !== undefined) return { file: model, ...given({ newHead }) };
  const before = base?.model;
  if (net !== undefined) return { net, ...given({ alpha, rho }) };
  if (before === undefined) {
    throw new UserError("usage", "there is nothing to train", {
      hint: "Name a network (--net lenet-5) or a model of yours (--model model.onnx).",
    });
  }
  return "net" in before
    ? { ...before, ...given({ alpha, rho }) }
    : { ...before, ...given({ newHead }) };
}

function lossFrom(options: TrainOptions, base: Recipe | null): Recipe["loss"] | undefined {
  const { loss = options.smoothing === undefined ? undefined : "cross-entropy", smoothing } =
    options;
  if (loss === undefined) return base?.loss;
  return loss === "cross-entropy" ? { kind: loss, ...given({ smoothing }) } : { kind: loss };
}

function optimizerFrom(options: TrainOptions, base: Recipe | null): Recipe["optimizer"] {
  const { optimizer, momentum, weightDecay } = options;
  const kind = optimizer ?? base?.optimizer.kind ?? "adamw";
  const before = kind === base?.optimizer.kind ? base.optimizer : { kind };
  const own = kind === "sgd" || kind === "rmsprop" ? { momentum } : {};
  return { ...before, ...given({ ...own, weightDecay }) } as Recipe["optimizer"];
}

const DEFAULT_RATE = 0.003;

function scheduleFrom(options: TrainOptions, base: Recipe | null): Recipe["schedule"] {
  const { schedule, rate, warmUp } = options;
  const before = base?.schedule;
  const kind = schedule ?? before?.kind ?? "one-cycle";
  if (warmUp !== undefined && kind === "one-cycle") {
    throw new UserError("usage", "--warm-up: one-cycle rises by itself", {
      hint: "Use it with --schedule cosine or constant.",
    });
  }
  const kept = before?.kind === kind ? before : { kind, rate: before?.rate ?? DEFAULT_RATE };
  return { ...kept, ...given({ rate, warmUp }) } as Recipe["schedule"];
}

const DEFAULT_FRACTION = 0.5;

/** Which rows, and in which order. */
function rowsFrom(
  { select: kind, fraction, curriculum: duration, scoreEpochs: epochs }: TrainOptions,
  base: Recipe | null,
): Pick<Recipe, "select" | "curriculum"> {
  const before = base?.select;
  const chosen = kind ?? before?.kind;
  const scored = chosen === "el2n" || chosen === "grand" || chosen === "forgetting";
  if (fraction !== undefined && (chosen === undefined || chosen === "dedup")) {
    throw new UserError("usage", "--fraction is a share of rows that are chosen", {
      hint: "Say how with --select, such as --select coreset; dedup keeps what is not alike.",
    });
  }
  if (fraction !== undefined && !(fraction > 0 && fraction < 1)) {
    throw new UserError("usage", `--fraction is ${fraction}`, {
      hint: "Give a share between 0 and 1, such as 50%.",
    });
  }
  if (epochs !== undefined && !scored && duration === undefined && base?.curriculum === undefined) {
    throw new UserError("usage", "--score-epochs: nothing is scored by a model", {
      hint: "Use it with --select el2n, grand or forgetting, or with --curriculum.",
    });
  }
  const kept = kind === undefined || kind === before?.kind ? before : { kind };
  const share = chosen === "dedup" ? {} : { fraction: fraction ?? fractionOf(before) };
  const select =
    kept === undefined ? undefined : { ...kept, ...share, ...given(scored ? { epochs } : {}) };
  const order = duration === undefined ? base?.curriculum : { ...base?.curriculum, duration };
  return {
    select: select as Recipe["select"],
    curriculum: order === undefined ? undefined : { ...order, ...given({ epochs }) },
  };
}

const fractionOf = (select: Recipe["select"]): number =>
  select !== undefined && "fraction" in select ? select.fraction : DEFAULT_FRACTION;

function augmentFrom({ flip, flipVertical, turn, shift }: TrainOptions): Recipe["augment"] {
  const chosen = given({ flip, flipVertical, turn, shift });
  return Object.keys(chosen).length === 0 ? undefined : chosen;
}

const listFrom = (list: readonly string[]): string[] | undefined =>
  list.length === 0 ? undefined : [...list];

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what was not given. */
function given<T extends object>(of: T): Given<T> {
  return Object.fromEntries(
    Object.entries(of).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
