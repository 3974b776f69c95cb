// Tensors whose elements lie in another file (onnx, docs/ExternalData.md).

import type { ByteSource } from "./byte-source.ts";
import type { ExternalData } from "./elements.ts";
import { byteLength } from "./elements.ts";
import type { Payload, Tensor } from "./model.ts";
import { ModelError } from "./model-error.ts";

/** Opens a data file by the location that the model gives; throws when it may not be read. */
export type OpenDataFile = (location: string) => ByteSource;

/** Finds the data of tensors in the files that `open` gives, each of which is opened once. */
export function externalData(open: OpenDataFile): ExternalData {
  const sources = new Map<string, ByteSource>();
  const sourceOf = (location: string): ByteSource => {
    const known = sources.get(location);
    if (known !== undefined) return known;
    const source = open(location);
    sources.set(location, source);
    return source;
  };
  return (tensor) => locate(tensor, sourceOf);
}

function locate(tensor: Tensor, sourceOf: (location: string) => ByteSource): Payload {
  const where = `tensor "${tensor.name ?? ""}"`;
  if (tensor.data.kind !== "external") throw new ModelError("its data is in the model", where);
  const entries = new Map(tensor.data.entries.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  if (location === undefined) throw new ModelError("external data without a location", where);
  const source = sourceOf(location);
  const offset = wholeNumber(entries.get("offset") ?? "0", where);
  const length = wholeNumber(entries.get("length") ?? String(byteLength(tensor)), where);
  if (offset + length > source.size) {
    const range = `bytes ${offset} to ${offset + length}`;
    throw new ModelError(`${range} of ${location}, which has ${source.size}`, where);
  }
  return { length, bytes: () => source.read(offset, length) };
}

function wholeNumber(text: string, where: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ModelError(`"${text}" is no offset or length`, where);
  }
  return value;
}
