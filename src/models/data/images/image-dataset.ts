// Images with labels as a dataset: encoded bytes are kept or read again, pixels are decoded when a batch
// asks for them, so that a folder of a million images costs the memory of the first few thousand and of one
// batch. To decode a small JPEG anew in each epoch takes an eighth of the CPU time of training on it.

import type { TensorValue } from "../../../engine/index.ts";
import { type Column, checkRows, type Dataset } from "../dataset.ts";
import { dataFault } from "../read/fault.ts";
import { stackRows } from "../stack.ts";
import { decodeImage, type ImageDecoders } from "./decode-image.ts";
import { type ImagePreprocessing, type ImageTensor, preprocess } from "./preprocess.ts";

/** One image file, and the name of its class where it has one. */
export interface ImageFile {
  /** Path, or archive and entry: what an error names. */
  readonly file: string;
  readonly className: string | null;
  read(): Promise<Uint8Array>;
}

export interface ImageDatasetOptions {
  readonly decoders: ImageDecoders;
  readonly preprocessing?: ImagePreprocessing;
  /** Names of the classes in the order of their numbers; sorted by name when left out. */
  readonly classes?: readonly string[];
}

/**
 * Columns `image` (float32) and, where every image has a class, `label` (int64). Throws UserError for a
 * class that is not among those given, and for no images at all.
 */
export async function imageDataset(
  name: string,
  files: readonly ImageFile[],
  { decoders, preprocessing = {}, classes }: ImageDatasetOptions,
): Promise<Dataset> {
  const [first] = files;
  if (first === undefined) {
    throw dataFault(name, null, "no JPEG or PNG images", "Give a folder or tar of images.");
  }
  const load = async (file: ImageFile) =>
    preprocess(decodeImage(file.file, await file.read(), decoders), preprocessing);
  const pixels = keeping(files, load);
  const labels = labelsOf(files, classes);
  const { shape } = await load(first);
  const image: Column = { name: "image", dataType: "float32", shape };
  return {
    name,
    columns: labels === null ? [image] : [image, labels.column],
    length: files.length,
    async batch(rows, wanted) {
      checkRows(name, files.length, rows);
      const batch = new Map<string, TensorValue>();
      if (wanted?.includes("image") ?? true) {
        const samples = await Promise.all(
          rows.map(async (row) => {
            const { shape: dims, data } = await pixels(row);
            return { row, value: { dataType: "float32" as const, dims, data } };
          }),
        );
        batch.set("image", stackRows("image", samples));
      }
      if (labels !== null) {
        const data = BigInt64Array.from(rows, (row) => BigInt(labels.numbers[row] ?? 0));
        batch.set("label", { dataType: "int64", dims: [rows.length], data });
      }
      return batch;
    },
  };
}

/** Bytes of decoded pixels that are kept. */
const MOST_KEPT = 2 ** 28;

/** Pixels by row, decoded once as long as there is room to keep them. */
function keeping(
  files: readonly ImageFile[],
  load: (file: ImageFile) => Promise<ImageTensor>,
): (row: number) => Promise<ImageTensor> {
  const kept = new Map<number, ImageTensor>();
  let bytes = 0;
  return async (row) => {
    const known = kept.get(row);
    if (known !== undefined) return known;
    const image = await load(files[row] as ImageFile);
    const fits = bytes + image.data.byteLength <= MOST_KEPT;
    if (fits && !kept.has(row)) {
      kept.set(row, image);
      bytes += image.data.byteLength;
    }
    return image;
  };
}

function labelsOf(
  files: readonly ImageFile[],
  given: readonly string[] | undefined,
): { readonly column: Column; readonly numbers: readonly number[] } | null {
  if (files.some(({ className }) => className === null)) return null;
  const names = files.map(({ className }) => className as string);
  const classes = given ?? [...new Set(names)].sort();
  const numbers = new Map(classes.map((className, number) => [className, number]));
  const labels = files.map(({ file, className }) => {
    const number = numbers.get(className as string);
    if (number === undefined) {
      const hint = `The classes are ${classes.join(", ")}.`;
      throw dataFault(file, null, `class ${className} is not known`, hint);
    }
    return number;
  });
  return { column: { name: "label", dataType: "int64", shape: [], classes }, numbers: labels };
}
