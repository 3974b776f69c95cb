// `godwit submit`: hand in a job to be run when it emits least, before its deadline. The job is on the disk
// when this returns; an agent runs it.

import { join, resolve } from "node:path";
import { EXIT } from "../core/errors.ts";
import { newCardId } from "../core/id.ts";
import { type TimeZone, timeZone } from "../core/time-zone.ts";
import { printable } from "../report/columns.ts";
import { answerOf } from "../report/plan-words.ts";
import { type Advice, SIZE_TAG } from "../systems/schedule/index.ts";
import {
  isFinal,
  type JobRecord,
  type JobStore,
  jobFolder,
  openJobStore,
  planOf,
  signalToJson,
} from "../systems/schedule/jobs/index.ts";
import { agentHolder } from "./agent-holder.ts";
import type { CliContext } from "./context.ts";
import { canFind } from "./find-program.ts";
import { jobJson } from "./job-json.ts";
import { environmentOf, findJob, pausingOf, resourcesOf } from "./job-options.ts";
import { ledgerOf } from "./open-ledger.ts";
import { engineNamed, type Prepared } from "./submit-engines.ts";
import { type SubmitOptions, submitOptions } from "./submit-options.ts";
import { adviceOnJob } from "./submit-plan.ts";

/** The command `submit`. */
export function submitCommand(context: CliContext) {
  return submitOptions().action(async (words, options) => {
    const id = newCardId(context.host);
    const { folder } = ledgerOf(context, options.ledger);
    const engine = engineNamed(options.engine);
    const prepared = await engine.prepare(context, {
      ...{ id, words, folder, name: options.name, tags: tagsOf(options), isMetered: options.meter },
    });
    const after = await predecessors(folder, options.after);
    const zone = timeZone(context.host.facts.timeZone);
    const planned = await adviceOnJob(context, {
      ...{ id, prepared, options, zone },
      // A plan that began before what it waits for would be a plan of nothing.
      notBefore: Math.max(0, ...after.filter((job) => !isFinal(job)).map(plannedEnd)),
    });
    const { advice, durationSource } = planned;
    const store = await openJobStore(folder);
    try {
      const env = environmentOf(context, options.export);
      const record = recordOf(context, {
        ...{ id, options, advice, durationSource, folder, prepared },
        after: after.map((job) => job.id),
        isBare: env === null,
      });
      await engine.spool(context, { record, words, folder });
      await store.add(record, env);
      const { ledger } = options;
      const handed = await engine.handOver(context, { store, record, ledger });
      await answer(context, { store, record: handed, advice, options, zone });
    } finally {
      store.close();
    }
  });
}

/** Its runs tell their size, so that later ones can be planned by it. */
const tagsOf = ({ tag, size }: SubmitOptions): JobRecord["tags"] =>
  size === undefined ? tag : { ...tag, [SIZE_TAG]: String(size) };

async function predecessors(
  folder: string,
  texts: readonly string[],
): Promise<readonly JobRecord[]> {
  if (texts.length === 0) return [];
  const store = await openJobStore(folder);
  try {
    return await Promise.all(texts.map((text) => findJob(store, text)));
  } finally {
    store.close();
  }
}

const plannedEnd = (job: JobRecord): number => planOf(job).runs.at(-1)?.end ?? 0;

function recordOf(
  context: CliContext,
  of: {
    readonly id: string;
    readonly prepared: Prepared;
    readonly options: SubmitOptions;
    readonly advice: Advice;
    readonly durationSource: string;
    readonly folder: string;
    readonly after: readonly string[];
    readonly isBare: boolean;
  },
): JobRecord {
  const { id, prepared, options, advice, durationSource, folder, after, isBare } = of;
  const { command, engineData } = prepared;
  const { job, plan, forecast } = advice;
  const { signal } = options;
  const isAddress = signal !== undefined && /^https?:\/\//.test(signal);
  const logs = jobFolder(folder, id);
  const output = (file: string | undefined, usual: string): string =>
    prepared.output ?? (file === undefined ? join(logs, usual) : resolve(context.cwd, file));
  return {
    ...{ schema: "godwit.job/1", id, name: options.name ?? prepared.name, tags: tagsOf(options) },
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
    ...{ engine: options.engine, externalId: null, engineData },
    ...{ state: "waiting", reason: "planned", cancelAsked: false, attempts: 0 },
    ...{ submittedAt: job.submittedAt, startedAt: null, endedAt: null, exit: null, spans: [] },
    ...{ supervisor: null, process: null },
    stdout: output(options.output, "stdout.log"),
    stderr: output(options.errorOutput, "stderr.log"),
    ...{ plan, forecast: signalToJson(forecast) },
    ...{ firstPlan: plan, firstForecast: signalToJson(forecast), replans: 0, cards: [] },
  };
}

const NO_AGENT: Readonly<Record<JobRecord["engine"], string>> = {
  local: "No agent runs what is in the queue: start one with `godwit agent`.\n",
  slurm:
    "No agent follows newer forecasts: start one with `godwit agent`. Slurm begins the job anyway.\n",
};

async function answer(
  context: CliContext,
  of: {
    readonly store: JobStore;
    readonly record: JobRecord;
    readonly advice: Advice;
    readonly options: SubmitOptions;
    readonly zone: TimeZone;
  },
): Promise<void> {
  const { store, record, advice, options, zone } = of;
  const view = { advice, zone, durationSource: record.durationSource, notices: [] };
  const { title, why } = answerOf(view);
  const isJson = options.json === true;
  const say = (text: string): void =>
    void (isJson ? context.stderr : context.stdout).write(`${text}\n`);
  const external = record.externalId === null ? "" : ` as job ${record.externalId} of Slurm`;
  say(`Job ${record.id} is in the queue${external}. ${title}.`);
  say(why);
  warnOfMissing(context, record);
  if (options.wait !== true) {
    if (isJson) context.stdout.write(`${JSON.stringify(jobJson(record), null, 2)}\n`);
    if ((await agentHolder(context, store)) === null) context.stderr.write(NO_AGENT[record.engine]);
    return;
  }
  context.stderr.write(
    `Waiting. Ctrl-C ends the waiting alone; what ends the job is: godwit cancel ${record.id}\n`,
  );
  const { waitForJob } = await import("./agent-wait.ts");
  const ended = await waitForJob(context, { store, id: record.id, ledger: options.ledger });
  if (isJson) context.stdout.write(`${JSON.stringify(jobJson(ended), null, 2)}\n`);
  else say(`${ended.state}: ${ended.reason}`);
  if (!isFinal(ended)) return;
  const code = ended.exit?.code ?? (ended.state === "done" ? EXIT.done : EXIT.failed);
  context.setExitCode(code);
}

/** What cannot be found now may be there in time; a slip of the pen is better known before the night. */
function warnOfMissing(
  { stderr, env }: CliContext,
  { engine, command, cwd, environment }: JobRecord,
): void {
  const [program = ""] = command;
  // Slurm looks for it on the node, and a bare environment has a PATH of its own.
  if (engine !== "local" || (environment === "bare" && !program.includes("/"))) return;
  if (canFind(program, { cwd, path: env["PATH"] })) return;
  stderr.write(
    `${printable(program)} is not found here now; the job fails if it is not when it begins.\n`,
  );
}
