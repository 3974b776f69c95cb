// What looks after one attempt of a local job: claims it, runs its command under the meter with the
// environment, folder and outputs that were asked for, and writes down how it ended. It is a process of its
// own, so that neither the agent's end nor its restart touches the job.

import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { type Host, reasonOf, UserError } from "../core/index.ts";
import { processStart } from "../measure/run/liveness.ts";
import {
  abandon,
  begin,
  begunFile,
  cancelUnbegun,
  claim,
  type Environment,
  fail,
  finish,
  isFinal,
  type JobRecord,
  type JobStore,
  jobFolder,
  type Moment,
  momentOf,
  openJobStore,
  ownIdentity,
  type ProcessIdentity,
  supervisorLog,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import type { Attempt } from "./run-once.ts";
import { planOf, type RunPlan, runOptions } from "./run-options.ts";

/** Which attempt of which job. */
export interface Assignment {
  readonly id: string;
  readonly attempt: number;
  /** Where the queue is; the ledger of the cards is in the environment. */
  readonly folder: string;
}

interface Charge {
  readonly context: CliContext;
  readonly store: JobStore;
  readonly folder: string;
  readonly attempt: number;
  readonly self: ProcessIdentity;
  readonly record: JobRecord;
  /** Talk of the supervisor itself, into a file beside the job's outputs. */
  readonly say: (text: string) => void;
}

/** Runs the attempt, unless somebody else has it. */
export async function superviseJob(
  context: CliContext,
  { id, attempt, folder }: Assignment,
): Promise<void> {
  const { host } = context;
  const store = await openJobStore(folder, { ifAbsent: "fail" });
  try {
    const self = await ownIdentity(host);
    const claimed = await store.change(id, momentOf(host).now, claim(attempt, self));
    if (claimed === null || !claimed.changed) return;
    const say = logTo(supervisorLog(folder, id));
    await takeCharge({
      context,
      store,
      folder,
      attempt,
      self,
      record: claimed.record,
      say,
    });
  } finally {
    store.close();
  }
}

function logTo(path: string): (text: string) => void {
  return (text) => {
    try {
      appendFileSync(path, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
    } catch {
      // A full disk: what counts is in the store, or will be tried again.
    }
  };
}

async function takeCharge(charge: Charge): Promise<void> {
  const { context, store, folder, record, say } = charge;
  const { host } = context;
  const outputs: number[] = [];
  let isReady = false;
  try {
    mkdirSync(jobFolder(folder, record.id), { recursive: true, mode: 0o700 });
    requireOwner(record);
    requireFolder(record.cwd);
    const env = await environmentOf(store, record);
    outputs.push(openOutput(record.stdout), openOutput(record.stderr));
    isReady = true;
    await run(charge, { env, output: [outputs[0] ?? 1, outputs[1] ?? 2] });
  } catch (error) {
    say(`failed: ${reasonOf(error)}`);
    const at = momentOf(host);
    await persistently(host, say, () =>
      store.change(
        record.id,
        at.now,
        isReady && isPassing(error)
          ? giveBack(charge, at)
          : fail(`it could not be started: ${reasonOf(error)}`, at),
      ),
    );
  } finally {
    for (const fd of outputs) closeSync(fd);
  }
  await persistently(host, say, async () => {
    const now = await store.get(record.id);
    if (now === null || isFinal(now)) await store.forgetEnvironment(record.id);
  });
}

/** A fault of the machine, not of the job, unless it lasts. */
const isPassing = (error: unknown): boolean =>
  !(error instanceof UserError && ["not-found", "not-executable"].includes(error.code));

/** Has it started once more, a few times. */
function giveBack({ folder, record, attempt, self }: Charge, at: Moment) {
  const begun = existsSync(begunFile(folder, record));
  return !begun && attempt < MOST_ATTEMPTS
    ? abandon({ attempt, supervisor: self, begun }, at)
    : fail("it could not be started, again and again; its supervisor.log says why", at);
}

const MOST_ATTEMPTS = 5;

/** Somebody else's command is not run, least of all by root. */
function requireOwner({ user }: JobRecord): void {
  const own = process.getuid?.() ?? null;
  if (user === own) return;
  throw new UserError("denied", `it was submitted by user ${user}, this is user ${own}`, {
    hint: "Run the agent as the user who submits.",
  });
}

function requireFolder(cwd: string): void {
  const found = statSync(cwd, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  throw new UserError("invalid-input", `its folder ${cwd} is gone`, { hint: "Submit it again." });
}

const openOutput = (path: string): number => openSync(path, "a", 0o600);

const BARE = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR"] as const;

/** What the job gets: the submitter's variables, or the few that every program needs. */
async function environmentOf(store: JobStore, record: JobRecord): Promise<Environment> {
  const own = { GODWIT_JOB_ID: record.id, GODWIT_JOB_ATTEMPT: String(record.attempts) };
  if (record.environment === "bare") {
    const few = BARE.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { ...Object.fromEntries(few), ...own };
  }
  const kept = await store.environment(record.id);
  if (kept !== null) return { ...kept, ...own };
  throw new UserError("ledger", "its environment is gone", { hint: "Submit it again." });
}

async function run(
  charge: Charge,
  { env, output }: { readonly env: Environment; readonly output: readonly [number, number] },
): Promise<void> {
  const { context, store, folder, attempt, self, record, say } = charge;
  const ledger = context.env["GODWIT_LEDGER"] ?? folder;
  const { host } = context;
  const { runOnce } = await import("./run-once.ts");
  const plan = runPlanOf(record, env, ledger);
  const own: CliContext = { ...context, env, cwd: record.cwd, inherited: [] };
  const ended: Attempt = await runOnce({
    context: own,
    plan,
    // The ledger and its password are the agent's affair, not the job's.
    begin: await measuringOf({ ...own, env: context.env }, plan, say),
    batch: {
      output,
      session: {
        cwd: record.cwd,
        begunFile: begunFile(folder, record),
        async approve(pid) {
          const job = { pid, pidStart: await processStart(host, pid) };
          const result = await store.change(
            record.id,
            momentOf(host).now,
            begin(attempt, job, momentOf(host)),
          );
          return result?.changed === true;
        },
      },
    },
  });
  for (const notice of ended.notices) say(notice);
  const at = momentOf(host);
  const card = ended.card?.id ?? null;
  await persistently(host, say, async () => {
    await store.change(record.id, at.now, cancelUnbegun(attempt, self, at));
    await store.change(record.id, at.now, finish(attempt, ended.end, at, card));
  });
}

/** Everything else as `godwit run` has it there, without options: what the project says of itself counts. */
function runPlanOf(record: JobRecord, env: Environment, ledger: string): RunPlan {
  const { command, cwd, name } = record;
  const words = [`--name=${name}`, "--quiet", "--", ...command];
  const plan = planOf(command, runOptions().parse(words, { from: "user" }).opts(), { env, cwd });
  return { ...plan, tags: { ...record.tags, job: record.id }, ledger };
}

/** A fault in measuring does not keep the job from running. */
async function measuringOf(context: CliContext, plan: RunPlan, say: Charge["say"]) {
  try {
    const { prepareMeasuring } = await import("./run-measuring.ts");
    return (await prepareMeasuring(context, plan)).begin;
  } catch (error) {
    say(`not measured: ${reasonOf(error)}`);
    return null;
  }
}

const DAY_S = 86_400;

/** What must be written down is tried for a day: a disk may be full, a file locked. */
async function persistently(
  host: Host,
  say: Charge["say"],
  action: () => Promise<unknown>,
): Promise<void> {
  const start = momentOf(host).monotonicS;
  for (let pause = 1; ; pause = Math.min(30, pause * 2)) {
    try {
      await action();
      return;
    } catch (error) {
      say(`not written down yet: ${reasonOf(error)}`);
      if (momentOf(host).monotonicS - start > DAY_S) throw error;
    }
    await host.sleep(pause * 1000);
  }
}
