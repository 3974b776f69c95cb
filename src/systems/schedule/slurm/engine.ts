// Slurm as what runs jobs. The store is the truth: what was planned, what was handed over, under which
// number; what the cluster shows is written into it, and what it wants is brought about.

import { UserError } from "../../../core/index.ts";
import type { Engine } from "../jobs/engine.ts";
import type { JobRecord } from "../jobs/record.ts";
import { released, remarked } from "./changes.ts";
import type { Answer } from "./client.ts";
import { reconcileJobs } from "./reconcile.ts";
import { moveJob, type SlurmSetting, submitJob } from "./steps.ts";

/** The engine. `record.command` is the script's absolute path, which holds the job's id, and arguments. */
export function createSlurmEngine(setting: SlurmSetting): Engine {
  const { client, store, now } = setting;
  return {
    name: "slurm",
    submit: (record) => submitJob(setting, record),
    replan: (record) => moveJob(setting, record, "planned again"),
    async hold(record) {
      if (record.externalId === null) return;
      requireDone(record, await client.control("hold", record.externalId));
      await store.change(record.id, now(), remarked("held", { held: 1 }));
    },
    async release(record) {
      if (record.externalId === null) return;
      requireDone(record, await client.control("release", record.externalId));
      await store.change(record.id, now(), remarked("released", { held: 0 }));
      await store.change(record.id, now(), released(now()));
      await moveJob(setting, record, "released");
    },
    cancel: (record) => cancelJob(setting, record),
    reconcile: () => reconcileJobs(setting),
  };
}

async function cancelJob({ client, store, now }: SlurmSetting, { id }: JobRecord): Promise<void> {
  const asked = await store.change(id, now(), (record) => {
    const gone = record.externalId === null && record.state === "waiting";
    const state = gone ? "cancelled" : record.state;
    const next = { ...record, cancelAsked: true, state, endedAt: gone ? now() : record.endedAt };
    return { record: { ...next, reason: "cancelled" }, kind: "cancel", text: "asked for its end" };
  });
  const external = asked?.record.externalId ?? null;
  if (asked === null || external === null) return;
  const answer = await client.cancel(external);
  // What is not reached now is cancelled when the two are compared again.
  if (answer.kind === "denied") requireDone(asked.record, answer);
}

function requireDone({ id, externalId }: JobRecord, answer: Answer): void {
  if (answer.kind === "done") return;
  throw new UserError(
    answer.kind === "unreachable"
      ? "network"
      : answer.kind === "denied"
        ? "denied"
        : "invalid-input",
    `job ${id} (${externalId} of Slurm): ${answer.reason}`,
    {
      hint:
        answer.kind === "unreachable" ? "Try again when the controller answers." : "See squeue.",
    },
  );
}
