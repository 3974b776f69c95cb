// The options of `godwit tune-training`, and what they mean.

import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import type { RecurringOptions } from "../systems/tune/index.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parsePattern } from "./tune-training-output.ts";
import { parseCount, parseDuration, parseNumber, parsePower, parseShare } from "./values.ts";

const HELP = `
{batch} in the command becomes the batch size. Each run is one coming of the job: the first ones try the
batch sizes from the default down and up, later ones draw by what the ledger knows (Thompson sampling).
With --power-limit the first run of a batch size profiles the limits as it goes, then keeps the best.
Limits are put back at the end, and after a crash by the next run or by --restore.
Setting limits is unverified on hardware: it is tested on stand-ins for nvidia-smi and powercap.
Most of the gain is the batch size, not the limit: on a V100, limits alone save 3 to 31 % of energy for
more time, and nearly nothing for none.

Examples:
  $ godwit tune-training --batch 16,32,64 --metric-pattern 'acc=([\\d.]+)' --target 0.9 \\
      -- ./train.sh --batch {batch}
  $ godwit tune-training --batch 128,256 --power-limit 150W,200W,250W --progress-pattern 'step \\d+' \\
      --no-slowdown --times 10 -- python train.py -b {batch}
  $ godwit tune-training --batch 16,32 --power-limit 100W,150W --dry-run -- ./train.sh {batch}
  $ sudo godwit tune-training --restore`;

/** The command with its options. */
export function tuneOptions() {
  return new Command("tune-training")
    .description("Find the batch size and power limit at which a recurring training costs least.")
    .argument("[command...]", "the training, with {batch} where the batch size stands")
    .passThroughOptions()
    .option("--batch <sizes>", "batch sizes to choose from: 16,32,64")
    .option("--default <size>", "the usual batch size (default: the largest)", (text) =>
      parseCount("--default", text, 1),
    )
    .option("--power-limit <watts>", "limits to choose from: 150W,200W; left alone unless given")
    .addOption(
      new Option("--device <kind>", "whose limits")
        .choices(["gpu", "cpu"] as const)
        .default("gpu" as const),
    )
    .option("--metric-pattern <regex>", "finds the metric in the output: 'acc=([\\d.]+)'", (text) =>
      parsePattern("--metric-pattern", text),
    )
    .option("--target <value>", "the metric that must be reached", (text) =>
      parseNumber("--target", text),
    )
    .option("--lower", "a lower metric is better, as a loss")
    .option(
      "--progress-pattern <regex>",
      "a line of progress, for profiling: 'step \\d+'",
      (text) => parsePattern("--progress-pattern", text),
    )
    .option(
      "--slice <time>",
      "how long each limit is profiled at least",
      (text): number => parseDuration("--slice", text),
      10,
    )
    .option(
      "--eta <share>",
      "weight of energy against time: 1 is energy alone",
      (text) => parseShare("--eta", text),
      0.5,
    )
    .option(
      "--most-power <watts>",
      "what a second costs: the device's highest power",
      (text): number => parsePower("--most-power", text),
    )
    .option(
      "--beta <factor>",
      "stop a run at so many times the best cost",
      (text) => parseNumber("--beta", text),
      2,
    )
    .option(
      "--window <count>",
      "learn from the last so many runs of a size; 0 is all",
      (text) => parseCount("--window", text, 0),
      0,
    )
    .option("--max-slowdown <share>", "most time more than the usual setting takes: 5%", (text) =>
      parseShare("--max-slowdown", text),
    )
    .option("--no-slowdown", "take no time more than the usual setting")
    .option("--stop-at-target", "end a run as soon as it has reached the target")
    .option("--times <count>", "runs to make", (text) => parseCount("--times", text, 1), 1)
    .option("--name <name>", "name of the job in the ledger (default: the command)")
    .option("--seed <number>", "of the draws", (text) => parseCount("--seed", text, 0), 1)
    .option("--dry-run", "tell what would be run and set, and do neither")
    .option("--restore", "put back power limits that a killed run has left")
    .option("--json", "print what was learned as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);
}

export type TuneOptions = ReturnType<ReturnType<typeof tuneOptions>["opts"]>;

/** Everything that was asked of one tuning. */
export interface TunePlan {
  readonly command: readonly [string, ...string[]];
  readonly name: string;
  readonly limits: readonly number[];
  readonly choice: Omit<RecurringOptions, "highestLimit">;
  readonly mostPower: number | null;
}

/** Throws UserError for what contradicts itself. */
export function tunePlanOf(words: readonly string[], options: TuneOptions): TunePlan {
  const [file, ...args] = words;
  if (file === undefined)
    throw new UserError("usage", "there is no training to tune", {
      hint: "Write it after --: godwit tune-training --batch 16,32 -- ./train.sh --batch {batch}",
    });
  const batches = listOf("--batch", options.batch ?? "", (text) => parseCount("--batch", text, 1));
  if (batches.length === 0 || !words.some((word) => word.includes("{batch}")))
    throw new UserError("usage", "which batch sizes, and where do they go?", {
      hint: "Give --batch 16,32,64, and {batch} in the command.",
    });
  if ((options.target === undefined) !== (options.metricPattern === undefined))
    throw new UserError("usage", "--target and --metric-pattern belong together", {
      hint: "Give both; without them a run that ends well has reached its target.",
    });
  const limits = listOf("--power-limit", options.powerLimit ?? "", (text) =>
    parsePower("--power-limit", text),
  );
  if (limits.length > 1 && options.progressPattern === undefined)
    throw new UserError("usage", "how is progress told? Limits are compared by it", {
      hint: "Give --progress-pattern, such as 'step \\d+' or 'Epoch (\\d+)'.",
    });
  const defaultBatch = options.default ?? Math.max(...batches);
  if (!batches.includes(defaultBatch))
    throw new UserError(
      "usage",
      `--default ${defaultBatch} is not among --batch ${options.batch}`,
      {
        hint: "Add it to --batch, or choose another.",
      },
    );
  if (!(options.beta >= 1))
    throw new UserError("usage", `--beta ${options.beta} would stop every run`, {
      hint: "Give 1 or more; 2 is usual.",
    });
  // `--no-slowdown` sets the option `slowdown` to false.
  const slowdown = options.slowdown === false ? 0 : (options.maxSlowdown ?? Infinity);
  const { eta, beta, window, seed } = options;
  return {
    command: [file, ...args],
    name: options.name ?? words.join(" "),
    limits,
    choice: { eta, batches, defaultBatch, beta, window, slowdown, seed },
    mostPower: options.mostPower ?? null,
  };
}

function listOf(option: string, text: string, parse: (text: string) => number): readonly number[] {
  const values = text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part) => parse(part.trim()));
  if (new Set(values).size === values.length) return values;
  throw new UserError("usage", `${option}: a value stands twice in ${text}`, {
    hint: "Give each once.",
  });
}
