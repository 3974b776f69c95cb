// The options of `godwit run`, and what they mean.

import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import { exact, type Figure, significant } from "../core/index.ts";
import type { Joules, Seconds } from "../core/quantity.ts";
import { type LocateOptions, SERVER_LIFE, years } from "../measure/carbon/index.ts";
import { parseEpochPattern } from "../measure/run/epochs.ts";
import type { FootprintFactors } from "../measure/run/footprint.ts";
import type { CliContext } from "./context.ts";
import { declared, readSettings } from "./settings.ts";
import { tagOption } from "./tag-option.ts";
import {
  parseCount,
  parseDuration,
  parseEnergy,
  parseIntensity,
  parseMass,
  parseNumber,
  parsePrice,
} from "./values.ts";

/** Everything that was asked of one `godwit run`. */
export interface RunPlan {
  readonly command: readonly [string, ...string[]];
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly runs: number;
  readonly warmUps: number;
  /** Length of a measurement of the idle machine beforehand. */
  readonly idle: Seconds | null;
  readonly interval: Seconds | null;
  readonly signal: LocateOptions;
  readonly pue: number | null;
  readonly footprint: FootprintFactors;
  readonly model: string | null;
  readonly meter: string | null;
  readonly ledger: string | null;
  /** The card waits in a file: a node of a cluster must not open a database on a file system it shares. */
  readonly defers: boolean;
  readonly requireMeasured: boolean;
  readonly budget: {
    readonly energy: Joules;
    readonly onExceed: "warn" | "stop";
    /** Wait between SIGTERM and SIGKILL; null: never kill. */
    readonly grace: Seconds | null;
  } | null;
  readonly epochs: { readonly pattern: string; readonly total: number | null } | null;
  /** File for the JSON, `-` for standard output. */
  readonly json: string | null;
  readonly summary: "auto" | "always" | "never";
}

const EXAMPLES = `
Examples:
  $ godwit run -- python train.py --epochs 3
  $ godwit run -n 10 --warmup 1 --json result.json -- ./infer --batch 8
  $ godwit run --epoch-pattern 'Epoch (\\d+)' --epochs 100 --max-energy 2kWh -- python train.py

The command's input, output and exit code are its own; the summary goes to standard error.
godwit help exit-codes lists the codes that are godwit's.`;

/** The command with its options; the action gets the plan. */
export function runOptions() {
  return new Command("run")
    .description("Run a command and report what it cost: time, power, energy, carbon.")
    .argument("<command...>", "the command and its arguments")
    .passThroughOptions()
    .option(
      "-n, --runs <count>",
      "run it so many times",
      (text) => parseCount("--runs", text, 1),
      1,
    )
    .option(
      "--warmup <count>",
      "run it so often before, unmeasured",
      (text) => parseCount("--warmup", text, 0),
      0,
    )
    .option("--idle <duration>", "measure the idle machine before, such as 3s", (text) =>
      parseDuration("--idle", text),
    )
    .option("--name <name>", "name of the run (default: the command)")
    .addOption(tagOption("tag of the run; may be given again"))
    .option("--location <place>", "whose carbon intensity applies: DE, US-CA, eu-west-1 ...")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--pue <factor>", "power usage effectiveness of the data centre", (text) =>
      parseNumber("--pue", text),
    )
    .option("--price <amount/kWh>", "price of electricity, such as 0.30EUR/kWh", (text) =>
      priceOf("money/kWh", "--price", text),
    )
    .option("--carbon-price <amount/t>", "price of a tonne of CO2e, such as 80EUR/t", (text) =>
      priceOf("money/tCO2e", "--carbon-price", text),
    )
    .option("--embodied <mass>", "CO2e of making this machine, such as 1300kg", (text) =>
      parseMass("--embodied", text),
    )
    .option("--life <years>", "how long this machine serves (default: 4)", (text) =>
      parseYears("--life", text),
    )
    .option("--model <file>", "the model that is run; its size goes on the card")
    .option("--meter <file|url>", "an external power meter")
    .option("--interval <duration>", "time between samples (default: by the sensors)", (text) =>
      parseDuration("--interval", text),
    )
    .addOption(new Option("--require <method>", "refuse to run on estimates").choices(["measured"]))
    .option("--max-energy <energy>", "budget of the run, such as 2kWh", (text) =>
      parseEnergy("--max-energy", text),
    )
    .addOption(
      new Option("--on-exceed <action>", "what to do beyond the budget")
        .choices(["warn", "stop"])
        .default("warn" as const),
    )
    .option("--kill-after <duration>", "with stop: kill what has not ended by then", (text) =>
      parseDuration("--kill-after", text),
    )
    .option(
      "--epoch-pattern <regex>",
      "find epochs in the output, such as 'Epoch (\\d+)'",
      (text) => parseEpochPattern(text).source,
    )
    .option("--epochs <count>", "epochs in all, to predict the whole run", (text) =>
      parseCount("--epochs", text, 1),
    )
    .option(
      "--json <file>",
      "write the card, or the cards of -n, as JSON; - is standard output, after the command's own",
    )
    .option("--summary", "print the summary even when standard error is no terminal")
    .option("-q, --quiet", "print no summary")
    .option(
      "--ledger <place>",
      "where runs are kept: a folder or a postgresql:// URL (default: .godwit of the project)",
    )
    .addOption(
      new Option("--defer", "let the card wait in a file of the ledger's folder").hideHelp(),
    )
    .addHelpText("after", EXAMPLES);
}

