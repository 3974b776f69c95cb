// `godwit report`: one card as text, HTML, Markdown, CSV or JSON, on the screen or in a file.

import { extname, resolve } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import type { Card } from "../core/card.ts";
import { UserError } from "../core/errors.ts";
import type { Host } from "../core/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, openForReading } from "./open-ledger.ts";
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

const FORMATS = ["text", "html", "markdown", "csv", "json"] as const;
type Format = (typeof FORMATS)[number];

const FORMAT_OF_EXTENSION: Readonly<Record<string, Format>> = {
  ".html": "html",
  ".htm": "html",
  ".md": "markdown",
  ".csv": "csv",
  ".json": "json",
  ".txt": "text",
};

export const reportCommand = (context: CliContext) =>
  new Command("report")
    .description("Show one run as text, or as an HTML page, Markdown, CSV or JSON.")
    .argument("[card]", "id or its beginning, a name, or last", "last")
    .addOption(
      new Option("--html <file>", "write one self-contained page").conflicts([
        "markdown",
        "csv",
        "json",
      ]),
    )
    .addOption(new Option("--markdown", "for a pull request").conflicts(["csv", "json"]))
    .addOption(new Option("--csv", "one row a figure, units in the names").conflicts("json"))
    .option("--json", "the card itself (godwit.card/1)")
    .option("-o, --output <file>", "write to a file; its ending chooses the format")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      `
Examples:
  $ godwit report last --html run.html
  $ godwit report train -o train.md`,
    )
    .action(async (reference, options, command) => {
      const file = fileOf(options);
      const format = formatOf(options, file);
      const card = await readCard(context, reference, options.ledger);
      const { color } = command.optsWithGlobals() as { readonly color?: ColorChoice };
      const toScreen = file === null;
      const text = await render(card, format, {
        host: context.host,
        width: toScreen ? context.stdout.columns : 80,
        color: toScreen && wantsColor(context.stdout, context.env, color),
      });
      if (toScreen) {
        context.stdout.write(text);
        return;
      }
      const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
      await writeFileAtomic(resolve(context.cwd, file), text);
      context.stderr.write(`wrote ${file}\n`);
    });

interface Choice {
  readonly html?: string;
  readonly markdown?: true;
  readonly csv?: true;
  readonly json?: true;
  readonly output?: string;
}

/** Where to write; null is standard output, which `-` names as well. */
function fileOf({ html, output }: Choice): string | null {
  if (html !== undefined && output !== undefined) {
    throw new UserError("usage", `--html ${html} and --output ${output} name two files`, {
      hint: "Give one of them.",
    });
  }
  const file = html ?? output ?? "-";
  if (file === "") {
    throw new UserError("usage", "the file's name is empty text", { hint: "Name a file." });
  }
  return file === "-" ? null : file;
}

function formatOf(choice: Choice, file: string | null): Format {
  if (choice.html !== undefined) return "html";
  const named = (["markdown", "csv", "json"] as const).find((format) => choice[format] === true);
  if (named !== undefined) return named;
  if (file === null) return "text";
  const format = FORMAT_OF_EXTENSION[extname(file).toLowerCase()];
  if (format !== undefined) return format;
  throw new UserError("usage", `${file}: no format has this ending`, {
    hint: `Name the format: --html, --markdown, --csv or --json; or end the name with ${Object.keys(FORMAT_OF_EXTENSION).join(", ")}.`,
  });
}

async function readCard(
  context: CliContext,
  reference: string,
  flag: string | undefined,
): Promise<Card> {
  const ledger = await openForReading(context, flag);
  try {
    return await ledger.get(reference);
  } finally {
    ledger.close();
  }
}

interface Screen {
  readonly host: Host;
  readonly width: number;
  readonly color: boolean;
}

/** The card in a format, with the everyday things it compares with. */
async function render(card: Card, format: Format, screen: Screen): Promise<string> {
  const report = await import("../report/index.ts");
  const equivalents = report.equivalentsOf(card, await report.loadEveryday(screen.host));
  switch (format) {
    case "text":
      return report.renderTerminal(card, {
        width: screen.width,
        paint: painter(screen.color),
        equivalents,
      });
    case "html":
      return report.renderHtml(card, { equivalents });
    case "markdown":
      return report.renderMarkdown(card, { equivalents });
    case "csv":
      return report.renderCsv(card);
    case "json":
      return report.renderJson(card);
    default:
      return format satisfies never;
  }
}
