// `godwit calibrate`: what lies between this machine's sensors, or the load of its processors, and its
// plug, found once by steps of load against a meter and kept for later runs.

import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import type { Machine } from "../core/card.ts";
import { hostErrorCode, UserError } from "../core/index.ts";
import type { LoadGenerator, Profile, Truth } from "../measure/calibrate/index.ts";
import { describeProfile, describeStep } from "./calibrate-text.ts";
import { parseReadings, parseSteps } from "./calibrate-values.ts";
import type { CliContext } from "./context.ts";
import { parseDuration } from "./values.ts";

/** What of the machine a test replaces. */
export interface CalibrateParts {
  readonly createLoad: (processors: number) => LoadGenerator | Promise<LoadGenerator>;
  /** Asks a person on the terminal. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string>;
}

const EXAMPLES = `
It takes about five minutes, in which nothing else should run. The result holds for this machine and
is used by later runs, which say so. Ctrl-C leaves what was there before.

Examples:
  $ godwit calibrate                                 # battery, BMC or GODWIT_METER, whichever there is
  $ godwit calibrate --meter http://192.168.1.20/status
  $ godwit calibrate --readings                      # asks what a plug with a display shows
  $ godwit calibrate --readings 62,78,95,110,121     # as noted at the same steps before
  $ godwit calibrate --show`;

interface CalibrateOptions {
  readonly meter?: string;
  /** Watts as noted, or true: ask for them. */
  readonly readings?: readonly number[] | true;
  readonly steps: readonly number[];
  readonly seconds: number;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
  readonly show?: true;
  readonly remove?: true;
}

export const calibrateCommand = (context: CliContext, parts: CalibrateParts = realParts) =>
  new Command("calibrate")
    .description("Find what this machine draws at the plug, against a meter, for later runs.")
    .option("--meter <file|url>", "a file that a power logger appends to, or a smart plug")
    .option(
      "--readings [watts]",
      "readings by a person: asked for, or given for each step",
      (text) => parseReadings("--readings", text),
    )
    .addOption(
      new Option("--steps <percent>", "loads of all processors")
        .argParser((text: string) => parseSteps("--steps", text))
        .default([0, 0.25, 0.5, 0.75, 1] as readonly number[], "0,25,50,75,100"),
    )
    .option(
      "--seconds <duration>",
      "readings at each step, such as 20 or 1min",
      (text): number => parseDuration("--seconds", text),
      20,
    )
    .option("--force", "go on although other processes are busy")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--json", "the profile as one JSON object")
    .option("--show", "show the stored profile")
    .option("--remove", "remove the stored profile")
    .addHelpText("after", EXAMPLES)
    .action(async (given) => {
      const options = given as CalibrateOptions;
      const [{ identifyMachine }, { profilePath }] = await Promise.all([
        import("../measure/run/index.ts"),
        import("../measure/calibrate/index.ts"),
      ]);
      const machine = await identifyMachine(context.host);
      const path = profilePath(context.host, machine.id);
      if (path === null) {
        throw new UserError("unsupported", "there is no folder to keep a profile in", {
          hint: "Set XDG_CONFIG_HOME to a folder that you may write to.",
        });
      }
      if (options.remove === true) return remove(context, path);
      if (options.show === true)
        return show(context, { machine, path, json: options.json === true });
      await calibrateHere(context, { options, parts, machine, path });
    });

interface Work {
  readonly options: CalibrateOptions;
  readonly parts: CalibrateParts;
  readonly machine: Machine;
  readonly path: string;
}

