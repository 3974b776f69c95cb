// TensorProto and SparseTensorProto: constant tensors.

import { encodeEntry } from "./encode-entry.ts";
import { DATA_TYPES, type SparseTensor, type Tensor, type TensorData } from "./model.ts";
import { concat, varint, WireWriter } from "./wire-writer.ts";

/** TensorProto.DataLocation.EXTERNAL. */
const EXTERNAL = 1;

/** A tensor. Its elements are written the way they were given. */
export function encodeTensor(tensor: Tensor): WireWriter {
  const writer = new WireWriter();
  for (const dim of tensor.dims) writer.varint(1, dim);
  const number = tensor.dataType === null ? tensor.dataTypeNumber : DATA_TYPES[tensor.dataType];
  writer.optionalVarint(2, number);
  if (tensor.segment !== undefined) writer.bytes(3, tensor.segment);
  encodeData(writer, tensor.data);
  writer.optionalText(8, tensor.name);
  writer.optionalText(12, tensor.docString);
  for (const entry of tensor.metadata) writer.message(16, encodeEntry(entry));
  writer.verbatimAll(tensor.unknown);
  return writer;
}

function encodeData(writer: WireWriter, data: TensorData): void {
  switch (data.kind) {
    case "none":
      break;
    case "raw":
      writer.bytes(9, data.payload);
      break;
    case "float32":
      writer.bytes(4, littleEndian(data.values, 4, "setFloat32"));
      break;
    case "float64":
      writer.bytes(10, littleEndian(data.values, 8, "setFloat64"));
      break;
    case "int32":
      writer.bytes(5, concat(Array.from(data.values, varint)));
      break;
    case "int64":
      writer.bytes(7, concat(Array.from(data.values, varint)));
      break;
    case "uint64":
      writer.bytes(11, concat(Array.from(data.values, varint)));
      break;
    case "string":
      for (const value of data.values) writer.bytes(6, value);
      break;
    case "external":
      for (const entry of data.entries) writer.message(13, encodeEntry(entry));
      writer.varint(14, EXTERNAL);
      break;
    default:
      data satisfies never;
  }
}

function littleEndian(
  values: Float32Array | Float64Array,
  size: number,
  set: "setFloat32" | "setFloat64",
): Uint8Array {
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view[set](index * size, value, true);
  });
  return bytes;
}

/** A sparse tensor. */
export function encodeSparseTensor(sparse: SparseTensor): WireWriter {
  const writer = new WireWriter();
  if (sparse.values !== undefined) writer.message(1, encodeTensor(sparse.values));
  if (sparse.indices !== undefined) writer.message(2, encodeTensor(sparse.indices));
  for (const dim of sparse.dims) writer.varint(3, dim);
  writer.verbatimAll(sparse.unknown);
  return writer;
}
