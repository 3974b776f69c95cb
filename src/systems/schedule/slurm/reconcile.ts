// Comparing the store with the cluster, after an outage of either or none. What the store wants (a job, a
// begin, an end) is brought about; what happened (begun, suspended, requeued, ended) is written down.
// When a daemon does not answer, nothing is concluded from its silence.

import { reasonOf } from "../../../core/index.ts";
import { isFinal, type JobRecord, OPEN_STATES } from "../jobs/record.ts";
import { isHeld } from "../jobs/transitions.ts";
import {
  confirmed,
  counted,
  ended,
  forgotten,
  located,
  lost,
  metered,
  remarked,
  seen,
  wantedBegin,
} from "./changes.ts";

import { counterScope } from "./node-energy.ts";
import type { AccountedJob } from "./read-sacct.ts";
import type { QueuedJob } from "./read-squeue.ts";
import { isOf, type Sight, sightOfAccounts, sightOfQueue } from "./sight.ts";
import { letGo, moveJob, type SlurmSetting, submitJob, takeOn } from "./steps.ts";

/** Seconds after which an sbatch that did not answer cannot be under way any more. */
const IN_FLIGHT_S = 60;

/** Seconds for which accounting's word on an end is waited for; it is usually one second behind. */
const ACCOUNTING_LAG_S = 5;

/** Seconds after a submission in which accounting may not have heard of it. */
const SUBMISSION_LAG_S = 120;

/** Seconds after which the controller has saved what it was told: SAVE_MAX_WAIT is 5 (state_save.c). */
const STATE_SAVED_S = 15;

/** Jobs asked of accounting at once. */
const BATCH = 200;

/** Brings store and cluster in line. Gives back what was found, in words. */
export async function reconcileJobs(setting: SlurmSetting): Promise<readonly string[]> {
  const words: string[] = [];
  const { client, store } = setting;
  const records = await store.list({ engine: "slurm", states: OPEN_STATES }, ({ id, error }) =>
    words.push(`${id}: ${reasonOf(error)}`),
  );
  if (records.length === 0) return words;
  let rows: readonly QueuedJob[];
  try {
    rows = await client.queue();
  } catch (error) {
    return [...words, `nothing was compared: ${reasonOf(error)}`];
  }
  const missing: { record: JobRecord; sight: Sight | null }[] = [];
  for (const record of records) {
    try {
      const sight = await compare(setting, record, rows, words);
      if (sight !== "done") missing.push({ record, sight });
    } catch (error) {
      words.push(`${record.id}: ${reasonOf(error)}`);
    }
  }
  await settle(setting, missing, words);
  return words;
}

/** One job that is in the queue. Gives back what accounting must be asked about. */
async function compare(
  setting: SlurmSetting,
  record: JobRecord,
  rows: readonly QueuedJob[],
  words: string[],
): Promise<Sight | null | "done"> {
  const { client, store, now } = setting;
  const own = rows.filter(isScriptOf(record));
  if (record.externalId === null) {
    await findOrSubmit(setting, record, own, words);
    return "done";
  }
  const id = Number(record.externalId);
  for (const stray of own.filter((row) => !isOf(id)(row) && row.held)) {
    // An sbatch that was given up and arrived after all. It is held, so nothing of it has run.
    await client.cancel(String(stray.id));
    words.push(`${record.id}: cancelled its second submission ${stray.id}`);
  }
  const ofIt = rows.filter(isOf(id));
  const sight = sightOfQueue(ofIt);
  if (sight === null && ofIt.length > 0) {
    words.push(`${record.id}: Slurm shows a state that is not known`);
    return "done";
  }
  if (sight === null || sight.phase === "ended") return sight;
  await store.change(record.id, now(), located(ofIt[0]?.cluster ?? ""));
  const change = await store.change(record.id, now(), seen(sight, now()));
  const current = change?.record ?? record;
  if (change?.changed === true) words.push(`${record.id}: ${current.reason}`);
  if (current.cancelAsked) await client.cancel(record.externalId);
  else if (sight.phase === "waiting") await steer(setting, current, sight, words);
  return "done";
}

/** A job whose number is not known: it was never handed over, or nobody lived to write it down. */
async function findOrSubmit(
  setting: SlurmSetting,
  record: JobRecord,
  own: readonly QueuedJob[],
  words: string[],
): Promise<void> {
  const { store, now } = setting;
  const found = own.find(({ state }) => state?.phase === "waiting");
  if (found !== undefined) {
    const begin = found.startsAt ?? wantedBegin(record, now());
    await takeOn(setting, record, { id: found.arrayId ?? found.id, begin });
    words.push(`${record.id}: found as job ${found.arrayId ?? found.id}`);
    return;
  }
  const handedAt = Number(record.engineData["handedAt"] ?? 0);
  if (record.state === "starting" && now() - handedAt < IN_FLIGHT_S) return;
  if (record.state === "starting")
    await store.change(record.id, now(), forgotten("sbatch did not arrive"));
  await submitJob(setting, record);
  words.push(`${record.id}: handed over`);
}

