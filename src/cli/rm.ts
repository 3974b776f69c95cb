// `godwit rm`: takes runs out of the ledger, with their samples.

import { createInterface } from "node:readline/promises";
import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";

/** Asks a question on the terminal and gives back the answer. */
export type Ask = (question: string) => Promise<string>;

/** The command `rm`. */
export function rmCommand(context: CliContext, ask: Ask = askOnTerminal) {
  return new Command("rm")
    .description("Remove runs from the ledger, with their samples.")
    .argument("<run...>", "id, part of an id, name (its latest run), last or last~1")
    .option("-y, --yes", "remove without asking")
    .option(...LEDGER_OPTION)
    .addHelpText("after", "\nExamples:\n  $ godwit rm last\n  $ godwit rm m4x7cd 8yq2w1 --yes")
    .action(async (references, { yes, ledger: flag }) => {
      const { openForReading } = await import("./open-ledger.ts");
      const { listSegments, removeSegment } = await import("../ledger/index.ts");
      const ledger = await openForReading(context, flag);
      try {
        // All are found before the first is removed, so that a mistyped one removes nothing.
        const ids = new Set<string>();
        const samples = new Set(await listSegments(ledger.folder));
        for (const reference of references) {
          // Samples that no card could be made of have nothing but their id.
          ids.add(samples.has(reference) ? reference : await ledger.resolve(reference));
        }
        if (!yes && !(await isConfirmed(context, [...ids], ask))) {
          context.stderr.write("Nothing was removed.\n");
          return;
        }
        for (const id of ids) {
          // The segment first: were the card gone and the segment left, it would come back as an
          // interrupted run.
          removeSegment(ledger.folder, id);
          await ledger.remove(id);
          context.stdout.write(`${id}\n`);
        }
      } finally {
        ledger.close();
      }
    });
}

async function isConfirmed(
  context: CliContext,
  ids: readonly string[],
  ask: Ask,
): Promise<boolean> {
  if (!context.stdin.isTTY || !context.stderr.isTTY) {
    throw new UserError("usage", "nobody can be asked whether to remove", {
      hint: "Pass --yes to remove without asking.",
    });
  }
  const what = ids.length === 1 ? `run ${ids[0]}` : `${ids.length} runs (${ids.join(", ")})`;
  return /^y(es)?$/i.test((await ask(`Remove ${what} and its samples? [y/N] `)).trim());
}

async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
