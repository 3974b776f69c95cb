// `godwit export`: the ledger for other programs. Units stand in the names of columns.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { UserError } from "../core/index.ts";
import type { CardFilter, Ledger } from "../ledger/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseSince } from "./runs.ts";
import { parseTag } from "./values.ts";

type Format = "csv" | "json" | "ndjson" | "parquet";

/** The command `export`. */
export function exportCommand(context: CliContext) {
  return new Command("export")
    .description("Write runs to a file for other programs.")
    .argument("[run...]", "runs to write; all when none is named")
    .option("--csv <file>", "one row a run, RFC 4180; - is standard output")
    .option("--json <file>", "whole cards in one JSON array")
    .option("--ndjson <file>", "whole cards, one a line")
    .option("--parquet <file>", "one row a run, for DuckDB, pandas and others")
    .option("--name <text>", "runs whose name contains this")
    .option(
      "--tag <key=value>",
      "runs with this tag; repeat for several",
      (text, before) => parseTag("--tag", text, before),
      {} as Readonly<Record<string, string>>,
    )
    .option("--since <when>", "runs since a date, or since so long ago: 2026-01-31, 7d", (text) =>
      parseSince(text, context.host.wall()),
    )
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      "\nExamples:\n  $ godwit export --csv runs.csv\n  $ godwit export --ndjson - --since 7d | jq .measures",
    )
    .action(async (references, options) => {
      const { name, tag, since, ledger: flag, ...formats } = options;
      const targets = targetsOf(formats);
      const { openForReading } = await import("./open-ledger.ts");
      const ledger = await openForReading(context, flag);
      try {
        for (const { format, file } of targets) {
          const cards = chosen(ledger, references, { nameContains: name, tags: tag, since });
          await write(context, file, await contentOf(format, cards));
        }
      } finally {
        ledger.close();
      }
    });
}

interface Target {
  readonly format: Format;
  readonly file: string;
}

function targetsOf(formats: Readonly<Partial<Record<Format, string>>>): readonly Target[] {
  const names: readonly Format[] = ["csv", "json", "ndjson", "parquet"];
  const targets = names.flatMap((format) => {
    const file = formats[format];
    return file === undefined ? [] : [{ format, file }];
  });
  if (targets.length === 0) {
    throw new UserError("usage", "no format was given", {
      hint: "Add --csv FILE, --json FILE, --ndjson FILE or --parquet FILE; - is standard output.",
    });
  }
  if (targets.filter(({ file }) => file === "-").length > 1) {
    throw new UserError("usage", "two formats would be mixed on standard output", {
      hint: "Give all but one of them a file.",
    });
  }
  return targets;
}

/** The runs that were named, in that order, else those of the filter, newest first. */
async function* chosen(
  ledger: Ledger,
  references: readonly string[],
  filter: CardFilter,
): AsyncGenerator<Card> {
  if (references.length === 0) yield* ledger.cards(filter);
  for (const reference of references) yield await ledger.get(reference);
}

async function contentOf(format: Format, cards: AsyncIterable<Card>): Promise<string | Uint8Array> {
  switch (format) {
    case "csv": {
      const { renderCsvTable } = await import("../report/index.ts");
      return renderCsvTable(await thinned(cards));
    }
    case "parquet": {
      const { cardsParquet } = await import("./parquet.ts");
      return cardsParquet(await thinned(cards));
    }
    case "ndjson":
      return (await lines(cards)).map((line) => `${line}\n`).join("");
    case "json":
      return `[${(await lines(cards)).join(",\n")}]\n`;
    default:
      return format satisfies never;
  }
}

async function lines(cards: AsyncIterable<Card>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const card of cards) texts.push(JSON.stringify(card));
  return texts;
}

/** Cards without what no table shows, so that many thousands fit into memory. */
async function thinned(cards: AsyncIterable<Card>): Promise<readonly Card[]> {
  const thin: Card[] = [];
  for await (const card of cards) {
    thin.push({ ...card, components: [], spans: [], series: [], steps: [], gaps: [] });
  }
  return thin;
}

async function write(
  context: CliContext,
  file: string,
  content: string | Uint8Array,
): Promise<void> {
  if (file !== "-") {
    const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
    await writeFileAtomic(resolve(context.cwd, file), content);
    return;
  }
  if (typeof content !== "string" && context.stdout.isTTY) {
    throw new UserError("usage", "Parquet is not text and would garble the terminal", {
      hint: "Give a file: godwit export --parquet runs.parquet",
    });
  }
  context.stdout.write(content);
}
