// A dataset of the catalogue from its files.

import { type Host, UserError } from "../../../core/index.ts";
import { columnOf, type Dataset } from "../dataset.ts";
import { type OpenOptions, openDataFile } from "../open-file.ts";
import { openIdxPair } from "../open-idx.ts";
import { readCsv } from "../read/csv.ts";
import { dataFault, readFileBytes } from "../read/fault.ts";
import { unzipped } from "../read/inflate.ts";
import { type Table, tableDataset } from "../read/table.ts";
import type { DatasetSplits, SplitName } from "../splits.ts";
import { mapColumn, normalise, selectColumns } from "../views.ts";
import { type CatalogueEntry, type LoadRecipe, locateEntry } from "./entry.ts";

/** Opens an entry. Throws UserError saying how to get it when it is not here. */
export async function loadEntry(
  host: Host,
  entry: CatalogueEntry,
  options: OpenOptions = {},
): Promise<DatasetSplits> {
  const folder = await locateEntry(host, entry);
  if (folder === null) throw notHere(entry);
  const { load } = entry;
  if (load.kind === "table" && load.split !== undefined) {
    return { name: entry.name, splits: await byColumn(host, folder, load, load.split) };
  }
  const splits = new Map<SplitName | "all", Dataset>();
  for (const [part, files] of Object.entries(load.parts)) {
    const dataset = await openPart(host, folder, load, files, options);
    splits.set(part as SplitName, { ...dataset, name: `${entry.name}:${part}` });
  }
  return { name: entry.name, splits };
}

function notHere(entry: CatalogueEntry): UserError {
  const canBeHad = entry.files.every(({ url }) => url !== undefined);
  return new UserError("invalid-input", `dataset ${entry.name} is not on this machine`, {
    hint: canBeHad
      ? `godwit data get ${entry.name}`
      : `Point GODWIT_DATA to a folder that has ${entry.folder}/; it cannot be downloaded as it is.`,
  });
}

async function openPart(
  host: Host,
  folder: string,
  load: LoadRecipe,
  files: string | readonly string[],
  options: OpenOptions,
): Promise<Dataset> {
  const paths = [files].flat().map((file) => `${folder}/${file}`);
  const [path = folder] = paths;
  switch (load.kind) {
    case "idx":
      return openIdxPair(host, folder, paths, { ...options, classes: load.classes });
    case "images":
      return openDataFile(host, path, { ...options, classes: load.classes });
    case "series":
      return openDataFile(host, path, options);
    case "table": {
      const table = await readTable(host, path, load.names);
      const { classes } = load;
      const dataset = tableDataset(path, table, { ...(classes === undefined ? {} : { classes }) });
      return load.image === undefined ? dataset : asImage(dataset, load.image);
    }
    default:
      throw new TypeError(load satisfies never);
  }
}

async function readTable(
  host: Host,
  path: string,
  names: readonly string[] | undefined,
): Promise<Table> {
  const bytes = await unzipped(path, await readFileBytes(host, path));
  const separator = /\.tsv/.test(path) ? "\t" : ",";
  const table = readCsv(path, bytes, { separator, header: names === undefined });
  if (names === undefined) return table;
  if (names.length === table.names.length) return { ...table, names };
  const fault = `${table.names.length} columns where there should be ${names.length}`;
  throw dataFault(path, null, fault, "Get the file again.");
}

/** Rows whose part is told by a column, as one table with both parts. */
async function byColumn(
  host: Host,
  folder: string,
  load: Extract<LoadRecipe, { kind: "table" }>,
  column: string,
): Promise<Map<SplitName | "all", Dataset>> {
  const [file = ""] = Object.values(load.parts);
  const table = await readTable(host, `${folder}/${file}`, load.names);
  const at = table.names.indexOf(column);
  const target = table.names.find((name) => /^(label|class)$/.test(name)) ?? "class";
  const classes = [...new Set(table.rows.map((row) => String(row[table.names.indexOf(target)])))];
  const parts = new Map<SplitName | "all", Dataset>();
  for (const part of new Set(table.rows.map((row) => String(row[at])))) {
    const numbers = table.rows.flatMap((row, index) => (row[at] === part ? [index] : []));
    const rows = numbers.map((index) => table.rows[index] ?? []);
    const place = (row: number): string => table.place(numbers[row] ?? row);
    const own = { ...table, rows, place };
    const how = { ignore: [column], target, classes: classes.toSorted() };
    parts.set(part as SplitName, tableDataset(`${file}:${part}`, own, how));
  }
  return parts;
}

/** The numbers of a row as an image. */
function asImage(
  dataset: Dataset,
  { shape, scale }: { readonly shape: readonly number[]; readonly scale: number },
): Dataset {
  const shaped = mapColumn(dataset, "x", {
    column: { ...columnOf(dataset, "x"), name: "image", shape },
    map: (batch) => ({ ...batch, dims: [batch.dims[0] ?? 0, ...shape] }),
  });
  const names = Object.fromEntries(shaped.columns.map(({ name }) => [name, name]));
  return normalise(selectColumns(shaped, names), "image", { scale });
}
