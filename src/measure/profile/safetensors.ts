// The header of a safetensors file: eight bytes of length, then JSON (huggingface/safetensors, README).

import { type ByteSource, ModelError } from "../../onnx/index.ts";
import { elementsOfShape, type WeightFile, type WeightTensor } from "./weight-tensor.ts";

/** The format's own limit on the header. */
const MAX_HEADER = 100_000_000;

const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  F64: 64,
  I64: 64,
  U64: 64,
  C64: 64,
};

/** Reads the header. Throws ModelError when it contradicts itself or the file. */
export function readSafetensors(source: ByteSource): WeightFile {
  const head = source.read(0, 8);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER || length + 8 > source.size)
    throw new ModelError(`a header of ${length} bytes in a file of ${source.size}`, "safetensors");
  const header = parse(source.read(8, length));
  const room = source.size - 8 - length;
  const metadata: Record<string, string> = {};
  const tensors: WeightTensor[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.push(tensorOf(name, value, room));
    else if (isObject(value))
      for (const [key, text] of Object.entries(value)) metadata[key] = String(text);
  }
  return { format: "safetensors", tensors, metadata };
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(header)) return header;
  } catch (cause) {
    throw new ModelError("a header that is no JSON", "safetensors", { cause });
  }
  throw new ModelError("a header that is no object", "safetensors");
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function tensorOf(name: string, value: unknown, room: number): WeightTensor {
  const where = `tensor "${name}"`;
  const { dtype, shape, data_offsets } = isObject(value) ? value : {};
  if (typeof dtype !== "string" || !isNumbers(shape) || !isNumbers(data_offsets))
    throw new ModelError("an entry without dtype, shape and data_offsets", where);
  const [begin = -1, end = -1] = data_offsets;
  if (!(begin >= 0 && end >= begin && end <= room))
    throw new ModelError(`data at ${begin} to ${end} of ${room} bytes`, where);
  const elements = elementsOfShape(shape, name);
  const bits = Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;
  const bytes = end - begin;
  if (bits !== undefined && Math.ceil((elements * bits) / 8) !== bytes)
    throw new ModelError(`${bytes} bytes for ${elements} elements of ${dtype}`, where);
  return { name, type: dtype, shape, elements, bytes };
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one));
