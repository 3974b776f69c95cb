// The options of `godwit tune`, and the search that they mean.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { type Joules, UserError } from "../core/index.ts";
import { METRICS } from "../models/data/metrics/index.ts";
import {
  asha,
  bayes,
  fullRuns,
  type Goal,
  hyperbandBrackets,
  inBrackets,
  parseSpace,
  randomSampler,
  type Sampler,
  type Scheduler,
  type Space,
  successiveHalving,
  tpe,
} from "../models/search/index.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseCount, parseEnergy, parseIntensity, parseNumber } from "./values.ts";

const EXAMPLES = `
The space is a JSON file: {"lr": {"float": [1e-4, 1], "log": true}, "layers":
{"integer": [1, 4]}, "optimizer": {"choice": ["sgd", "adam"]}}. In the command, {lr} stands
for the value of lr and {resource} for the epochs (or whatever is rationed); all of them are
in GODWIT_CONFIG, too, as JSON. The command tells its metric in the file GODWIT_FACTS, or
prints it where --metric-pattern finds it. Let it judge by validation rows, not by test rows.

Examples:
  $ godwit tune --space space.json --trials 20 -- python train.py --lr {lr}
  $ godwit tune --space space.json --schedule asha --resource 1:27 --trials 40 -- \\
      godwit train --net mlp --data digits --rate {lr} --epochs {resource} -o {trial}.onnx
  $ godwit tune --space s.json --metric-pattern 'acc=([0-9.]+)' --energy front -- ./train {lr}

Ctrl-C ends the search; the same command with --resume and the name it told goes on.`;

/** The command with its options; the action gets the command and the options. */
export function tuneOptions() {
  return new Command("tune")
    .description("Search hyper-parameters of a command, counting what the search itself costs.")
    .argument("<command...>", "the command to tune, with {parameter} where a value goes")
    .passThroughOptions()
    .requiredOption("--space <file>", "JSON file of the parameters and their values")
    .addOption(
      new Option("--method <name>", "how configurations are proposed")
        .choices(["random", "tpe", "gp"] as const)
        .default("tpe" as const),
    )
    .addOption(
      new Option("--schedule <name>", "how the resource is rationed")
        .choices(["full", "halving", "hyperband", "asha"] as const)
        .default("full" as const),
    )
    .option(
      "--trials <count>",
      "configurations (hyperband: by its table)",
      (text) => parseCount("--trials", text, 1),
      20,
    )
    .option("--resource <least:most>", "of one run, such as 1:27 epochs", parseResource)
    .option(
      "--eta <factor>",
      "share that goes on: one in eta",
      (text) => parseCount("--eta", text, 2),
      3,
    )
    .option("--metric <name>", "what is judged", "accuracy")
    .option("--metric-pattern <regex>", "find it in the output: the last match's first group")
    .addOption(
      new Option("--better <direction>", "of the metric (default: known by its name)").choices([
        "higher",
        "lower",
      ] as const),
    )
    .addOption(
      new Option("--energy <role>", "energy beside the metric").choices(["front"] as const),
    )
    .option("--energy-limit <energy>", "of one run: what needs more is no candidate", (text) =>
      parseEnergy("--energy-limit", text),
    )
    .option("--good-enough <value>", "least energy among runs whose metric reaches this", (text) =>
      parseNumber("--good-enough", text),
    )
    .option("--max-energy <energy>", "of the whole search", (text) =>
      parseEnergy("--max-energy", text),
    )
    .option("--workers <count>", "runs at a time", (text) => parseCount("--workers", text, 1), 1)
    .option("--seed <number>", "of all draws", (text) => parseCount("--seed", text, 0), 1)
    .option("--name <name>", "name of the search (default: the command)")
    .option("--resume <search>", "go on with this search")
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--json", "print the result as JSON")
    .option("-q, --quiet", "no progress")
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES);
}

export type TuneOptions = ReturnType<ReturnType<typeof tuneOptions>["opts"]>;

