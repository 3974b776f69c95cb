// `godwit export`: the ledger for other programs. Units stand in the names of columns. Formats and
// what each of them loses: docs/formats.md.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { UserError } from "../core/errors.ts";
import type { CardFilter, Ledger } from "../ledger/index.ts";
import type { CliContext } from "./context.ts";
import { type Content, contentOf, FORMATS, type Format } from "./export-formats.ts";
import { exportK8sCommand } from "./export-k8s.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";
import { parseSince } from "./runs.ts";
import { tagOption } from "./tag-option.ts";

const EXAMPLES = `
Examples:
  $ godwit export --csv runs.csv
  $ godwit export --ndjson - --since 7d | jq .measures
  $ godwit export --prometheus /var/lib/node_exporter/godwit.prom
  $ godwit export last --otlp http://localhost:4318
  $ godwit export k8s last --image train:1.2        (a job of the queue)

Credentials of --otlp come from OTEL_EXPORTER_OTLP_HEADERS or a file, and are never shown.`;

/** The command `export`. */
export function exportCommand(context: CliContext) {
  return new Command("export")
    .enablePositionalOptions()
    .description("Write runs to a file for other programs, or send them.")
    .argument("[run...]", "runs to write; all when none is named")
    .option("--csv <file>", "one row a run, RFC 4180; - is standard output")
    .option("--json <file>", "whole cards in one JSON array")
    .option("--ndjson <file>", "whole cards, one a line")
    .option("--parquet <file>", "one row a run, for DuckDB, pandas and others")
    .option("--prometheus <file>", "metrics for node_exporter's textfile collector")
    .option("--otlp <url>", "send metrics and traces to an OpenTelemetry receiver")
    .option("--otlp-headers <file>", "lines of Name: value to send with --otlp")
    .option("--codecarbon <file>", "rows as CodeCarbon's emissions.csv has them: kg, kWh")
    .option("--boamps <file>", "one run as a BoAmps report")
    .option("--impact-framework <file>", "manifest of the Impact Framework, YAML")
    .option("--name <text>", "runs whose name contains this")
    .addOption(tagOption("runs with this tag; repeat for several"))
    .option("--since <when>", "runs since a date, or since so long ago: 2026-01-31, 7d", (text) =>
      parseSince(text, context.host.wall()),
    )
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(async (references, options) => {
      const { name, tag, since, ledger: flag, otlp, otlpHeaders, ...formats } = options;
      const targets = targetsOf(formats, otlp !== undefined);
      const { openForReading } = await import("./open-ledger.ts");
      const ledger = await openForReading(context, flag);
      const cards = () => chosen(ledger, references, { nameContains: name, tags: tag, since });
      try {
        for (const { format, file } of targets) {
          await write(context, file, await contentOf(format, cards(), context.host));
        }
        if (otlp !== undefined) {
          const { sendOtlp } = await import("./send-otlp.ts");
          await sendOtlp(context, cards(), { endpoint: otlp, headersFile: otlpHeaders });
        }
      } finally {
        ledger.close();
      }
    })
    .addCommand(exportK8sCommand(context));
}

interface Target {
  readonly format: Format;
  readonly file: string;
}

function targetsOf(
  files: Readonly<Partial<Record<Format, string>>>,
  isSent: boolean,
): readonly Target[] {
  const targets = FORMATS.flatMap((format) => {
    const file = files[format];
    return file === undefined ? [] : [{ format, file }];
  });
  if (targets.length === 0 && !isSent) {
    throw new UserError("usage", "no format was given", {
      hint: "Add --csv FILE, --json FILE, --ndjson FILE or another format; - is standard output.",
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

async function write(
  context: CliContext,
  file: string,
  { content, notices }: Content,
): Promise<void> {
  for (const notice of notices) context.stderr.write(`${notice}\n`);
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
