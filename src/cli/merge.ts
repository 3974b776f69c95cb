// `godwit merge`: runs of many hosts or ranks as one card.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { newCardId } from "../core/id.ts";
import { formatFigure, UserError } from "../core/index.ts";
import { mergeCards } from "../measure/merge/index.ts";
import { headlineEnergy } from "../report/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, ledgerOf, openForReading } from "./open-ledger.ts";
import { readCards } from "./read-cards.ts";

/** The command `merge`. */
export function mergeCommand(context: CliContext) {
  return new Command("merge")
    .description("Add up runs of many hosts or ranks, counting no machine twice.")
    .argument("<run...>", "runs of the ledger, or files with exported cards (.json, .ndjson)")
    .option("--name <text>", "name of the merged run (default: that of the runs)")
    .option("-o, --output <file>", "write the card to a file instead of the ledger; - prints it")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      `
Runs on one machine that overlap in time and each counted all of it are counted once, and
the card says so. Runs of unlike boundaries or signals are refused.

Examples:
  $ godwit merge node1.json node2.json --name "train, 2 nodes"
  $ godwit merge k3j9x2 m4x7cd -o job.json`,
    )
    .action(async (references, { name, output, ledger: flag }) => {
      const cards = await cardsOf(context, references, flag);
      const merged = mergeCards(cards, {
        id: newCardId(context.host),
        version: context.version,
        ...(name === undefined ? {} : { name }),
      });
      await keep(context, merged, { output, flag });
      const energy = headlineEnergy(merged);
      const said = energy === null ? "" : `: ${formatFigure(energy.figure)} ${energy.boundary}`;
      context.stderr.write(`${cards.length} runs as ${merged.id}${said}\n`);
      for (const notice of merged.notices) context.stderr.write(`note: ${notice}\n`);
    });
}

/** In the order of the command line. Files are read as files; all else is asked of the ledger. */
async function cardsOf(
  context: CliContext,
  references: readonly string[],
  flag: string | undefined,
): Promise<readonly Card[]> {
  const isFile = (reference: string) => /\.(nd)?json$/i.test(reference);
  const ledger = references.every(isFile) ? null : await openForReading(context, flag);
  try {
    const cards: Card[] = [];
    for (const reference of references) {
      if (ledger !== null && !isFile(reference)) cards.push(await ledger.get(reference));
      else cards.push(...(await readCards(resolve(context.cwd, reference), reference)));
    }
    return cards;
  } finally {
    ledger?.close();
  }
}

async function keep(
  context: CliContext,
  card: Card,
  { output, flag }: { readonly output: string | undefined; readonly flag: string | undefined },
): Promise<void> {
  const text = `${JSON.stringify(card, null, 2)}\n`;
  if (output === "-") context.stdout.write(text);
  else if (output !== undefined) {
    if (output === "") throw new UserError("usage", "--output: no name", { hint: "Name a file." });
    const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
    await writeFileAtomic(resolve(context.cwd, output), text);
  } else {
    const { openLedger } = await import("../ledger/index.ts");
    const ledger = await openLedger(ledgerOf(context, flag));
    try {
      await ledger.put(card);
    } finally {
      ledger.close();
    }
  }
}
