// `godwit cancel`: end jobs, whether they have begun or not.

import { Command } from "@commander-js/extra-typings";
import { printable } from "../report/columns.ts";
import { isFinal, localEngine, openJobStore } from "../systems/schedule/jobs/index.ts";
import { agentOn, capacityOf } from "./agent-ports.ts";
import type { CliContext } from "./context.ts";
import { findJob } from "./job-options.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { slurmOn } from "./slurm-ports.ts";

/** Longest wait for a job that is asked to end, seconds; then an agent goes on with it. */
const PATIENCE_S = 15;

/** The command `cancel`. */
export function cancelCommand(context: CliContext) {
  return new Command("cancel")
    .description("Cancel jobs: what waits is not started, what runs is ended.")
    .argument("<job...>", "ids, ends of ids, names, or last")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      "\nWhat runs gets SIGTERM, and SIGKILL ten seconds later.\n\nExamples:\n  $ godwit cancel last\n  $ godwit cancel m4x7cd",
    )
    .action(async (texts, { ledger }) => {
      const store = await openJobStore(ledgerOf(context, ledger).folder, { ifAbsent: "fail" });
      try {
        for (const text of texts) await cancelOne(text);
      } finally {
        store.close();
      }

      async function cancelOne(text: string): Promise<void> {
        const { host, stderr } = context;
        const { id, name: given } = await findJob(store, text);
        const name = printable(given);
        const agent = agentOn(context, {
          ...{ store, ledger, only: id, refreshS: Infinity },
          capacity: capacityOf(context, { concurrency: 0, gpus: 0 }),
          onEvent: () => {},
        });
        const lookAround = () => agent.tick();
        const record = await store.get(id);
        const engine =
          record?.engine === "slurm"
            ? slurmOn(context, { store, ledger }).engine
            : localEngine({ store, host, lookAround });
        if (record === null || isFinal(record)) {
          stderr.write(`Job ${id} (${name}) has ended already: ${record?.state}.\n`);
          return;
        }
        await engine.cancel(record);
        const until = host.wall() + PATIENCE_S * 1000;
        for (;;) {
          const now = await store.get(id);
          if (now === null || isFinal(now)) {
            const why = now === null || now.reason === now.state ? "" : `, ${now.reason}`;
            stderr.write(`Job ${id} (${name}): ${now?.state ?? "is gone"}${why}.\n`);
            return;
          }
          if (host.wall() > until) break;
          await engine.reconcile();
          await host.sleep(200);
        }
        stderr.write(
          `Job ${id} (${name}) was told to end and has not yet; see godwit jobs ${id}.\n`,
        );
      }
    });
}
