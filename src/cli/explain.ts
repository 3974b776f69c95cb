// `godwit explain`: the arithmetic behind a run's numbers, with the numbers filled in.

import { Command } from "@commander-js/extra-typings";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";

/** The command `explain`. */
export function explainCommand(context: CliContext) {
  return new Command("explain")
    .description("Explain how a run's numbers were computed, step by step, with sources.")
    .argument("[run]", "id, part of an id, name, last or last~1", "last")
    .argument("[measure]", "explain this alone, such as emissions or net")
    .option(...LEDGER_OPTION)
    .option("--json", "print the steps as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ godwit explain last\n  $ godwit explain train emissions",
    )
    .action(async (run, measure, { ledger: flag, json }) => {
      const { openForReading } = await import("./open-ledger.ts");
      const { explanation, stepsBehind } = await import("./explanation.ts");
      const ledger = await openForReading(context, flag);
      try {
        const card = await ledger.get(run);
        const steps = stepsBehind(card, measure);
        if (json) {
          const answer = { schema: "godwit.explanation/1", id: card.id, steps };
          context.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
        } else context.stdout.write(explanation(card, steps, context.stdout.columns));
      } finally {
        ledger.close();
      }
    });
}
