// `godwit show`: the card of one run.

import { Command, Option } from "@commander-js/extra-typings";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

/** The command `show`. */
export function showCommand(context: CliContext) {
  return new Command("show")
    .description("Show the card of a run.")
    .argument("[run]", "id, part of an id, name, last or last~1", "last")
    .option(...LEDGER_OPTION)
    .addOption(new Option("--json", "print the whole card as JSON").conflicts("markdown"))
    .addOption(new Option("--markdown", "print the card as Markdown").conflicts("json"))
    .addHelpText("after", "\nExamples:\n  $ godwit show last\n  $ godwit show train~1 --json")
    .action(async (run, { ledger: flag, json, markdown }, command) => {
      const { openForReading } = await import("./open-ledger.ts");
      const { renderJson, renderMarkdown, renderTerminal } = await import("../report/index.ts");
      const ledger = await openForReading(context, flag);
      try {
        const card = await ledger.get(run);
        if (json) context.stdout.write(renderJson(card));
        else if (markdown) context.stdout.write(renderMarkdown(card));
        else {
          const { color } = command.optsWithGlobals() as { readonly color?: ColorChoice };
          const paint = painter(wantsColor(context.stdout, context.env, color));
          const next = [`godwit explain ${card.id}`];
          context.stdout.write(
            renderTerminal(card, { width: context.stdout.columns, paint, next }),
          );
        }
      } finally {
        ledger.close();
      }
    });
}
