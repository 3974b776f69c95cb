// `godwit estimate`: what work costs before it runs, or what other tools would say of a recorded run.

import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import type { LocateOptions } from "../measure/carbon/index.ts";
import type { Comparison, MethodResult, OwnEstimate, Workload } from "../measure/methods/index.ts";
import type { CliContext } from "./context.ts";
import { estimateLlmCommand } from "./estimate-llm.ts";
import { estimateTrainingCommand } from "./estimate-training.ts";
import {
  type GpuChoice,
  parseCloud,
  parseGigabytes,
  parseGpu,
  parseHours,
  parseShare,
  parseWatts,
} from "./estimate-values.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { signalOf } from "./run-options.ts";
import { declared } from "./settings.ts";
import { parseCount, parseIntensity, parseNumber } from "./values.ts";

const EXAMPLES = `
Examples:
  $ godwit estimate --cpu "AMD EPYC 7763" --memory 256 --usage 60% --hours 12 --location FR
  $ godwit estimate --gpu "8xA100 SXM4 40GB" --hours 2d --location DE --method all
  $ godwit estimate --from last --method all
  $ godwit estimate training --params 7B --tokens 1T --on H200 --count 64`;

const MACHINES = ["server", "desktop", "laptop", "guest"] as const;

function described() {
  return new Command("estimate")
    .description("Estimate what work costs before it runs, and what other tools would say.")
    .option("--cpu <name>", "processor, as the kernel or a catalogue spells it")
    .option("--tdp <watts>", "thermal design power of one socket", (text) =>
      parseWatts("--tdp", text),
    )
    .option("--sockets <count>", "processors", (text) => parseCount("--sockets", text, 1), 1)
    .option("--cores <count>", "physical cores in all", (text) => parseCount("--cores", text, 1))
    .option("--threads <count>", "logical (virtual) processors in all", (text) =>
      parseCount("--threads", text, 1),
    )
    .option(
      "--usage <share>",
      "load of the processors, such as 60%",
      (text) => parseShare("--usage", text),
      1,
    )
    .option(
      "--share <share>",
      "the work's part of that load",
      (text) => parseShare("--share", text),
      1,
    )
    .addOption(
      new Option("--gpu <[count x]name[:watts]>", 'such as "8xH100 80GB HBM3"; repeat for several')
        .argParser((text: string, before: readonly GpuChoice[]) => [
          ...before,
          parseGpu("--gpu", text),
        ])
        .default([] as readonly GpuChoice[], "none"),
    )
    .option("--gpu-usage <share>", "load of the GPUs, such as 90%", (text) =>
      parseShare("--gpu-usage", text),
    )
    .option("--hours <time>", "how long, such as 12, 90min or 2d", (text) =>
      parseHours("--hours", text),
    )
    .option("--memory <size>", "memory of the machine, such as 64 or 512GiB", (text) =>
      parseGigabytes("--memory", text),
    )
    .option("--used-memory <size>", "memory that the work itself uses", (text) =>
      parseGigabytes("--used-memory", text),
    )
    .option("--transfer <size>", "data sent away, such as 3GB", (text) =>
      parseGigabytes("--transfer", text),
    )
    .addOption(
      new Option("--machine <kind>", "what it runs on (default: by the CPU)").choices(MACHINES),
    )
    .option("--cloud <provider/region>", "such as gcp/europe-west9", (text) =>
      parseCloud("--cloud", text),
    )
    .option("--location <country>", "whose carbon intensity applies, such as DE")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--pue <factor>", "power usage effectiveness of the data centre", (text) =>
      parseNumber("--pue", text),
    )
    .option("--from <run>", "a recorded run instead: id, name, last or last~1")
    .option("--method <name>", "what this tool would say, or all (godwit methods lists them)")
    .option("--json", "print the answer as JSON")
    .option(...LEDGER_OPTION)
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
}

type Options = ReturnType<ReturnType<typeof described>["opts"]>;