type Options = ReturnType<ReturnType<typeof runOptions>["opts"]>;

/**
 * The plan; what the command line leaves open is taken from the environment. Throws UserError for
 * options that contradict each other.
 */
export function planOf(command: readonly string[], options: Options, context: Site): RunPlan {
  const [file, ...args] = command;
  if (file === undefined) throw new Error("the command line has no command");
  if (options.epochs !== undefined && options.epochPattern === undefined) {
    throw new UserError("usage", "--epochs needs to know how an epoch looks in the output", {
      hint: "Add --epoch-pattern, such as --epoch-pattern 'Epoch (\\d+)'.",
    });
  }
  if (options.summary && options.quiet) {
    throw new UserError("usage", "--summary and --quiet contradict each other", {
      hint: "Leave one of them out.",
    });
  }
  const { maxEnergy, epochPattern } = options;
  return {
    command: [file, ...args],
    name: options.name ?? command.join(" "),
    tags: options.tag,
    runs: options.runs,
    warmUps: options.warmup,
    idle: options.idle ?? null,
    interval: options.interval ?? null,
    signal: signalOf(options, context),
    pue: declared(context, "pue", options.pue, parseNumber) ?? null,
    footprint: footprintOf(options, context),
    model: options.model ?? null,
    meter: options.meter ?? null,
    ledger: options.ledger ?? null,
    defers: options.defer === true,
    requireMeasured: options.require !== undefined,
    budget:
      maxEnergy === undefined
        ? null
        : { energy: maxEnergy, onExceed: options.onExceed, grace: options.killAfter ?? null },
    epochs:
      epochPattern === undefined ? null : { pattern: epochPattern, total: options.epochs ?? null },
    json: options.json ?? null,
    summary: options.quiet ? "never" : options.summary ? "always" : "auto",
  };
}

/** Where a command runs: its environment, and the folder whose settings apply. */
type Site = Pick<CliContext, "env" | "cwd">;

/**
 * An option overrules the environment, and that the project's settings; an intensity overrules a place
 * of the same rank.
 */
export function signalOf(
  options: Pick<Options, "intensity" | "location">,
  { env, cwd }: Site,
): LocateOptions {
  const { intensity, location } = options;
  if (intensity !== undefined) return { intensity, given: "by --intensity" };
  if (location !== undefined) return { location, given: "by --location" };
  const declared = fromEnv(env, "GODWIT_INTENSITY", parseIntensity);
  if (declared !== undefined) return { intensity: declared, given: "by GODWIT_INTENSITY" };
  const place = env["GODWIT_LOCATION"];
  if (place) return { location: place, given: "by GODWIT_LOCATION" };
  const { path, values } = readSettings(cwd);
  return {
    // Asking a cloud's metadata service is network traffic, so it is done only when allowed.
    ...(env["GODWIT_CLOUD_METADATA"] === "1" ? { metadata: true } : {}),
    ...(values.location === undefined
      ? {}
      : { config: { location: values.location, given: `by ${path}` } }),
  };
}

/** What was declared of the machine's making and of prices. */
function footprintOf(options: Options, site: Site): FootprintFactors {
  const price = declared(site, "price", options.price, (option, text) =>
    priceOf("money/kWh", option, text),
  );
  const carbonPrice = declared(site, "carbonPrice", options.carbonPrice, (option, text) =>
    priceOf("money/tCO2e", option, text),
  );
  const kilograms = declared(site, "embodied", options.embodied, parseMass);
  const life = declared(site, "life", options.life, parseYears);
  if (life !== undefined && kilograms === undefined) {
    throw new UserError(
      "usage",
      "a life of the machine was given, and not what making it emitted",
      {
        hint: "Add --embodied, such as --embodied 1300kg (the maker's product carbon footprint).",
      },
    );
  }
  return {
    ...(price === undefined ? {} : { price }),
    ...(carbonPrice === undefined ? {} : { carbonPrice }),
    ...(kilograms === undefined ? {} : { embodied: declaredHardware(kilograms, life) }),
  };
}

const declaredHardware = (kilograms: number, life: Figure<"s"> | undefined) => ({
  total: exact("gCO2e", kilograms * 1000, {
    method: "declared",
    source: "embodied emissions as given",
  }),
  life: life ?? SERVER_LIFE,
});

function priceOf<U extends "money/kWh" | "money/tCO2e">(unit: U, option: string, text: string) {
  const { currency, amount } = parsePrice(option, text, unit === "money/kWh" ? "kWh" : "t");
  const source = `${significant(amount)} ${currency}${unit.slice("money".length)} as given`;
  return { currency, rate: exact(unit, amount, { method: "declared", source }) };
}

function parseYears(option: string, text: string): Figure<"s"> {
  const count = parseNumber(option, text);
  if (!(count > 0 && count <= 50)) {
    throw new UserError("usage", `${option}: a life of ${text} years cannot be right`, {
      hint: "Give years of service, such as 4.",
    });
  }
  return exact("s", years(count), { method: "declared", source: `${text} years as given` });
}

/** A value of the environment; an empty one is none. */
function fromEnv<T>(
  env: CliContext["env"],
  name: string,
  parse: (option: string, text: string) => T,
): T | undefined {
  const text = env[name];
  return text ? parse(name, text) : undefined;
}
