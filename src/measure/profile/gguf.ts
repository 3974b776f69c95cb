// The header of a GGUF file, versions 2 and 3, little-endian (ggml, docs/gguf.md): metadata, then a name,
// a shape, a type and a place for each tensor.

import { type ByteSource, ModelError } from "../../onnx/index.ts";
import { elementsOfShape, type WeightFile, type WeightTensor } from "./weight-tensor.ts";

/** Type number to name, elements of a block and bytes of a block (ggml.h, ggml-common.h). */
const TYPES: Readonly<Record<number, readonly [name: string, elements: number, bytes: number]>> = {
  0: ["F32", 1, 4],
  1: ["F16", 1, 2],
  2: ["Q4_0", 32, 18],
  3: ["Q4_1", 32, 20],
  6: ["Q5_0", 32, 22],
  7: ["Q5_1", 32, 24],
  8: ["Q8_0", 32, 34],
  9: ["Q8_1", 32, 36],
  10: ["Q2_K", 256, 84],
  11: ["Q3_K", 256, 110],
  12: ["Q4_K", 256, 144],
  13: ["Q5_K", 256, 176],
  14: ["Q6_K", 256, 210],
  15: ["Q8_K", 256, 292],
  24: ["I8", 1, 1],
  25: ["I16", 1, 2],
  26: ["I32", 1, 4],
  27: ["I64", 1, 8],
  28: ["F64", 1, 8],
  30: ["BF16", 1, 2],
};

/** Bytes of metadata values by type number; texts (8) and lists (9) have lengths of their own. */
const VALUE_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, -1, -1, 8, 8, 8];
const TEXT = 8;
const LIST = 9;

/** More than any model has; a count beyond it is a lie of the file. */
const MAX_ENTRIES = 1_000_000;
const MAX_TEXT = 1 << 20;
const MAX_AXES = 4;
const MAX_NESTING = 4;
const SHOWN_TEXT = 200;

/** Reads the header. Throws ModelError when it contradicts itself or the file. */
export function readGguf(source: ByteSource): WeightFile {
  const reader = readerOf(source);
  reader.skip(4);
  const version = reader.uint32();
  if (version !== 2 && version !== 3)
    throw new ModelError(`version ${version}; 2 and 3 are read`, "GGUF");
  const tensorCount = reader.count("tensors");
  const entries = reader.count("metadata entries");
  const metadata: Record<string, string> = {};
  for (let entry = 0; entry < entries; entry++) {
    const key = reader.text();
    const value = readValue(reader, reader.uint32(), 0);
    if (value !== null) metadata[key] = value;
  }
  const tensors = Array.from({ length: tensorCount }, () => tensorOf(reader));
  const needed = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  if (needed > source.size)
    throw new ModelError(`tensors of ${needed} bytes in a file of ${source.size}`, "GGUF");
  return { format: "GGUF", tensors, metadata };
}

function tensorOf(reader: Reader): WeightTensor {
  const name = reader.text();
  const axes = reader.uint32();
  if (axes > MAX_AXES) throw new ModelError(`${axes} axes`, `tensor "${name}"`);
  // Innermost first in the file, outermost first here.
  const shape = Array.from({ length: axes }, () => reader.uint64()).reverse();
  const number = reader.uint32();
  reader.skip(8);
  const elements = elementsOfShape(shape, name);
  const type = TYPES[number];
  if (type === undefined) throw new ModelError(`type number ${number}`, `tensor "${name}"`);
  const [typeName, block, bytes] = type;
  return { name, type: typeName, shape, elements, bytes: Math.ceil(elements / block) * bytes };
}

/** A value as text; null for a list, which is skipped. */
function readValue(reader: Reader, type: number, depth: number): string | null {
  if (type === TEXT) return reader.text().slice(0, SHOWN_TEXT);
  if (type !== LIST) return reader.scalar(type);
  if (depth >= MAX_NESTING) throw new ModelError("lists nested too deeply", "GGUF");
  const inner = reader.uint32();
  const length = reader.uint64();
  const size = VALUE_BYTES[inner] ?? 0;
  if (size === 0) throw new ModelError(`value type ${inner}`, "GGUF");
  if (size > 0) reader.skip(length * size);
  else for (let at = 0; at < length; at++) readValue(reader, inner, depth + 1);
  return null;
}

type Reader = ReturnType<typeof readerOf>;

/** Reads onwards through a window of the file. */
function readerOf(source: ByteSource) {
  const WINDOW = 1 << 16;
  let offset = 0;
  let start = 0;
  let window: DataView = new DataView(new ArrayBuffer(0));
  const take = (length: number): { view: DataView; at: number } => {
    if (!(length >= 0) || offset + length > source.size)
      throw new ModelError("the header ends early", `GGUF, byte ${offset}`);
    if (offset < start || offset + length > start + window.byteLength) {
      start = offset;
      const bytes = source.read(start, Math.min(Math.max(WINDOW, length), source.size - start));
      window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const at = offset - start;
    offset += length;
    return { view: window, at };
  };
  const uint32 = (): number => {
    const { view, at } = take(4);
    return view.getUint32(at, true);
  };
  const uint64 = (): number => {
    const { view, at } = take(8);
    return Number(view.getBigUint64(at, true));
  };
  return {
    uint32,
    uint64,
    skip(length: number) {
      if (!(length >= 0) || offset + length > source.size)
        throw new ModelError("the header ends early", `GGUF, byte ${offset}`);
      offset += length;
    },
    count(what: string): number {
      const count = uint64();
      if (count > MAX_ENTRIES) throw new ModelError(`${count} ${what}`, "GGUF");
      return count;
    },
    text(): string {
      const length = uint64();
      if (length > MAX_TEXT)
        throw new ModelError(`a text of ${length} bytes`, `GGUF, byte ${offset}`);
      const { view, at } = take(length);
      return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
    },
    scalar(type: number): string {
      const size = VALUE_BYTES[type] ?? 0;
      if (size <= 0) throw new ModelError(`value type ${type}`, `GGUF, byte ${offset}`);
      const { view, at } = take(size);
      return scalarText(view, at, type);
    },
  };
}

function scalarText(view: DataView, at: number, type: number): string {
  switch (type) {
    case 0:
      return String(view.getUint8(at));
    case 1:
      return String(view.getInt8(at));
    case 2:
      return String(view.getUint16(at, true));
    case 3:
      return String(view.getInt16(at, true));
    case 4:
      return String(view.getUint32(at, true));
    case 5:
      return String(view.getInt32(at, true));
    case 6:
      return String(view.getFloat32(at, true));
    case 7:
      return String(view.getUint8(at) !== 0);
    case 10:
      return String(view.getBigUint64(at, true));
    case 11:
      return String(view.getBigInt64(at, true));
    default:
      return String(view.getFloat64(at, true));
  }
}
