// `godwit submit`: hand in a job to be run when it emits least, before its deadline. The job is on the disk
// when this returns; an agent runs it.

import { join, resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../core/errors.ts";
import { newCardId } from "../core/id.ts";
import { timeZone } from "../core/time-zone.ts";
import { answerOf } from "../report/plan-words.ts";
import type { Advice } from "../systems/schedule/index.ts";
import {
  isFinal,
  type JobRecord,
  type JobStore,
  jobFolder,
  openJobStore,
  signalToJson,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import { jobJson } from "./job-json.ts";
import {
  environmentOf,
  findJob,
  parseBytes,
  parseCpus,
  pausingOf,
  resourcesOf,
} from "./job-options.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { adviceOnJob } from "./submit-plan.ts";
import { tagOption } from "./tag-option.ts";
import { parseCount } from "./values.ts";

const STOPPABLE = { interruptible: true } as const;

function submitOptions() {
  return new Command("submit")
    .description("Hand in a job to be run when it emits least, before its deadline.")
    .argument("<command...>", "the command and its arguments")
    .passThroughOptions()
    .requiredOption("--deadline <when>", "when it must have ended: +18h, fri 9:00")
    .option("--earliest <when>", "not before; now unless given")
    .option("--duration <time>", "how long it runs: 4h, 90min; learned from earlier runs else")
    .option("--power <watts>", "mean power while it runs: 300W; learned from earlier runs else")
    .option("--like <name>", "learn both from the ledger's runs of this name; its own unless given")
    .option("--name <name>", "name of the job (default: the command)")
    .addOption(tagOption("tag of the job and its runs; may be given again"))
    .option("--interruptible", "it can be stopped (SIGSTOP) and continued")
    .addOption(
      new Option(
        "--checkpoint-cmd <command>",
        "shell command that makes it save itself and end",
      ).implies(STOPPABLE),
    )
    .addOption(
      new Option("--min-run <time>", "shortest stretch between two stops").implies(STOPPABLE),
    )
    .addOption(new Option("--checkpoint <time>", "what saving takes").implies(STOPPABLE))
    .addOption(new Option("--restart <time>", "what continuing takes").implies(STOPPABLE))
    .option("--pin", "start at --earliest, whatever the forecast says")
    .option(
      "--after <job>",
      "only once this job is done; may be given again",
      (text: string, before: readonly string[]) => [...before, text],
      [] as readonly string[],
    )
    .option("--cpus <count>", "processors it needs", (text) => parseCpus("--cpus", text), 1)
    .option("--memory <size>", "memory it needs: 16GB", (text) => parseBytes("--memory", text))
    .option("--gpus <count>", "GPUs it needs", (text) => parseCount("--gpus", text, 0), 0)
    .option("--signal <file>", "carbon intensities: a file or address (CSV, JSON)")
    .option("--zone <zone>", "the grid, as its source spells it: DE, GB, CAISO_NORTH")
    .option("--from <source>", "electricity-maps, watttime, uk or entsoe")
    .addOption(
      new Option("--kind <kind>", "of a file: what its values are").choices([
        "average",
        "marginal",
      ] as const),
    )
    .addOption(
      new Option("--basis <basis>", "of a file: what its values are").choices([
        "location",
        "market",
      ] as const),
    )
    .option("--offline", "use what was kept of a service's answers, however old", false)
    .option("--forecaster <name>", "forecast from a record: yesterday, week-mean, seasonal")
    .option("--policy <name>", "how to choose; the one that fits the job unless given")
    .option("--error <share>", "how far off savings by this forecast are: 10%")
    .option("--threshold <share>", "least saving that is worth waiting for: 2%", "0")
    .option("--export <variables>", "its environment: all, none, or names with commas", "all")
    .option("--output <file>", "its standard output (default: beside the ledger)")
    .option("--error-output <file>", "its standard error (default: beside the ledger)")
    .option("--wait", "wait until it has ended, and end with its exit code")
    .option("--json", "print the job as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);
}

export type SubmitOptions = ReturnType<ReturnType<typeof submitOptions>["opts"]>;

const HELP = `
The command is run as given, by no shell, in this folder, with this environment, under the
meter. godwit agent runs what was submitted; with --wait and no agent, this command does.

Examples:
  $ godwit submit --deadline +18h --duration 4h --power 300W --zone GB --from uk -- python train.py
  $ godwit submit --deadline "fri 9:00" --like train --signal forecast.csv --interruptible \\
      --min-run 30min -- ./train.sh --epochs 90
  $ godwit submit --deadline +12h --after last --cpus 4 --gpus 1 -- python evaluate.py
  $ godwit submit --deadline +2d --duration 20h --power 1kW --restart 5min \\
      --checkpoint-cmd 'kill -USR1 "$GODWIT_JOB_PID"' --zone DE --from electricity-maps -- ./train`;

/** The command `submit`. */
export function submitCommand(context: CliContext) {
  return submitOptions().action(async (words, options) => {
    const [file, ...args] = words;
    if (file === undefined) throw new Error("the command line has no command");
    requireRunnable(context, file);
    const id = newCardId(context.host);
    const { advice, durationSource } = await adviceOnJob(context, { id, words, options });
    const { folder } = ledgerOf(context, options.ledger);
    const store = await openJobStore(folder);
    try {
      const env = environmentOf(context, options.export);
      const after = await Promise.all(options.after.map((text) => findJob(store, text)));
      const record = recordOf(context, {
        ...{ id, options, advice, durationSource, folder },
        command: [file, ...args],
        after: after.map((job) => job.id),
        isBare: env === null,
      });
      await store.add(record, env);
      await answer(context, { store, record, advice, options });
    } finally {
      store.close();
    }
  });
}

/** A shell's `exec` would take it for an option. */
function requireRunnable(context: CliContext, file: string): void {
  if (context.host.platform === "win32")
    throw new UserError("unsupported", "jobs cannot be run on Windows", {
      hint: "godwit plan says when to start; WSL runs jobs.",
    });
  if (file === "" || file.startsWith("-"))
    throw new UserError("usage", `${JSON.stringify(file)} is no command`, {
      hint: "Write the command after --: godwit submit --deadline +8h -- python train.py",
    });
}

function recordOf(
  context: CliContext,
  of: {
    readonly id: string;
    readonly command: readonly [string, ...string[]];
    readonly options: SubmitOptions;
    readonly advice: Advice;
    readonly durationSource: string;
    readonly folder: string;
    readonly after: readonly string[];
    readonly isBare: boolean;
  },
): JobRecord {
  const { id, command, options, advice, durationSource, folder, after, isBare } = of;
  const { job, plan, forecast } = advice;
  const { signal } = options;
  const isAddress = signal !== undefined && /^https?:\/\//.test(signal);
  const logs = jobFolder(folder, id);
  const output = (file: string | undefined, usual: string): string =>
    file === undefined ? join(logs, usual) : resolve(context.cwd, file);
  return {
    ...{ schema: "godwit.job/1", id, name: options.name ?? command.join(" "), tags: options.tag },
    ...{ command, cwd: resolve(context.cwd), environment: isBare ? "bare" : "submitter" },
    ...{ user: process.getuid?.() ?? null, job, durationSource },
    ...{ resources: resourcesOf(options), after, pausing: pausingOf(options) },
    planning: {
      ...{ policy: plan.policy, threshold: advice.options.threshold, error: advice.options.error },
      source: {
        signal: signal === undefined || isAddress ? (signal ?? null) : resolve(context.cwd, signal),
        ...{ zone: options.zone ?? null, from: options.from ?? null },
        ...{ kind: options.kind ?? null, basis: options.basis ?? null },
        ...{ offline: options.offline, forecaster: options.forecaster ?? null },
      },
    },
    ...{ engine: "local", externalId: null, engineData: {} },
    ...{ state: "waiting", reason: "planned", cancelAsked: false, attempts: 0 },
    ...{ submittedAt: job.submittedAt, startedAt: null, endedAt: null, exit: null, spans: [] },
    ...{ supervisor: null, process: null },
    stdout: output(options.output, "stdout.log"),
    stderr: output(options.errorOutput, "stderr.log"),
    ...{ plan, forecast: signalToJson(forecast) },
    ...{ firstPlan: plan, firstForecast: signalToJson(forecast), replans: 0, cards: [] },
  };
}

async function answer(
  context: CliContext,
  of: {
    readonly store: JobStore;
    readonly record: JobRecord;
    readonly advice: Advice;
    readonly options: SubmitOptions;
  },
): Promise<void> {
  const { store, record, advice, options } = of;
  const { waitForJob, agentHolder } = await import("./agent-wait.ts");
  const zone = timeZone(context.host.facts.timeZone);
  const view = { advice, zone, durationSource: record.durationSource, notices: [] };
  const { title, why } = answerOf(view);
  const isJson = options.json === true;
  const say = (text: string): void =>
    void (isJson ? context.stderr : context.stdout).write(`${text}\n`);
  say(`Job ${record.id} is in the queue. ${title}.`);
  say(why);
  if (options.wait !== true) {
    if (isJson) context.stdout.write(`${JSON.stringify(jobJson(record), null, 2)}\n`);
    if ((await agentHolder(context, store)) === null)
      context.stderr.write("No agent runs what is in the queue: start one with `godwit agent`.\n");
    return;
  }
  const ended = await waitForJob(context, { store, id: record.id, ledger: options.ledger });
  if (isJson) context.stdout.write(`${JSON.stringify(jobJson(ended), null, 2)}\n`);
  else say(`${ended.state}: ${ended.reason}`);
  if (!isFinal(ended)) return;
  const code = ended.exit?.code ?? (ended.state === "done" ? EXIT.done : EXIT.failed);
  context.setExitCode(code);
}
