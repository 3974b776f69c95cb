// What the Slurm engine is made of on this machine: Slurm's commands, the store, the clocks, the ledger.

import { type JobStore, momentOf } from "../systems/schedule/jobs/index.ts";
import { createSlurmClient, createSlurmEngine } from "../systems/schedule/slurm/index.ts";
import type { CliContext } from "./context.ts";

export function slurmOn(
  context: CliContext,
  { store, ledger }: { readonly store: JobStore; readonly ledger: string | undefined },
) {
  const { host } = context;
  const client = createSlurmClient(host);
  const engine = createSlurmEngine({
    ...{ client, store, now: () => momentOf(host).now },
    cardsOf: async (record) =>
      (await import("./job-cards.ts")).collectCards(context, ledger, record),
  });
  return { client, engine };
}
