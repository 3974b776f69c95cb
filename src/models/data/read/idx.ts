// The IDX format of MNIST and its successors (Y. LeCun's description): two zero bytes, the element type,
// the number of dimensions, the dimensions as big-endian 32-bit integers, the elements big-endian.

import type { TensorValue } from "../../../engine/index.ts";
import type { DataType } from "../../../onnx/index.ts";
import { dataFault } from "./fault.ts";

interface IdxType {
  readonly dataType: DataType;
  readonly bytes: number;
  read(view: DataView, count: number): TensorValue["data"];
}

const fill = <T extends { [at: number]: number }>(
  target: T,
  count: number,
  element: (at: number) => number,
): T => {
  for (let at = 0; at < count; at++) target[at] = element(at);
  return target;
};

const TYPES: Readonly<Record<number, IdxType>> = {
  8: {
    dataType: "uint8",
    bytes: 1,
    read: (view, n) => new Uint8Array(view.buffer, view.byteOffset, n).slice(),
  },
  9: {
    dataType: "int8",
    bytes: 1,
    read: (view, n) => new Int8Array(view.buffer, view.byteOffset, n).slice(),
  },
  11: {
    dataType: "int16",
    bytes: 2,
    read: (view, n) => fill(new Int16Array(n), n, (at) => view.getInt16(2 * at)),
  },
  12: {
    dataType: "int32",
    bytes: 4,
    read: (view, n) => fill(new Int32Array(n), n, (at) => view.getInt32(4 * at)),
  },
  13: {
    dataType: "float32",
    bytes: 4,
    read: (view, n) => fill(new Float32Array(n), n, (at) => view.getFloat32(4 * at)),
  },
  14: {
    dataType: "float64",
    bytes: 8,
    read: (view, n) => fill(new Float64Array(n), n, (at) => view.getFloat64(8 * at)),
  },
};

/** The tensor in an uncompressed IDX file. Throws UserError for a header that the bytes do not fit. */
export function decodeIdx(file: string, bytes: Uint8Array): TensorValue {
  const hint = "The file is damaged, or no IDX file.";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length < 4 ? undefined : TYPES[view.getUint8(2)];
  if (type === undefined || view.getUint16(0) !== 0) {
    throw dataFault(file, "bytes 0 to 3", "not the start of an IDX file", hint);
  }
  const rank = view.getUint8(3);
  const start = 4 + 4 * rank;
  if (rank === 0 || bytes.length < start) {
    throw dataFault(file, "byte 3", `${rank} dimensions in ${bytes.length} bytes`, hint);
  }
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length - start !== count * type.bytes) {
    const fault = `${bytes.length - start} bytes of data where ${dims.join(" x ")} needs ${count * type.bytes}`;
    throw dataFault(file, `byte ${start}`, fault, hint);
  }
  const data = type.read(new DataView(bytes.buffer, bytes.byteOffset + start), count);
  return { dataType: type.dataType, dims, data };
}
