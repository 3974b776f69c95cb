// `godwit submit`: hand in a job to be run when it emits least, before its deadline. The job is on the disk
// when this returns; an agent runs it.

import { join, resolve } from "node:path";
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
import { environmentOf, findJob, pausingOf, resourcesOf } from "./job-options.ts";
import { ledgerOf } from "./open-ledger.ts";
import { type SubmitOptions, submitOptions } from "./submit-options.ts";
import { adviceOnJob } from "./submit-plan.ts";

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
