// `godwit compare`: is the second better than the first, by a stated test.

import { Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { UserError } from "../core/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";

/** The command `compare`. */
export function compareCommand(context: CliContext) {
  return new Command("compare")
    .description("Compare two runs, or two sets of repeats: better, worse or within noise.")
    .argument("<baseline>", "a run, several separated by commas, or a name for all runs of it")
    .argument("<candidate>", "likewise")
    .option("--all", "show equal rows too")
    .option(...LEDGER_OPTION)
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      `
A name stands for all complete runs of it; NAME~0 is the latest alone.

Examples:
  $ godwit compare last~1 last
  $ godwit compare train-fp32 train-int8 --json`,
    )
    .action(async (first, second, { all, ledger: flag, json }) => {
      const { openForReading } = await import("./open-ledger.ts");
      const { compareCards } = await import("../measure/compare/index.ts");
      const { comparisonText } = await import("./comparison-text.ts");
      const ledger = await openForReading(context, flag);
      try {
        const baseline = await sideOf(ledger, first);
        const candidate = await sideOf(ledger, second);
        refuseOverlap(baseline, candidate, second);
        const comparison = compareCards({ baseline, candidate });
        if (json) context.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
        else {
          const rows = all ? "all" : "different";
          const width = context.stdout.columns;
          const sides = { baseline, candidate };
          context.stdout.write(comparisonText(comparison, sides, { width, rows }));
        }
      } finally {
        ledger.close();
      }
    });
}

/** The cards that one argument stands for. A whole name may hold commas, so it is tried first. */
async function sideOf(ledger: Ledger, text: string): Promise<readonly Card[]> {
  const named = await cardsNamed(ledger, text);
  if (named.length > 0) return named;
  if (!text.includes(",")) return [await ledger.get(text)];
  const cards = new Map<string, Card>();
  for (const part of text.split(",").map((one) => one.trim())) {
    const found = await cardsNamed(ledger, part);
    for (const card of found.length > 0 ? found : [await ledger.get(part)])
      cards.set(card.id, card);
  }
  return [...cards.values()];
}

async function cardsNamed(ledger: Ledger, name: string): Promise<readonly Card[]> {
  const cards: Card[] = [];
  for await (const card of ledger.cards({ name, status: "complete" })) cards.push(card);
  return cards.reverse();
}

function refuseOverlap(
  baseline: readonly Card[],
  candidate: readonly Card[],
  reference: string,
): void {
  const ids = new Set(baseline.map(({ id }) => id));
  const shared = candidate.find(({ id }) => ids.has(id));
  if (shared === undefined) return;
  throw new UserError("invalid-input", `run ${shared.id} is on both sides`, {
    hint: `A name stands for all of its runs; ${reference}~0 is the latest alone.`,
  });
}
