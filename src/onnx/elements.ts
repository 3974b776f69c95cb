// The elements of a tensor as typed arrays, whatever way the file stores them.

import type { DataType, Payload, Tensor } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { decodeFloat8, decodeHalf, type Float8Format } from "./small-floats.ts";

/** Bits of one element; null where elements have no fixed size. */
export const BITS: Readonly<Record<DataType, number | null>> = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  string: null,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
};

/** Elements that a JavaScript number or bigint holds exactly. */
export type Elements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Where the data of a tensor lies that keeps it outside the model file. */
export type ExternalData = (tensor: Tensor) => Payload;

/** Number of elements: the product of the dimensions. Throws ModelError for impossible ones. */
export function elementCount(tensor: Tensor): number {
  let count = 1n;
  for (const dim of tensor.dims) {
    if (dim < 0n) throw new ModelError(`a dimension of ${dim}`, whereOf(tensor));
    count *= dim;
    if (count > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ModelError("more elements than 2^53", whereOf(tensor));
    }
  }
  return Number(count);
}

/** Bytes that the elements take up, packed as in a file; for strings, the bytes of their text. */
export function byteLength(tensor: Tensor): number {
  if (tensor.data.kind === "string") {
    return tensor.data.values.reduce((sum, value) => sum + value.length, 0);
  }
  const bits = tensor.dataType === null ? null : BITS[tensor.dataType];
  if (bits === null) throw new ModelError(`elements of unknown size`, whereOf(tensor));
  return Math.ceil((elementCount(tensor) * bits) / 8);
}

/**
 * The elements in row-major order. Halves, bfloat16 and the 8-bit floats come as float32, 4-bit
 * integers as 8-bit ones, bool as 0 and 1. Complex numbers come as pairs of real and imaginary parts.
 * Throws ModelError when the data does not match the dimensions.
 */
export function elementsOf(tensor: Tensor, external?: ExternalData): Elements {
  const { data } = tensor;
  switch (data.kind) {
    case "raw":
      return decodeRaw(tensor, data.payload);
    case "external":
      if (external === undefined) {
        throw new ModelError("elements lie in another file", whereOf(tensor), {
          hint: "Open the model from its folder, so that its data files are found.",
        });
      }
      return decodeRaw(tensor, external(tensor));
    case "none":
      return decodeRaw(tensor, { length: 0, bytes: () => new Uint8Array(0) });
    case "string":
      throw new ModelError("texts are no numbers", whereOf(tensor));
    case "int32":
      return checked(tensor, fromInt32(tensor, data.values));
    default:
      return checked(tensor, data.values);
  }
}

function checked(tensor: Tensor, elements: Elements): Elements {
  const parts = tensor.dataType === "complex64" || tensor.dataType === "complex128" ? 2 : 1;
  const expected = elementCount(tensor) * parts;
  if (elements.length !== expected) {
    const message = `${elements.length} elements where the dimensions say ${expected}`;
    throw new ModelError(message, whereOf(tensor));
  }
  return elements;
}

/** The int32 field also carries the narrow types, one element an entry (onnx.proto, TensorProto). */
function fromInt32(tensor: Tensor, values: Int32Array): Elements {
  switch (tensor.dataType) {
    case "int32":
      return values;
    case "int8":
      return Int8Array.from(values);
    case "uint8":
    case "bool":
      return Uint8Array.from(values);
    case "int16":
      return Int16Array.from(values);
    case "uint16":
      return Uint16Array.from(values);
    case "float16":
    case "bfloat16":
      return decodeHalf(Uint16Array.from(values), tensor.dataType);
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
    case "float8e8m0":
      return decodeFloat8(Uint8Array.from(values), tensor.dataType);
    case "int4":
    case "uint4":
      return unpack4(Uint8Array.from(values), elementCount(tensor), tensor.dataType === "int4");
    default:
      throw new ModelError(`${tensor.dataType} elements in the field of int32`, whereOf(tensor));
  }
}

function decodeRaw(tensor: Tensor, payload: Payload): Elements {
  const expected = byteLength(tensor);
  if (payload.length !== expected) {
    const message = `${payload.length} bytes of data where the dimensions say ${expected}`;
    throw new ModelError(message, whereOf(tensor));
  }
  const bytes = payload.bytes();
  switch (tensor.dataType) {
    case "float32":
    case "complex64":
      return typed(Float32Array, bytes);
    case "float64":
    case "complex128":
      return typed(Float64Array, bytes);
    case "int8":
      return typed(Int8Array, bytes);
    case "uint8":
    case "bool":
      return bytes;
    case "int16":
      return typed(Int16Array, bytes);
    case "uint16":
      return typed(Uint16Array, bytes);
    case "int32":
      return typed(Int32Array, bytes);
    case "uint32":
      return typed(Uint32Array, bytes);
    case "int64":
      return typed(BigInt64Array, bytes);
    case "uint64":
      return typed(BigUint64Array, bytes);
    case "float16":
    case "bfloat16":
      return decodeHalf(typed(Uint16Array, bytes), tensor.dataType);
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
    case "float8e8m0":
      return decodeFloat8(bytes, tensor.dataType satisfies Float8Format);
    case "int4":
    case "uint4":
      return unpack4(bytes, elementCount(tensor), tensor.dataType === "int4");
    case "float4e2m1":
      return decodeFloat4(unpack4(bytes, elementCount(tensor), false));
    default:
      throw new ModelError(`elements of type ${tensor.dataType}`, whereOf(tensor));
  }
}

/** Views where the alignment allows it, else a copy. ONNX is little-endian, as is every Node platform. */
function typed<T extends Elements>(
  type: {
    new (buffer: ArrayBufferLike, offset: number, length: number): T;
    readonly BYTES_PER_ELEMENT: number;
  },
  bytes: Uint8Array,
): T {
  const size = type.BYTES_PER_ELEMENT;
  // Not `slice`, which for a Buffer is a view of the same bytes.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(aligned.buffer, aligned.byteOffset, aligned.length / size);
}

/** Two elements a byte, low nibble first. */
function unpack4(bytes: Uint8Array, count: number, signed: boolean): Int8Array | Uint8Array {
  const elements = signed ? new Int8Array(count) : new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const byte = bytes[index >> 1] ?? 0;
    const nibble = index % 2 === 0 ? byte & 15 : byte >> 4;
    elements[index] = signed && nibble > 7 ? nibble - 16 : nibble;
  }
  return elements;
}

/** OCP Microscaling Formats (MX) 1.0, FP4 E2M1: every value there is. */
const FLOAT4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

function decodeFloat4(nibbles: Int8Array | Uint8Array): Float32Array {
  return Float32Array.from(nibbles, (nibble) => {
    const size = FLOAT4[nibble & 7] ?? 0;
    return nibble & 8 ? -size : size;
  });
}

function whereOf(tensor: Tensor): string {
  return `tensor "${tensor.name ?? ""}"`;
}