/** A job that waits in the queue: let go if it is held for us, and begun when the plan says. */
async function steer(
  setting: SlurmSetting,
  record: JobRecord,
  sight: Sight,
  words: string[],
): Promise<void> {
  const { store, now } = setting;
  const { held, reason, until } = sight.waits;
  const { released = null, confirmed: isConfirmed = null } = record.engineData;
  if (held && !isHeld(record) && isConfirmed === null) {
    await letGo(setting, record);
    words.push(`${record.id}: released`);
  } else if (held) {
    // Somebody's wish, or Slurm's own after a failed start.
    await store.change(record.id, now(), remarked(`held in Slurm (${reason})`));
    return;
  } else if (isHeld(record)) {
    await setting.client.control("hold", record.externalId ?? "");
    words.push(`${record.id}: held again`);
    return;
  } else if (released === null || now() - Number(released) > STATE_SAVED_S)
    await store.change(record.id, now(), confirmed);
  const wanted = wantedBegin(record, now());
  const told = Number(record.engineData["begin"] ?? 0);
  // Requeueing sets a delay of Slurm's own; and a crashed controller forgets what it was told last.
  const isOff =
    TIMED.has(reason) && until !== null && until > now() && Math.abs(until - wanted) > 1;
  const isTold = told <= now() ? wanted <= now() : Math.abs(told - wanted) <= 1;
  if (!isOff && isTold) return;
  await moveJob(setting, record, isOff ? `Slurm had it begin at ${until}` : "planned again");
  words.push(`${record.id}: begin moved`);
}

/** Why a job waits when it waits for its begin. */
const TIMED = new Set(["BeginTime", "None"]);

/** Jobs that have ended or are not in the queue any more: accounting knows more, if it answers. */
async function settle(
  setting: SlurmSetting,
  missing: readonly { readonly record: JobRecord; readonly sight: Sight | null }[],
  words: string[],
): Promise<void> {
  const { store, now } = setting;
  for (let at = 0; at < missing.length; at += BATCH) {
    const batch = missing.slice(at, at + BATCH);
    const accounts = await accountsOf(setting, batch, words);
    const cluster = accounts === null ? "" : await setting.client.clusterName();
    for (const { record, sight } of batch) {
      const its = record.engineData["cluster"] ?? cluster;
      if (its !== cluster && accounts !== null) {
        words.push(`${record.id}: it is on the cluster ${its}, ${cluster} was asked`);
        continue;
      }
      const rows = accounts?.filter(isOf(Number(record.externalId))) ?? [];
      const account = sightOfAccounts(rows);
      const scope = account?.nodeJoules == null ? null : await scopeOf(setting, rows);
      const verdict = verdictOf(record, {
        sight,
        account,
        answered: accounts !== null,
        now: now(),
      });
      if (verdict === null) continue;
      const change = await store.change(record.id, now(), verdict);
      if (change?.changed === true) words.push(`${record.id}: ${change.record.reason}`);
      if (change === null || !isFinal(change.record)) continue;
      await store.forgetEnvironment(record.id);
      if (scope !== null)
        await store.change(record.id, now(), counted(account?.nodeJoules ?? 0, scope));
      await keepCards(setting, change.record, words);
    }
  }
}

/** What fails here is tried again when the job's account is asked for. */
async function keepCards(
  { store, now, cardsOf }: SlurmSetting,
  record: JobRecord,
  words: string[],
): Promise<void> {
  if (cardsOf === undefined) return;
  try {
    await store.change(record.id, now(), metered(await cardsOf(record)));
  } catch (error) {
    words.push(`${record.id}: its cards were not kept: ${reasonOf(error)}`);
  }
}

async function scopeOf({ client }: SlurmSetting, rows: readonly AccountedJob[]) {
  return counterScope(rows, await client.nodes().catch(() => []));
}

/** Null when accounting does not answer. */
async function accountsOf(
  { client }: SlurmSetting,
  batch: readonly { readonly record: JobRecord }[],
  words: string[],
): Promise<readonly AccountedJob[] | null> {
  try {
    const since = Math.min(...batch.map(({ record }) => record.submittedAt)) - 60;
    return await client.accounting(
      batch.map(({ record }) => Number(record.externalId)),
      since,
    );
  } catch (error) {
    words.push(`accounting was not asked: ${reasonOf(error)}`);
    return null;
  }
}

/** What to write of a job that the queue shows as ended (`sight`) or does not show; null for nothing. */
function verdictOf(
  record: JobRecord,
  known: {
    readonly sight: Sight | null;
    readonly account: Sight | null;
    readonly answered: boolean;
    readonly now: number;
  },
) {
  const { sight, account, answered, now } = known;
  if (sight !== null) {
    // The controller knows how it ended, and accounting for how long; a requeued job ran before.
    const agrees = account?.phase === "ended" && account.outcome === sight.outcome;
    const spans =
      agrees && account.spans.length >= sight.spans.length ? account.spans : sight.spans;
    const nodeCount = Math.max(sight.nodeCount, account?.nodeCount ?? 0);
    const best = { ...sight, spans, nodeCount, nodeJoules: account?.nodeJoules ?? null };
    const isFresh = now - (sight.endedAt ?? now) < ACCOUNTING_LAG_S;
    // While both daemons are up accounting is seconds behind: wait for what it will say.
    return answered && !agrees && isFresh ? null : ended(best, now);
  }
  if (account?.phase === "ended") return ended(account, now);
  if (!answered) return null;
  // A controller that crashes forgets its last seconds, and accounting may never have heard of them. What
  // may have begun is not begun again.
  const { released = null, begin = null } = record.engineData;
  const cannotHaveBegun = released === null || Number(begin) > now;
  if (record.spans.length === 0 && cannotHaveBegun && (account?.phase ?? "waiting") === "waiting")
    return forgotten("Slurm had no memory of it: handed over again");
  return now - record.submittedAt < SUBMISSION_LAG_S ? null : lost(now);
}

/** Rows of a record's script: its path holds the record's id, so no other job has it. */
const isScriptOf =
  ({ command: [script] }: JobRecord) =>
  ({ command }: QueuedJob): boolean =>
    command === script || command.startsWith(`${script} `);