/** The command `estimate`. */
export function estimateCommand(context: CliContext) {
  return described()
    .addCommand(estimateTrainingCommand(context))
    .addCommand(estimateLlmCommand(context))
    .action(async (options) => {
      const subject = await (options.from === undefined
        ? subjectOfOptions(context, options)
        : subjectOfRun(context, options, options.from));
      await print(context, subject, options);
    });
}

/** What is estimated, and our own answer, which the others are compared with. */
interface Subject {
  readonly name: string;
  readonly workload: Workload;
  readonly own: MethodResult;
  /** With intervals; null for a recorded run, whose card has them. */
  readonly estimate: OwnEstimate | null;
}

async function subjectOfOptions(context: CliContext, options: Options): Promise<Subject> {
  const { hours } = options;
  if (hours === undefined) {
    throw new UserError("usage", "how long it runs is not given", {
      hint: "Add --hours, such as --hours 12 or --hours 90min; or --from RUN for a recorded run.",
    });
  }
  const { locate } = await import("../measure/carbon/index.ts");
  const { ownEstimate } = await import("../measure/methods/index.ts");
  const { workloadOfOptions } = await import("./estimate-workload.ts");
  const { host } = context;
  const signal = await locate(host, placeOf(options, context));
  const pue = declared(context, "pue", options.pue, parseNumber);
  const workload = await workloadOfOptions(host, { ...options, hours, pue }, signal);
  const estimate = await ownEstimate(host, workload, signal);
  return { name: "godwit", workload, own: estimate, estimate };
}

/** A cloud region is a place, unless a place or an intensity was given with it. */
function placeOf(options: Options, context: CliContext): LocateOptions {
  const { cloud, location, intensity } = options;
  return cloud === undefined || location !== undefined || intensity !== undefined
    ? signalOf(options, context)
    : { location: `${cloud.provider}:${cloud.region}`, given: "by --cloud" };
}

async function subjectOfRun(context: CliContext, options: Options, run: string): Promise<Subject> {
  if (options.hours !== undefined || options.cpu !== undefined || options.gpu.length > 0) {
    throw new UserError("usage", "--from takes the machine and the time from the run", {
      hint: "Leave out --hours, --cpu and --gpu, or leave out --from.",
    });
  }
  const { openForReading } = await import("./open-ledger.ts");
  const { resultOfCard, workloadOfCard } = await import("../measure/methods/index.ts");
  const ledger = await openForReading(context, options.ledger);
  try {
    const card = await ledger.get(run);
    const workload = await workloadOfCard(context.host, card);
    return { name: `run ${card.id}`, workload, own: resultOfCard(card), estimate: null };
  } finally {
    ledger.close();
  }
}

async function print(context: CliContext, subject: Subject, options: Options): Promise<void> {
  const { host, stdout, stderr } = context;
  const { workload, own, estimate } = subject;
  const rows = await rowsOf(host, subject, options);
  const width = stdout.columns;
  if (options.json) {
    const { estimateJson } = await import("./estimate-json.ts");
    const { figures = null, notes = [] } = estimate ?? {};
    stdout.write(estimateJson({ workload, own, figures, notes, rows }));
    return;
  }
  const text = await import("./estimate-text.ts");
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) stdout.write(text.methodText(workload, only, width));
  else if (rows.length === 0 && estimate !== null) {
    stdout.write(text.ownText(workload, estimate, width));
  } else {
    const ours = { name: subject.name, result: own };
    stdout.write(text.comparisonText(workload, ours, { rows, width }));
    if (text.hasPartial(rows)) stderr.write("> without what the method does not count\n");
  }
}

/** The methods that were asked for; all of them for a recorded run. */
async function rowsOf(
  host: CliContext["host"],
  { workload, own }: Subject,
  { method, from }: Options,
): Promise<readonly Comparison[]> {
  const wanted = method ?? (from === undefined ? null : "all");
  if (wanted === null || wanted === "godwit") return [];
  const { compareMethods, findMethod, loadPeerTables, METHODS } = await import(
    "../measure/methods/index.ts"
  );
  const chosen = wanted === "all" ? METHODS : [findMethod(wanted)];
  return compareMethods(workload, await loadPeerTables(host), own, chosen);
}
