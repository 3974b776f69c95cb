// What can be asked of `godwit slim` and its parts.

import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseCount, parseDuration, parseIntensity, parseNumber } from "./values.ts";

/**
 * `0.5pp` is half a percentage point; a bare number is in units of the metric. Below nothing there is
 * nothing to lose: a negative drop is one of 0, which keeps outputs.
 */
export function parseDrop(text: string): number {
  const [, number = "", unit = ""] =
    /^\s*([+-]?[\d.]+(?:e[+-]?\d+)?)\s*(pp|dB)?\s*$/i.exec(text) ?? [];
  const value = Number(number);
  if (number === "" || !Number.isFinite(value)) {
    throw new UserError("usage", `--max-drop: cannot read "${text}"`, {
      hint: "Give percentage points, such as 0.5pp, or a number in units of the metric, such as 0.01; 0 keeps outputs.",
    });
  }
  return Math.max(0, unit.toLowerCase() === "pp" ? value / 100 : value);
}

/** Numbers after commas: `0.485,0.456,0.406`. */
function parseNumbers(option: string, text: string): readonly number[] {
  const values = text.split(",").map(Number);
  if (values.every(Number.isFinite)) return values;
  throw new UserError("usage", `${option}: cannot read "${text}"`, {
    hint: "Give numbers, one for each channel, such as 0.485,0.456,0.406.",
  });
}

function parseSides(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (width !== undefined && height !== undefined) {
    return { width: Number(width), height: Number(height) };
  }
  throw new UserError("usage", `--image-size: cannot read "${text}"`, {
    hint: "Give width x height, such as 224x224.",
  });
}

/** The option `--seed` of every part that draws. */
export const SEED_OPTION = [
  "--seed <number>",
  "of every random choice",
  (text: string): number => parseCount("--seed", text, 0),
  1,
] as const;

/** A command with the options that say what a model is fed with and judged by. */
export const dataCommand = (name: string) =>
  new Command(name)
    .option("--data <name|path>", "samples: a dataset by name, a file, a folder, a module")
    .option(
      "--metric <name|module>",
      "accuracy, top-5, f1-macro, mse, snr, cosine, cer, exact-match, agreement ... (default: by the labels)",
    )
    .option("--label <column>", "column of the truth (default: label, target or text)")
    .option("--output <name>", "the output that is judged (default: the first)")
    .option("--alphabet <file>", "read the output as text by CTC; one character a line")
    .option("--fixed <file.npz>", "inputs that are the same in every run, such as states")
    .option(
      "--batch <count>",
      "samples in a run of the deployed model",
      (text) => parseCount("--batch", text, 1),
      1,
    )
    .option("--image-size <WxH>", "resize images", parseSides)
    .addOption(new Option("--layout <axes>", "of images").choices(["CHW", "HWC"] as const))
    .addOption(
      new Option("--channels <order>", "of images").choices(["RGB", "BGR", "grey"] as const),
    )
    .option("--scale <factor>", "on pixels 0 to 255 (default: 1/255)", (text) =>
      parseNumber("--scale", text),
    )
    .option("--mean <numbers>", "by channel, after scaling", (text) => parseNumbers("--mean", text))
    .option("--deviation <numbers>", "by channel", (text) => parseNumbers("--deviation", text))
    .option("--tokenizer <file>", "tokenizer.json for a column of text")
    .option("--text-column <name>", "that column", "text")
    .option(
      "--text-length <tokens>",
      "of a sample",
      (text) => parseCount("--text-length", text, 1),
      128,
    )
    .option("--allow-nonfinite-inputs", "go on although samples hold NaN or infinities")
    .option("--force", "go on with too few samples; the report says so");

