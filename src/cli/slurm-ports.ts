// What the Slurm engine is made of on this machine: Slurm's commands, the store, the clocks.

import { type JobStore, momentOf } from "../systems/schedule/jobs/index.ts";
import { createSlurmClient, createSlurmEngine } from "../systems/schedule/slurm/index.ts";
import type { CliContext } from "./context.ts";

export function slurmOn({ host }: CliContext, store: JobStore) {
  const client = createSlurmClient(host);
  const engine = createSlurmEngine({ client, store, now: () => momentOf(host).now });
  return { client, engine };
}
