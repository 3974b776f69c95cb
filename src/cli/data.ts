// `godwit data`: the datasets known by name, where they are on this machine, and getting them.

import { Command } from "@commander-js/extra-typings";
import { downloadFile } from "../core/host/download.ts";
import { UserError } from "../core/index.ts";
import {
  type CatalogueEntry,
  type CatalogueFile,
  downloadFolder,
  findEntry,
  locateEntry,
  readCatalogue,
} from "../models/data/index.ts";
import { padded, wrap } from "../report/columns.ts";
import type { CliContext } from "./context.ts";
import { dataSummary } from "./data-summary.ts";
import { textTable } from "./text-table.ts";

/** The command `data` and its parts. */
export function dataCommand(context: CliContext) {
  return new Command("data")
    .description("List, get and look at datasets.")
    .addHelpText(
      "after",
      `
GODWIT_DATA names a folder with datasets of your own or copies of known ones.

Examples:
  $ godwit data list
  $ godwit data get fashion-mnist
  $ godwit data show photos/ --json`,
    )
    .addCommand(listCommand(context))
    .addCommand(getCommand(context))
    .addCommand(pathCommand(context))
    .addCommand(showCommand(context));
}

const listCommand = (context: CliContext) =>
  new Command("list")
    .description("List the datasets known by name.")
    .option("--json", "print as JSON")
    .action(async ({ json }) => {
      const entries = await readCatalogue(context.host);
      const rows = await Promise.all(
        entries.map(async (entry) => ({ entry, folder: await locateEntry(context.host, entry) })),
      );
      if (json) {
        const datasets = rows.map(({ entry, folder }) => ({ ...entry, path: folder }));
        context.stdout.write(
          `${JSON.stringify({ schema: "godwit.datasets/1", datasets }, null, 2)}\n`,
        );
        return;
      }
      const lines = textTable(
        [{ title: "NAME" }, { title: "WHAT", flexible: true }, { title: "HERE" }],
        rows.map(({ entry, folder }) => [entry.name, entry.title, whereOf(entry, folder)]),
        context.stdout.columns,
      );
      context.stdout.write(`${lines.join("\n")}\n`);
      context.stderr.write("godwit data show NAME tells origin, licence and baselines.\n");
    });

const whereOf = (entry: CatalogueEntry, folder: string | null): string => {
  if (folder !== null) return "yes";
  return isDownloadable(entry) ? "get" : "no";
};

const isDownloadable = ({ files }: CatalogueEntry): boolean =>
  files.every(({ url }) => url !== undefined);

const pathCommand = (context: CliContext) =>
  new Command("path")
    .description("Print the folder in which a dataset lies.")
    .argument("<name>", "name of the catalogue")
    .action(async (name) => {
      const entry = await findEntry(context.host, name);
      const folder = await locateEntry(context.host, entry);
      if (folder === null) throw absent(entry);
      context.stdout.write(`${folder}\n`);
    });

function absent(entry: CatalogueEntry): UserError {
  return new UserError("invalid-input", `dataset ${entry.name} is not on this machine`, {
    hint: isDownloadable(entry)
      ? `godwit data get ${entry.name}`
      : `Point GODWIT_DATA to a folder that has ${entry.folder}/.`,
  });
}

const getCommand = (context: CliContext) =>
  new Command("get")
    .description("Download a dataset, check it, and print its folder.")
    .argument("<name>", "name of the catalogue")
    .action(async (name) => {
      const entry = await findEntry(context.host, name);
      const present = await locateEntry(context.host, entry);
      if (present === null) await download(context, entry);
      else context.stderr.write(`${entry.name} is here already\n`);
      const folder = present ?? (await locateEntry(context.host, entry));
      context.stdout.write(`${folder}\n`);
    });

async function download(context: CliContext, entry: CatalogueEntry): Promise<void> {
  const root = downloadFolder(context.host);
  if (!isDownloadable(entry) || root === null) throw absent(entry);
  for (const file of entry.files) {
    const path = `${root}/${entry.folder}/${file.path}`;
    const line = progressLine(context, file.path);
    await downloadFile({
      url: file.url ?? "",
      path,
      checksum: checksumOf(entry, file),
      maxBytes: file.maxBytes ?? file.bytes ?? 0,
      onProgress: line.update,
    });
    line.end();
  }
  context.stderr.write(`${entry.name}: ${entry.licence}; ${entry.origin}\n`);
}

function checksumOf(entry: CatalogueEntry, { path, sha256, md5 }: CatalogueFile) {
  if (sha256 !== undefined) return { algorithm: "sha256", value: sha256 } as const;
  if (md5 !== undefined) return { algorithm: "md5", value: md5 } as const;
  throw new UserError("unsupported", `${path} of ${entry.name} has no checksum`, {
    hint: "The catalogue is broken: install godwit again.",
  });
}

/** One line that is written over on a terminal; elsewhere only its end. */
function progressLine({ stderr }: CliContext, name: string) {
  let shown = 0;
  let last = "";
  return {
    update(done: number, total: number | null): void {
      const of = total === null ? "" : ` of ${megabytes(total)}`;
      last = `${name}  ${megabytes(done)}${of}`;
      if (!stderr.isTTY || done - shown < 1e6) return;
      shown = done;
      stderr.write(`\r${last}`);
    },
    end: () => void stderr.write(stderr.isTTY ? `\r${last}\n` : `${last}\n`),
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const showCommand = (context: CliContext) =>
  new Command("show")
    .description("Show what a dataset holds: its parts, columns and classes.")
    .argument("<data>", "name of the catalogue, file or folder")
    .option("--json", "print as JSON")
    .action(async (spec, { json }) => {
      const summary = await dataSummary(context, spec);
      if (json) context.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
      else context.stdout.write(summaryText(summary, context.stdout.columns));
    });

function summaryText(
  { entry, parts }: Awaited<ReturnType<typeof dataSummary>>,
  width: number,
): string {
  const hang = (label: string, text: string): readonly string[] =>
    wrap(text, width - 12).map((line, at) => `${padded(at === 0 ? label : "", 10)}  ${line}`);
  const about =
    entry === null
      ? []
      : [
          entry.title,
          ...hang("origin", entry.origin),
          ...hang("licence", entry.licence),
          ...(entry.caution === undefined ? [] : hang("caution", entry.caution)),
          ...entry.baselines.flatMap(({ what, metric, value, source }) =>
            hang("baseline", `${metric} ${value}: ${what} (${source})`),
          ),
        ];
  const table = parts.flatMap(({ part, rows, columns }) => [
    ...hang(part, `${rows} samples`),
    ...columns.flatMap(({ name, type, classes }) =>
      hang("", `${name}  ${type}${classes === undefined ? "" : `  ${classes}`}`),
    ),
  ]);
  return `${[...about, ...table].join("\n")}\n`;
}