/** No named type: the command's declaration has to spell it. */
function parseResource(text: string): { readonly least: number; readonly most: number } {
  const [, from, to] = /^(?:(\d+):)?(\d+)$/.exec(text) ?? [];
  const most = Number(to);
  const least = from === undefined ? most : Number(from);
  if (to !== undefined && least >= 1 && least <= most) return { least, most };
  throw new UserError("usage", `--resource: cannot read "${text}"`, {
    hint: "Give whole numbers from 1, such as 1:27, or 10 for all runs alike.",
  });
}

/** What the search needs, from the options. Throws UserError for what does not fit together. */
export interface TunePlan {
  readonly space: Space;
  readonly sampler: Sampler;
  readonly scheduler: Scheduler;
  readonly goal: Goal;
  readonly metric: string;
  readonly pattern: RegExp | null;
  readonly maxEnergy: Joules | null;
}

export function planOfTune(options: TuneOptions, cwd: string): TunePlan {
  return {
    space: readSpace(resolve(cwd, options.space)),
    sampler: { random: randomSampler, tpe: tpe(), gp: bayes() }[options.method],
    scheduler: schedulerOf(options),
    goal: { better: directionOf(options), ...energyOf(options) },
    metric: options.metric,
    pattern: options.metricPattern === undefined ? null : patternOf(options.metricPattern),
    maxEnergy: options.maxEnergy ?? null,
  };
}

function readSpace(path: string): Space {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("invalid-input", `--space: cannot read ${path}`, {
      hint: 'Give a JSON file such as {"lr": {"float": [1e-4, 1], "log": true}}.',
      cause,
    });
  }
  try {
    return parseSpace(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError("invalid-input", `--space: ${path} is not JSON`, {
      hint: 'Write an object such as {"lr": {"float": [1e-4, 1], "log": true}}.',
      cause,
    });
  }
}

function schedulerOf({ schedule, trials, resource, eta }: TuneOptions): Scheduler {
  const { least, most } = resource ?? { least: 1, most: 1 };
  if (schedule !== "full" && least === most) {
    throw new UserError("usage", `--schedule ${schedule} needs a range of the resource`, {
      hint: "Add --resource, such as --resource 1:27, and {resource} in the command.",
    });
  }
  switch (schedule) {
    case "full":
      return fullRuns(trials, most);
    case "halving":
      return inBrackets("halving", [successiveHalving(trials, least, most, eta)]);
    case "hyperband":
      return inBrackets("hyperband", hyperbandBrackets(most, eta, least));
    case "asha":
      return asha({ trials, least, most, eta });
    default:
      throw new TypeError(schedule satisfies never);
  }
}

/** Names that say that less is better. */
const LOWER = /loss|error|mse|mae|rmse|mape|perplexity|cer|wer|time|seconds|energy/i;

function directionOf({ better, metric }: TuneOptions): Goal["better"] {
  if (better !== undefined) return better;
  const known = METRICS.find(({ name }) => name === metric);
  if (known !== undefined) return known.better;
  if (LOWER.test(metric)) return "lower";
  if (/acc|score|f1|auc|precision|recall|r2/i.test(metric)) return "higher";
  throw new UserError("usage", `whether more of ${metric} is better is not known`, {
    hint: "Add --better higher or --better lower.",
  });
}

function energyOf({ energy, energyLimit, goodEnough }: TuneOptions): Pick<Goal, "energy"> {
  const given = [energy, energyLimit, goodEnough].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new UserError("usage", "energy can have one role only", {
      hint: "Give one of --energy front, --energy-limit and --good-enough.",
    });
  }
  if (energyLimit !== undefined) return { energy: { role: "limit", joules: energyLimit } };
  if (goodEnough !== undefined) return { energy: { role: "objective", goodEnough } };
  return energy === undefined ? {} : { energy: { role: "front" } };
}

function patternOf(source: string): RegExp {
  const fault = (cause?: unknown): UserError =>
    new UserError("usage", `--metric-pattern: cannot use "${source}"`, {
      hint: "Give a regular expression with one group, such as 'acc=([0-9.]+)'.",
      cause,
    });
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, "g");
  } catch (cause) {
    throw fault(cause);
  }
  // An alternative that matches nothing tells how many groups there are.
  if ((new RegExp(`${source}|`).exec("")?.length ?? 0) < 2) throw fault();
  return pattern;
}