async function calibrateHere(context: CliContext, work: Work): Promise<void> {
  const { options, parts, machine, path } = work;
  const { host } = context;
  const [calibration, { planEstimate, wallModelOf }, { providers }] = await Promise.all([
    import("../measure/calibrate/index.ts"),
    import("../measure/estimate/index.ts"),
    import("../measure/sensors/index.ts"),
  ]);
  const kind = (await planEstimate(host)).machine.machine;
  if (kind === "guest") refuseGuest(options);
  const abort = new AbortController();
  const truth = await chooseTruth(context, work, abort.signal);
  const components = await calibration.componentSensors(host, providers);
  const count = calibration.sequenceOf(options.steps, truth.kind).length;
  const plan = describePlan(
    truth,
    components.map(({ id }) => id),
    {
      count,
      seconds: calibration.expectedSeconds(count, options.seconds),
    },
  );
  if (options.dryRun === true) {
    context.stdout.write(plan);
    return;
  }
  context.stderr.write(plan);

  const interrupt = (signal: NodeJS.Signals): void => abort.abort(signal);
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const profile = await calibration.calibrate({
      host,
      machine,
      truth,
      components,
      load: await parts.createLoad(machine.cpu.threads),
      levels: options.steps,
      seconds: options.seconds,
      tolerant: options.force === true,
      besidesFactor: wallModelOf(kind)?.factor.value ?? 1,
      version: context.version,
      signal: abort.signal,
      onStep: (step, place) => context.stderr.write(describeStep(step, place)),
    });
    await save(path, calibration.profileText(profile));
    print(context, profile, { json: options.json === true, line: `saved      ${path}` });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    context.stderr.write("Interrupted; what was stored before is unchanged.\n");
    context.setExitCode(INTERRUPTED, abort.signal.reason as NodeJS.Signals);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** 128 and the number of SIGINT, as shells say it. */
const INTERRUPTED = 130;

/** A guest's plug is its host's: a reading there has the other guests in it. */
function refuseGuest({ force, meter, readings }: CalibrateOptions): void {
  if (force === true && (meter !== undefined || readings !== undefined)) return;
  throw new UserError("unsupported", "this is a guest: nothing here measures what it draws", {
    hint: [
      "A meter reads the whole host with all its guests. Calibrate the host itself, if it is yours.",
      "For guests godwit has a model of their share of the host: docs/methods/power-model.md.",
      "If this is the host's only guest: --force with --meter or --readings.",
    ].join("\n"),
  });
}

async function chooseTruth(context: CliContext, work: Work, signal: AbortSignal): Promise<Truth> {
  const { meter, readings, steps } = work.options;
  const { findTruth, meterTruth, typedTruth } = await import("../measure/calibrate/index.ts");
  if (meter !== undefined && readings !== undefined) {
    throw new UserError("usage", "--meter and --readings are two answers to one question", {
      hint: "Give one of them.",
    });
  }
  if (meter !== undefined) {
    const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(meter);
    return meterTruth(context.host, isAddress ? meter : resolve(context.cwd, meter));
  }
  if (readings === undefined) return findTruth(context.host);
  if (readings === true) return typedTruth((step) => askReading(context, work.parts, step, signal));
  if (readings.length !== steps.length) {
    throw new UserError("usage", `${readings.length} readings for ${steps.length} steps`, {
      hint: "Give one reading in watts for each of --steps, in their order.",
    });
  }
  return typedTruth(async ({ index }) => readings[index] ?? Number.NaN);
}

async function askReading(
  context: CliContext,
  { ask }: CalibrateParts,
  { asked }: { readonly asked: number },
  signal: AbortSignal,
): Promise<number> {
  if (!context.stdin.isTTY) {
    throw new UserError(
      "usage",
      "--readings without values asks on the terminal, and there is none",
      {
        hint: "Give them: --readings 62,78,95,110,121",
      },
    );
  }
  for (;;) {
    const text = await ask(`  ${Math.round(asked * 100)} % load: watts on the display? `, signal);
    const watts = Number(text.trim().replace(/\s*W$/i, "").replace(",", "."));
    if (watts > 0 && Number.isFinite(watts)) return watts;
    context.stderr.write("  Type a number of watts, such as 62 or 62.5.\n");
  }
}

function describePlan(
  truth: Truth,
  components: readonly string[],
  { count, seconds }: { readonly count: number; readonly seconds: number },
): string {
  const behind =
    components.length === 0 ? "none; the load of the processors" : components.join(", ");
  return [
    `against    ${truth.label}`,
    `sensors    ${behind}`,
    `steps      ${count}, about ${Math.ceil(seconds / 60)} min; close what else runs`,
    "",
  ].join("\n");
}

function print(
  context: CliContext,
  profile: Profile,
  { json, line }: { readonly json: boolean; readonly line: string },
): void {
  const text = json
    ? `${JSON.stringify(profile, null, 2)}\n`
    : `${describeProfile(profile)}${line}\n`;
  context.stdout.write(text);
}

async function show(
  context: CliContext,
  {
    machine,
    path,
    json,
  }: { readonly machine: Machine; readonly path: string; readonly json: boolean },
): Promise<void> {
  const { parseProfile, staleReason } = await import("../measure/calibrate/index.ts");
  const text = await context.host.readText(path).catch((error: unknown) => {
    if (hostErrorCode(error) !== "ENOENT") throw error;
    throw new UserError("invalid-input", "this machine has no stored profile", {
      hint: "godwit calibrate makes one.",
    });
  });
  const profile = parseProfile(text, path);
  const reason = staleReason(profile, machine, context.host.wall());
  const line = reason === null ? `used       by runs on this machine` : `not used   ${reason}`;
  print(context, profile, { json, line: `${line}\nfile       ${path}` });
}

async function remove(context: CliContext, path: string): Promise<void> {
  await rm(path, { force: true });
  context.stderr.write(`No profile is stored for this machine any more (${path}).\n`);
}

async function save(path: string, text: string): Promise<void> {
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, text);
}

const realParts: CalibrateParts = {
  async createLoad(processors) {
    const { createLoadGenerator } = await import("../measure/run/execute-load.ts");
    return createLoadGenerator(processors);
  },
  async ask(question, signal) {
    const { createInterface } = await import("node:readline/promises");
    // Not a terminal to readline: Ctrl-C stays a signal.
    const lines = createInterface({
      input: process.stdin,
      output: process.stderr,
      terminal: false,
    });
    try {
      return await lines.question(question, { signal });
    } finally {
      lines.close();
    }
  },
};
