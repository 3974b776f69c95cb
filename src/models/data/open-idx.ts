// A pair of IDX files, images and labels, as MNIST and its successors come.

import type { Host } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";
import { type Dataset, memoryDataset } from "./dataset.ts";
import type { OpenOptions } from "./open-file.ts";
import { dataFault, readFileBytes } from "./read/fault.ts";
import { decodeIdx } from "./read/idx.ts";
import { unzipped } from "./read/inflate.ts";
import { normalise } from "./views.ts";

/** Columns `image` (float32, [1, rows, columns], 0 to 1 unless told otherwise) and `label` (int64). */
export async function openIdxPair(
  host: Host,
  folder: string,
  files: readonly string[],
  { classes, images: preprocessing = {} }: OpenOptions,
): Promise<Dataset> {
  const imageFile = files.find((file) => /images/.test(file));
  const labelFile = files.find((file) => /labels/.test(file));
  if (imageFile === undefined || labelFile === undefined || files.length !== 2) {
    const hint = "Give one images file and one labels file for each part.";
    throw dataFault(folder, null, `${files.length} IDX files of one part`, hint);
  }
  const images = await read(host, imageFile);
  const labels = await read(host, labelFile);
  const [count, height = 1, width = 1] = images.dims;
  if (images.dims.length !== 3) {
    throw dataFault(imageFile, null, `${images.dims.length} dimensions, not 3`, "Give images.");
  }
  if (labels.dims.length !== 1 || labels.dims[0] !== count) {
    const fault = `${labels.dims.join(" x ")} labels for ${count} images`;
    throw dataFault(labelFile, null, fault, "Give the labels of these images.");
  }
  const raw = memoryDataset(folder.split("/").at(-1) ?? folder, [
    {
      name: "image",
      dataType: images.dataType,
      shape: [1, height, width],
      data: images.data,
    },
    {
      name: "label",
      dataType: "int64",
      shape: [],
      data: classNumbers(labelFile, labels, classes),
      ...(classes === undefined ? {} : { classes }),
    },
  ]);
  return normalise(raw, "image", {
    scale: preprocessing.scale ?? 1 / 255,
    ...(preprocessing.mean === undefined ? {} : { mean: preprocessing.mean }),
    ...(preprocessing.deviation === undefined ? {} : { deviation: preprocessing.deviation }),
  });
}

async function read(host: Host, file: string): Promise<TensorValue> {
  return decodeIdx(file, await unzipped(file, await readFileBytes(host, file)));
}

function classNumbers(
  file: string,
  { data }: TensorValue,
  classes: readonly string[] | undefined,
): BigInt64Array {
  return BigInt64Array.from(data as ArrayLike<number>, (label, row) => {
    if (Number.isInteger(label) && label >= 0 && label < (classes?.length ?? 2 ** 31)) {
      return BigInt(label);
    }
    const hint = `Labels are whole numbers from 0${classes === undefined ? "" : ` to ${classes.length - 1}`}.`;
    throw dataFault(file, `row ${row}`, `a label of ${label}`, hint);
  });
}
