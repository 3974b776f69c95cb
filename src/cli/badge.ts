// `godwit badge`: a run's figure as an SVG, or as the JSON of a shields.io endpoint.

import { resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseNumber } from "./values.ts";

/** The command `badge`. */
export function badgeCommand(context: CliContext) {
  return new Command("badge")
    .description("Draw a badge of a run's energy or emissions.")
    .argument("[run]", "run of the badge", "last")
    .addOption(
      new Option("--metric <metric>", "what to show")
        .choices(["energy", "emissions", "duration", "water"] as const)
        .default("energy" as const),
    )
    .option("--label <text>", "left text (default: the metric)")
    .option("--per <count>", "divide by so many items", (text) => {
      const count = parseNumber("--per", text);
      if (count > 0) return count;
      throw new UserError("usage", "--per: a count is above zero", { hint: "Such as --per 1000." });
    })
    .option("--item <noun>", "what the items are, with --per", "item")
    .option("--endpoint", "JSON for img.shields.io/endpoint instead of an SVG")
    .option("-o, --output <file>", "file to write; - is standard output", "-")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      `
The mark ~ and the colour say that a figure is an estimate; the title has its interval.

Examples:
  $ godwit badge last -o energy.svg
  $ godwit badge last --per 1000 --item inference --endpoint -o energy.json`,
    )
    .action(async (reference, { metric, label, per, item, endpoint, output, ledger: flag }) => {
      const { badgeEndpoint, renderBadge } = await import("../report/exports/badge.ts");
      const { openForReading } = await import("./open-ledger.ts");
      const ledger = await openForReading(context, flag);
      try {
        const options = {
          metric,
          ...(label === undefined ? {} : { label }),
          ...(per === undefined ? {} : { per: { count: per, noun: item } }),
        };
        const card = await ledger.get(reference);
        const content = endpoint ? badgeEndpoint(card, options) : renderBadge(card, options);
        if (output === "-") context.stdout.write(content);
        else {
          const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
          await writeFileAtomic(resolve(context.cwd, output), content);
        }
      } finally {
        ledger.close();
      }
    });
}