const HELP = `
Ends with
    0  a smaller model was written, and verified on samples that nothing else has seen
    2  the budget cannot be met, or it cannot be shown that it is
    3  nothing costs less than the original with the session settings that are told
    4  the model cannot be used        5  the data cannot be used
    6  the written file failed its checks (a fault of godwit)
   64  the command line is wrong: an option, or a value of one
  130  interrupted; godwit slim resume goes on

Examples:
  $ godwit slim model.onnx --data photos/ --image-size 224x224 --max-drop 0.5pp
  $ godwit slim model.onnx --data eurosat:test --metric accuracy --report report.html
  $ godwit slim reader.onnx --data lines.mjs --alphabet letters.txt --metric exact-match
  $ godwit slim model.onnx --data clips.npz --metric snr --max-drop 1dB --objective size
  $ godwit slim inspect model.onnx`;

/** The command without its action and its parts. */
export const slimOptions = () =>
  dataCommand("slim")
    // Options behind the name of a part are those of the part.
    .enablePositionalOptions()
    .description("Make a model smaller and less hungry, with its accuracy verified.")
    .argument("<model>", "an .onnx file")
    .option(
      "--max-drop <drop>",
      "largest drop that is accepted: 0.5pp, or in units of the metric; 0 keeps outputs",
      parseDrop,
      0.01,
    )
    .addOption(
      new Option("--objective <what>", "what is to be small")
        .choices(["energy", "latency", "size"] as const)
        .default("energy" as const),
    )
    .addOption(
      new Option(
        "--effort <how>",
        "how much is tried: quick is int8 alone, normal makes models thinner and looks around the best, high tries more of all and then evolves recipes until the time is up",
      )
        .choices(["quick", "normal", "high"] as const)
        .default("normal" as const),
    )
    .option("--only <passes>", "of quantise,prune,factorise,distil", (text) => text.split(","))
    .option("-o, --out <file>", "the model to write (default: MODEL.green.onnx)")
    .option("--report <file>", "write a page with pictures, or Markdown for .md")
    .option("--time-limit <duration>", "of the whole, such as 10min (default: 20min)", (text) =>
      parseDuration("--time-limit", text),
    )
    .option(
      "--write-best-effort",
      "write the best model even where it is not shown to be within the budget",
    )
    .option(
      "--run-dir <folder>",
      "what was computed, for resuming (default: beside the model that is written)",
    )
    .option(...SEED_OPTION)
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--json", "print the report as JSON")
    .option("-q, --quiet", "no progress")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);

/** What a search is asked. */
export type SlimOptions = ReturnType<ReturnType<typeof slimOptions>["opts"]>;

/** Whether students are taught in a search. */
export const learns = ({ effort, only }: Pick<SlimOptions, "effort" | "only">): boolean =>
  effort !== "quick" && (only?.includes("distil") ?? true);

/** What the data options of a command line say. */
export type DataOptions = ReturnType<ReturnType<typeof dataCommand>["opts"]>;

/** The same options as a command line has them, for a process of its own and for the report. */
export function dataArguments(options: DataOptions): readonly string[] {
  const { imageSize } = options;
  const pairs: readonly (readonly [string, string | number | undefined])[] = [
    ["--data", options.data],
    ["--metric", options.metric],
    ["--label", options.label],
    ["--output", options.output],
    ["--alphabet", options.alphabet],
    ["--fixed", options.fixed],
    ["--batch", options.batch],
    [
      "--image-size",
      imageSize === undefined ? undefined : `${imageSize.width}x${imageSize.height}`,
    ],
    ["--layout", options.layout],
    ["--channels", options.channels],
    ["--scale", options.scale],
    ["--mean", options.mean?.join(",")],
    ["--deviation", options.deviation?.join(",")],
    ["--tokenizer", options.tokenizer],
    ...(options.tokenizer === undefined
      ? []
      : ([
          ["--text-column", options.textColumn],
          ["--text-length", options.textLength],
        ] as const)),
  ];
  return [
    ...pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)])),
    ...(options.allowNonfiniteInputs === true ? ["--allow-nonfinite-inputs"] : []),
    ...(options.force === true ? ["--force"] : []),
  ];
}
