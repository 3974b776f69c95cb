// A folder as a dataset. What the names in it say, in this order: IDX images with labels; parts called
// train, validation and test; images in a folder a class; arrays of NumPy.

import { type Host, hostErrorCode } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";
import type { Dataset } from "./dataset.ts";
import { isImageName } from "./images/decode-image.ts";
import type { ImageFile } from "./images/image-dataset.ts";
import { formatOf, imagesDataset, type OpenOptions, openDataFile } from "./open-file.ts";
import { openIdxPair } from "./open-idx.ts";
import { dataFault, readFileBytes, unreadable } from "./read/fault.ts";
import { arraysDataset, decodeNpy } from "./read/npy.ts";
import type { DatasetSplits, SplitName } from "./splits.ts";
import { concat } from "./views.ts";

/** Names in a folder; null when the path is no folder. */
export async function namesIn(host: Host, path: string): Promise<readonly string[] | null> {
  try {
    return await host.list(path);
  } catch (error) {
    const code = hostErrorCode(error);
    if (code === "ENOTDIR" || code === "ENOENT") return null;
    throw unreadable(path, error);
  }
}

/** Opens a folder. Throws UserError saying what it looked for when it finds nothing it knows. */
export async function openFolder(
  host: Host,
  path: string,
  names: readonly string[],
  options: OpenOptions,
): Promise<DatasetSplits> {
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? path;
  const parts = partsOf(names);
  if (parts.size === 0) {
    const whole = await openWhole(host, path, names, options);
    return { name, splits: new Map([["all", whole]]) };
  }
  const splits = new Map<SplitName, Dataset>();
  for (const [part, entries] of parts) {
    splits.set(part, await openPart(host, path, entries, options));
  }
  return { name, splits };
}

const PARTS: readonly (readonly [SplitName, RegExp])[] = [
  ["train", /^train|_train\./i],
  ["validation", /^(val|valid|validation|dev)([._-]|$)|_(val|dev)\./i],
  ["test", /^(test|t10k)([._-]|$)|_test\./i],
];

/** Names that stand for parts, provided that there is one to train or to test on. */
function partsOf(names: readonly string[]): ReadonlyMap<SplitName, readonly string[]> {
  const parts = new Map<SplitName, string[]>();
  for (const name of names) {
    const part = PARTS.find(([, pattern]) => pattern.test(name))?.[0];
    const isFolder = !name.includes(".");
    const isData = formatOf(name) !== null || /idx[13]-ubyte/.test(name);
    if (part !== undefined && (isFolder || isData)) {
      parts.set(part, [...(parts.get(part) ?? []), name]);
    }
  }
  return parts;
}

async function openPart(
  host: Host,
  folder: string,
  names: readonly string[],
  options: OpenOptions,
): Promise<Dataset> {
  const idx = names.filter((name) => /idx[13]-ubyte/.test(name)).map((name) => `${folder}/${name}`);
  if (idx.length > 0) return openIdxPair(host, folder, idx, options);
  const [first, second] = names;
  if (second !== undefined) {
    const hint = "Keep one, or name the one you mean.";
    throw dataFault(folder, null, `${first} and ${second} are both the same part`, hint);
  }
  const path = `${folder}/${first}`;
  const inner = await namesIn(host, path);
  return inner === null ? openDataFile(host, path, options) : openWhole(host, path, inner, options);
}

async function openWhole(
  host: Host,
  path: string,
  names: readonly string[],
  options: OpenOptions,
): Promise<Dataset> {
  const own = path.split("/").at(-1) ?? path;
  const images = await imagesIn(host, path, names);
  if (images.length > 0) return imagesDataset(own, images, options);
  const arrays = names.filter((name) => /\.npz$/i.test(name));
  if (arrays.length > 0) {
    const files = arrays.map((name) => openDataFile(host, `${path}/${name}`, options));
    return concat(await Promise.all(files), own);
  }
  const columns = names.filter((name) => /\.npy$/i.test(name));
  if (columns.length > 0) return arraysDataset(own, path, await columnsIn(host, path, columns));
  const data = names.filter((name) => formatOf(name) !== null);
  if (data.length === 1) return openDataFile(host, `${path}/${data[0]}`, options);
  const found =
    names.length === 0 ? "an empty folder" : `nothing known among ${names.length} names`;
  const hint =
    "godwit knows folders with train and test files, a folder of images a class, and npz or npy files.";
  throw dataFault(path, null, found, hint);
}

/** Images of the folder itself, without class, or of the folders in it, each a class. */
async function imagesIn(
  host: Host,
  path: string,
  names: readonly string[],
): Promise<readonly ImageFile[]> {
  const here = names.filter(isImageName).map((name) => imageAt(host, `${path}/${name}`, null));
  if (here.length > 0) return here;
  const classes = names.filter((name) => !name.startsWith(".") && !name.includes("."));
  const files: ImageFile[] = [];
  for (const className of classes) {
    const inner = (await namesIn(host, `${path}/${className}`)) ?? [];
    for (const name of inner.filter(isImageName)) {
      files.push(imageAt(host, `${path}/${className}/${name}`, className));
    }
  }
  return files;
}

const imageAt = (host: Host, file: string, className: string | null): ImageFile => ({
  file,
  className,
  read: () => readFileBytes(host, file),
});

async function columnsIn(
  host: Host,
  path: string,
  names: readonly string[],
): Promise<Map<string, TensorValue>> {
  const arrays = new Map<string, TensorValue>();
  for (const name of names) {
    const file = `${path}/${name}`;
    arrays.set(name.replace(/\.npy$/i, ""), decodeNpy(file, await readFileBytes(host, file)));
  }
  return arrays;
}
