// The steps by which a job gets into Slurm and is moved there. Slurm holds every job until its number is on
// the disk, so a crash at any point leaves either a job that nobody was told of, which is found by its
// script's path and taken on, or none at all.

import { UserError } from "../../../core/index.ts";
import type { JobRecord } from "../jobs/record.ts";
import type { JobStore } from "../jobs/store.ts";
import { accepted, handOver, moved, refused, released, remarked, wantedBegin } from "./changes.ts";
import type { SlurmClient } from "./client.ts";
import { moment, sbatchArguments, slurmDeadline } from "./sbatch-arguments.ts";

export interface SlurmSetting {
  readonly client: SlurmClient;
  readonly store: JobStore;
  /** Brings the cards that were made on the nodes into the ledger; gives back their ids, oldest first. */
  readonly cardsOf?: (record: JobRecord) => Promise<readonly string[]>;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Hands a job over, unless that was done or is being done. Throws UserError when sbatch refuses it. */
export async function submitJob(setting: SlurmSetting, { id }: JobRecord): Promise<void> {
  const { client, store, now } = setting;
  const taken = await store.change(id, now(), handOver(now()));
  if (taken === null || !taken.changed) return;
  const { record } = taken;
  const begin = wantedBegin(record, now());
  const environment = record.environment === "bare" ? null : await store.environment(id);
  const answer = await client.sbatch(argumentsOf(record, begin), environment);
  switch (answer.kind) {
    case "accepted":
      await takeOn(setting, record, { id: answer.id, begin });
      return;
    case "refused": {
      const reason = `sbatch refused it: ${answer.reason}`;
      await store.change(id, now(), refused(reason, now()));
      throw new UserError("invalid-input", reason, {
        hint: "Check the options after --; sbatch itself says no more.",
      });
    }
    case "unknown":
      // Whether it arrived is seen in the queue, by the script's path.
      await store.change(id, now(), remarked(`sbatch: ${answer.reason}`));
      return;
    default:
      answer satisfies never;
  }
}

function argumentsOf(record: JobRecord, begin: number): readonly string[] {
  const [script, ...args] = record.command;
  const { options, launch, limitS } = dataOf(record);
  return sbatchArguments({
    ...{ options, script, args: [...launch, ...args], begin },
    ...{ cwd: record.cwd, environment: record.environment },
    deadline: slurmDeadline({ begin, deadline: record.job.deadline, limitS }),
  });
}

/**
 * What the command line keeps with a record: sbatch's options and the script's first arguments as JSON, and
 * the time limit if known.
 */
function dataOf({ id, engineData }: JobRecord) {
  const { limitS = null } = engineData;
  const words = (name: "options" | "launch"): readonly string[] => {
    const parsed: unknown = JSON.parse(String(engineData[name] ?? "[]"));
    if (Array.isArray(parsed) && parsed.every((one) => typeof one === "string")) return parsed;
    throw new UserError("ledger", `the ${name} of job ${id} are damaged`, {
      hint: "Submit the job again.",
    });
  };
  return {
    ...{ options: words("options"), launch: words("launch") },
    limitS: limitS === null ? null : Number(limitS),
  };
}

/** Writes down the number of a held job, and lets it go. */
export async function takeOn(
  setting: SlurmSetting,
  record: JobRecord,
  { id, begin }: { readonly id: number; readonly begin: number },
): Promise<void> {
  const { client, store, now } = setting;
  const taken = await store.change(record.id, now(), accepted(id, begin));
  // Another process may have found it in the queue and written it down first.
  const isOurs = taken?.record.externalId === String(id);
  if (!isOurs || taken.record.cancelAsked) await client.cancel(String(id));
  else if (taken.changed) await letGo(setting, taken.record);
}

/** Releases a job that is held because it was not yet written down. */
export async function letGo(setting: SlurmSetting, record: JobRecord): Promise<void> {
  const { client, store, now } = setting;
  if (record.externalId === null) return;
  const answer = await client.control("release", record.externalId);
  if (answer.kind === "done") await store.change(record.id, now(), released(now()));
  else await store.change(record.id, now(), remarked(`not released yet: ${answer.reason}`));
}

/** Tells Slurm when the job is to begin, as its plan has it now. */
export async function moveJob(
  setting: SlurmSetting,
  record: JobRecord,
  why: string,
): Promise<void> {
  const { client, store, now } = setting;
  if (record.externalId === null || record.state !== "waiting") return;
  const begin = wantedBegin(record, now());
  const answer = await client.control("update", record.externalId, [`StartTime=${moment(begin)}`]);
  if (answer.kind === "done") await store.change(record.id, now(), moved(begin, why));
  else if (answer.kind !== "too-late")
    await store.change(record.id, now(), remarked(`not moved: ${answer.reason}`));
}
