// One data file as a dataset: its name says the format, its content is checked against it.

import { type Host, UserError } from "../../core/index.ts";
import type { Dataset } from "./dataset.ts";
import { isImageName, loadDecoders } from "./images/decode-image.ts";
import { type ImageFile, imageDataset } from "./images/image-dataset.ts";
import type { ImagePreprocessing } from "./images/preprocess.ts";
import { decodeText, readCsv } from "./read/csv.ts";
import { dataFault, readFileBytes } from "./read/fault.ts";
import { unzipped } from "./read/inflate.ts";
import { readJson } from "./read/json.ts";
import { samplesDataset } from "./read/module.ts";
import { arraysDataset, decodeNpy, readNpz } from "./read/npy.ts";
import { readParquet } from "./read/parquet.ts";
import { type Table, tableDataset } from "./read/table.ts";
import { readTar } from "./read/tar.ts";
import { loadTokenizer, tokenised } from "./read/text.ts";
import { looksLikeSeries, readSeries, readUcrTsv } from "./read/ucr.ts";
import { readZip } from "./read/zip.ts";

/** What a file cannot say itself. */
export interface OpenOptions {
  /** Column to predict; by default the one called label, class, target or y. */
  readonly target?: string;
  /** Columns that are left out. */
  readonly ignore?: readonly string[];
  /** Names of the classes in the order of their numbers; sorted by name when left out. */
  readonly classes?: readonly string[];
  /** Whether the first row of a CSV file names the columns; by default it does unless it has a number. */
  readonly header?: boolean;
  readonly allowNonFinite?: boolean;
  readonly images?: ImagePreprocessing;
  /** How the text of a column becomes tokens. */
  readonly text?: {
    readonly column: string;
    /** Path of a tokenizer.json. */
    readonly tokenizer: string;
    readonly length: number;
  };
  /** Loads a user's module; without it, modules are refused. */
  readonly importModule?: (path: string) => Promise<Readonly<Record<string, unknown>>>;
}

/** Formats by the end of a file's name, without `.gz`. */
const FORMATS = [
  ["csv", /\.csv$/i],
  ["tsv", /\.tsv$/i],
  ["json", /\.(json|jsonl|ndjson)$/i],
  ["parquet", /\.parquet$/i],
  ["npy", /\.npy$/i],
  ["npz", /\.npz$/i],
  ["tar", /\.(tar|tgz)$/i],
  ["zip", /\.zip$/i],
  ["ts", /\.ts$/i],
  ["module", /\.(mts|mjs|js)$/i],
] as const;

export type FileFormat = (typeof FORMATS)[number][0];

/** The format that a file's name tells; null when it tells none. */
export function formatOf(path: string): FileFormat | null {
  const name = path.replace(/\.gz$/i, "");
  return FORMATS.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}

/** Opens one file. Throws UserError for formats that are not read and for all faults of its content. */
export async function openDataFile(
  host: Host,
  path: string,
  options: OpenOptions = {},
): Promise<Dataset> {
  const format = formatOf(path);
  if (format === null) {
    throw new UserError("invalid-input", `${path} is no data file that godwit knows`, {
      hint: "It reads csv, tsv, json, jsonl, parquet, npy, npz, tar, zip, UCR ts and modules (mjs, mts).",
    });
  }
  if (format === "module") return fromModule(path, options);
  const bytes = await unzipped(path, await readFileBytes(host, path));
  const dataset = await decode(host, path, format, bytes, options);
  return options.text === undefined ? dataset : withTokens(host, dataset, options.text);
}

async function decode(
  _host: Host,
  path: string,
  format: Exclude<FileFormat, "module">,
  bytes: Uint8Array,
  options: OpenOptions,
): Promise<Dataset> {
  const name = baseName(path);
  const table = (rows: Table) => tableDataset(name, rows, options);
  switch (format) {
    case "csv":
      return table(readCsv(path, bytes, { ...headerOption(options), separator: "," }));
    case "tsv":
      if (isUcrTsv(path)) return readUcrTsv(name, path, bytes);
      return table(readCsv(path, bytes, { ...headerOption(options), separator: "\t" }));
    case "json":
      return table(readJson(path, bytes));
    case "parquet":
      return table(await readParquet(path, bytes));
    case "npy": {
      const arrays = new Map([["x", decodeNpy(path, bytes)]]);
      return arraysDataset(name, path, arrays);
    }
    case "npz":
      return arraysDataset(name, path, await readNpz(path, bytes));
    case "tar":
    case "zip":
      return archiveDataset(path, format, bytes, options);
    case "ts":
      if (looksLikeSeries(decodeText(path, bytes))) return readSeries(name, path, bytes);
      return fromModule(path, options);
    default:
      throw new TypeError(format satisfies never);
  }
}

/** The UCR archive of 2018 names its files like this, with the label first and no header. */
const isUcrTsv = (path: string): boolean => /_(TRAIN|TEST)\.tsv(\.gz)?$/.test(path);

const headerOption = ({ header }: OpenOptions): { readonly header?: boolean } =>
  header === undefined ? {} : { header };

async function fromModule(path: string, { importModule }: OpenOptions): Promise<Dataset> {
  if (importModule === undefined) {
    throw dataFault(path, null, "a program, which is not run here", "Give a data file.");
  }
  const loaded = await importModule(path);
  return samplesDataset(baseName(path), path, loaded);
}

/** Images in a tar or zip archive; the folder that an image lies in is its class. */
async function archiveDataset(
  path: string,
  format: "tar" | "zip",
  bytes: Uint8Array,
  options: OpenOptions,
): Promise<Dataset> {
  const entries =
    format === "zip"
      ? readZip(path, bytes)
      : readTar(path, bytes).map(({ name, bytes: own }) => ({ name, read: async () => own }));
  const images = entries.filter(({ name }) => isImageName(name));
  const files = images.map(
    ({ name, read }): ImageFile => ({
      file: `${path}, entry ${name}`,
      className: name.split("/").at(-2) ?? null,
      read,
    }),
  );
  return imagesDataset(baseName(path), files, options);
}

/** Images with the options of opening. */
export async function imagesDataset(
  name: string,
  files: readonly ImageFile[],
  { images, classes }: OpenOptions,
): Promise<Dataset> {
  return imageDataset(name, files, {
    decoders: await loadDecoders(),
    ...(images === undefined ? {} : { preprocessing: images }),
    ...(classes === undefined ? {} : { classes }),
  });
}

async function withTokens(
  host: Host,
  dataset: Dataset,
  { column, tokenizer, length }: NonNullable<OpenOptions["text"]>,
): Promise<Dataset> {
  const bytes = await readFileBytes(host, tokenizer);
  const loaded = await loadTokenizer(tokenizer, decodeText(tokenizer, bytes));
  return tokenised(dataset, column, loaded, length);
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
