// `godwit savings`: what jobs saved by when they ran, against starting when submitted; losses included.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { padded, wrap } from "../report/columns.ts";
import {
  cautions,
  JOB_COLUMNS,
  jobRow,
  type SavingsView,
  savingsJson,
  savingsMarkdown,
  totalLines,
} from "../report/savings-words.ts";
import {
  FINAL_STATES,
  type JobStore,
  openJobStore,
  totals,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, ledgerOf, openCards } from "./open-ledger.ts";
import { parseSince } from "./runs.ts";
import { textTable } from "./text-table.ts";

const LABEL = 16;

/** The command `savings`. */
export function savingsCommand(context: CliContext) {
  return new Command("savings")
    .description("Add up what jobs saved by when they ran, losses included.")
    .option("--since <when>", "jobs that ended since: 2026-01-31, 7d, 12h", (text) =>
      parseSince(text, context.host.wall()),
    )
    .option("--actual <file>", "what the intensities really were: a record (CSV, JSON)")
    .option("--markdown <file>", "write a Markdown section; - is standard output")
    .option("--json", "print the accounts as JSON")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP)
    .action(async ({ since, actual, markdown, json, ledger: flag }) => {
      const place = ledgerOf(context, flag);
      const store = await openJobStore(place.folder, { ifAbsent: "fail" });
      const view = await (async (): Promise<SavingsView> => {
        await collectLate(context, store, flag);
        const ledger = await openCards(context, flag);
        try {
          const { accountsOf } = await import("./savings-accounts.ts");
          const found = await accountsOf(context, {
            ...{ store, ledger, since: (since ?? 0) / 1000 },
            actual: actual ?? null,
          });
          for (const notice of found.notices) context.stderr.write(`${notice}\n`);
          return { ...found, totals: totals(found.accounts) };
        } finally {
          ledger?.close();
          store.close();
        }
      })();
      if (json === true) context.stdout.write(savingsJson(view));
      else if (markdown === "-") context.stdout.write(savingsMarkdown(view));
      else if (markdown !== undefined) {
        const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
        await writeFileAtomic(resolve(context.cwd, markdown), savingsMarkdown(view));
        context.stderr.write(`wrote ${markdown}\n`);
      } else print(context, view);
    });
}

const HELP = `
For each job: energy by its card, the intensities that came, what starting when submitted
would have emitted, what perfect foresight would have saved, and the delay. Losses are in
the sums. Savings by average intensity are reallocated, not avoided. A table given by
--actual is taken to be of the zone and kind by which the jobs were planned.

Examples:
  $ godwit savings
  $ godwit savings --since 30d --markdown savings.md
  $ godwit savings --actual record-2026.csv --json`;

/** Cards from a cluster's nodes that came after the end of their jobs was seen. */
async function collectLate(context: CliContext, store: JobStore, ledger: string | undefined) {
  const ended = await store.list({ engine: "slurm", states: FINAL_STATES }, () => {});
  if (ended.length === 0) return;
  const { withLateCards } = await import("./job-cards.ts");
  for (const record of ended) await withLateCards(context, record, { store, ledger });
}

function print({ stdout, stderr }: CliContext, view: SavingsView): void {
  const line = (text: string): void => void stdout.write(`${text}\n`);
  for (const total of view.totals) {
    for (const [label, words] of totalLines(total)) {
      const [first = "", ...rest] = wrap(words, stdout.columns - LABEL);
      line(padded(label, LABEL) + first);
      for (const more of rest) line(" ".repeat(LABEL) + more);
    }
    line("");
  }
  const rows = view.accounts.map((one) => jobRow(one, view.names));
  if (rows.length > 0) for (const text of textTable(JOB_COLUMNS, rows, stdout.columns)) line(text);
  else stderr.write("No job is done yet.\n");
  for (const caution of cautions(view))
    for (const text of wrap(caution, stdout.columns)) stderr.write(`${text}\n`);
}
