// NumPy's array files (NEP 1, format versions 1 to 3): `.npy` with one array, `.npz` a zip of them. Arrays
// of objects are refused: reading them means running a program that the file brings along.

import { sizeOf, type TensorElements, type TensorValue } from "../../../engine/index.ts";
import type { DataType } from "../../../onnx/index.ts";
import { type Dataset, type FilledColumn, memoryDataset } from "../dataset.ts";
import { dataFault } from "./fault.ts";
import { readZip } from "./zip.ts";

interface NumpyType {
  readonly dataType: DataType;
  readonly array: (buffer: ArrayBuffer) => TensorElements;
}

/** By kind and size of NumPy's type string, such as `f4`. */
const TYPES: Readonly<Record<string, NumpyType>> = {
  b1: { dataType: "bool", array: (buffer) => new Uint8Array(buffer) },
  u1: { dataType: "uint8", array: (buffer) => new Uint8Array(buffer) },
  i1: { dataType: "int8", array: (buffer) => new Int8Array(buffer) },
  u2: { dataType: "uint16", array: (buffer) => new Uint16Array(buffer) },
  i2: { dataType: "int16", array: (buffer) => new Int16Array(buffer) },
  u4: { dataType: "uint32", array: (buffer) => new Uint32Array(buffer) },
  i4: { dataType: "int32", array: (buffer) => new Int32Array(buffer) },
  u8: { dataType: "uint64", array: (buffer) => new BigUint64Array(buffer) },
  i8: { dataType: "int64", array: (buffer) => new BigInt64Array(buffer) },
  f2: { dataType: "float16", array: (buffer) => new Uint16Array(buffer) },
  f4: { dataType: "float32", array: (buffer) => new Float32Array(buffer) },
  f8: { dataType: "float64", array: (buffer) => new Float64Array(buffer) },
};

const HINT = "The file is damaged, or no NumPy array.";

/** The array in an `.npy` file, in row-major order. Throws UserError naming what cannot be read. */
export function decodeNpy(file: string, bytes: Uint8Array): TensorValue {
  const { descr, fortran, dims, start } = headerOf(file, bytes);
  const [, order, kind = "", size = ""] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr) ?? [];
  const body = bytes.slice(start);
  if (kind === "U") return textArray(file, body, { dims, length: Number(size), order, fortran });
  const type = TYPES[`${kind}${size}`];
  if (type === undefined) {
    const hint =
      kind === "" || kind === "O"
        ? "Arrays of Python objects are not read: save numbers instead."
        : "Convert it with astype before saving.";
    throw dataFault(file, "header", `elements of type ${descr}`, hint);
  }
  const width = Number(size);
  checkLength(file, body, dims, width);
  if (order === ">") swapBytes(body, width);
  const data = type.array(body.buffer);
  return { dataType: type.dataType, dims, data: fortran ? rowMajor(data, dims) : data };
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly dims: readonly number[];
  readonly start: number;
}

function headerOf(file: string, bytes: Uint8Array): Header {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((byte, at) => bytes[at] !== byte)) {
    throw dataFault(file, "byte 0", "not the start of an .npy file", HINT);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const from = wide ? 12 : 10;
  if (from + length > bytes.length) throw dataFault(file, "header", "not all there", HINT);
  const text = new TextDecoder().decode(bytes.subarray(from, from + length));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1] ?? "";
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (fortran === undefined || shape === undefined) {
    throw dataFault(file, "header", `no array described in ${text.trim().slice(0, 80)}`, HINT);
  }
  const dims = [...shape.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return { descr, fortran: fortran === "True", dims, start: from + length };
}

function checkLength(file: string, body: Uint8Array, dims: readonly number[], width: number): void {
  const expected = sizeOf(dims) * width;
  if (body.length === expected) return;
  const fault = `${body.length} bytes of data where [${dims.join(", ")}] needs ${expected}`;
  throw dataFault(file, "data", fault, HINT);
}

function swapBytes(body: Uint8Array, width: number): void {
  for (let at = 0; at < body.length; at += width) body.subarray(at, at + width).reverse();
}

/** Text of fixed width in UTF-32, padded with zeros. */
function textArray(
  file: string,
  body: Uint8Array,
  how: {
    readonly dims: readonly number[];
    readonly length: number;
    readonly order: string | undefined;
    readonly fortran: boolean;
  },
): TensorValue {
  checkLength(file, body, how.dims, 4 * how.length);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const data = Array.from({ length: sizeOf(how.dims) }, (_, index) => {
    let text = "";
    for (let at = 0; at < how.length; at++) {
      const point = view.getUint32(4 * (index * how.length + at), how.order !== ">");
      if (point === 0) break;
      if (point > 0x10ffff) throw dataFault(file, `element ${index}`, "no text", HINT);
      text += String.fromCodePoint(point);
    }
    return text;
  });
  const ordered = how.fortran ? rowMajor(data, how.dims) : data;
  return { dataType: "string", dims: how.dims, data: ordered };
}

/** Column-major (Fortran) elements in row-major order. */
function rowMajor(data: TensorElements, dims: readonly number[]): TensorElements {
  const columnStrides = dims.map((_, axis) => sizeOf(dims.slice(0, axis)));
  const rowStrides = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const from = (index: number): number =>
    dims.reduce((sum, dim, axis) => {
      const place = Math.floor(index / (rowStrides[axis] ?? 1)) % dim;
      return sum + place * (columnStrides[axis] ?? 1);
    }, 0);
  if (!ArrayBuffer.isView(data)) return data.map((_, index) => data[from(index)] as string);
  const out = data.slice() as Float64Array;
  for (let index = 0; index < out.length; index++)
    out[index] = (data as Float64Array)[from(index)] as number;
  return out;
}

/** The arrays of an `.npz` file by name. */
export async function readNpz(file: string, bytes: Uint8Array): Promise<Map<string, TensorValue>> {
  const arrays = new Map<string, TensorValue>();
  for (const entry of readZip(file, bytes)) {
    if (!entry.name.endsWith(".npy")) continue;
    const place = `${file}, entry ${entry.name}`;
    arrays.set(entry.name.slice(0, -".npy".length), decodeNpy(place, await entry.read()));
  }
  return arrays;
}

/** Arrays with rows along their first axis, as columns of their names. `y` of whole numbers is `label`. */
export function arraysDataset(
  name: string,
  file: string,
  arrays: ReadonlyMap<string, TensorValue>,
): Dataset {
  const [first] = arrays;
  if (first === undefined) throw dataFault(file, null, "no arrays", "Save them with np.savez.");
  const columns: FilledColumn[] = [];
  for (const [column, { dataType, dims, data }] of arrays) {
    const [rows, ...shape] = dims;
    if (rows === undefined || rows !== first[1].dims[0]) {
      const fault = `${rows ?? "no"} rows where ${first[0]} has ${first[1].dims[0] ?? "none"}`;
      throw dataFault(file, `array ${column}`, fault, "Give every array one entry a sample.");
    }
    columns.push({ name: column, dataType, shape, data });
  }
  if (first[1].dims[0] === 0) throw dataFault(file, null, "no rows", "Give at least one sample.");
  return memoryDataset(name, columns);
}
