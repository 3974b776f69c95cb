// Tensors from JavaScript values, stored as raw little-endian bytes.

import type { DataType, Tensor } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { encodeBfloat16, encodeFloat16 } from "./small-floats.ts";
import { payloadOf } from "./wire-reader.ts";

/** Elements of a tensor as its maker has them: typed arrays, or plain numbers, bigints or texts. */
export type TensorValues = ArrayLike<number> | ArrayLike<bigint> | readonly string[];

/** What a tensor is made of. */
export interface TensorParts {
  readonly name?: string;
  readonly dims: readonly (number | bigint)[];
  readonly values: TensorValues;
}

const utf8 = new TextEncoder();

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
} as const;

/**
 * A tensor of a type. Values are rounded to nearest for float16 and bfloat16; bool takes 0 and 1;
 * 4-bit integers are packed two a byte. 8-bit floats are taken as their bits. Throws ModelError when
 * there are not as many values as the dimensions say, or when integers are out of range.
 */
export function tensorOf(dataType: DataType, { name, dims, values }: TensorParts): Tensor {
  const where = `tensor "${name ?? ""}"`;
  const count = dims.reduce<number>((product, dim) => product * Number(dim), 1);
  if (!(count === values.length)) {
    const message = `${values.length} values where the dimensions [${dims.join(", ")}] say ${count}`;
    throw new ModelError(message, where, { hint: "Give as many values as the dimensions say." });
  }
  const rest = { ...(name === undefined ? {} : { name }), dims: dims.map(BigInt), metadata: [] };
  if (dataType === "string") {
    const texts = Array.from<unknown, Uint8Array>(values, (text) => utf8.encode(String(text)));
    return { ...rest, dataType, data: { kind: "string", values: texts } };
  }
  const bytes = encodeElements(dataType, values, where);
  return { ...rest, dataType, data: { kind: "raw", payload: payloadOf(bytes) } };
}

/** A one-dimensional int64 tensor, as operators take their axes and shapes. */
export function int64s(name: string, values: readonly (number | bigint)[]): Tensor {
  return tensorOf("int64", { name, dims: [values.length], values: values.map(BigInt) });
}

function encodeElements(dataType: DataType, values: TensorValues, where: string): Uint8Array {
  // Weights come in the very array that the type asks for: a copy is all they need.
  if (ArrayBuffer.isView(values) && dataType in ARRAYS) {
    const type = ARRAYS[dataType as keyof typeof ARRAYS];
    if (values instanceof type) return bytesOf(type.from(values));
  }
  switch (dataType) {
    case "float32":
    case "float64":
      return bytesOf(ARRAYS[dataType].from(numbers(values)));
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
      return bytesOf(exactly(ARRAYS[dataType].from(numbers(values)), values, where));
    case "bool":
      return Uint8Array.from(numbers(values), (value) => (value ? 1 : 0));
    case "int64":
      return bytesOf(exactly(BigInt64Array.from(bigints(values)), values, where));
    case "uint64":
      return bytesOf(exactly(BigUint64Array.from(bigints(values)), values, where));
    case "float16":
      return bytesOf(Uint16Array.from(numbers(values), encodeFloat16));
    case "bfloat16":
      return bytesOf(Uint16Array.from(numbers(values), encodeBfloat16));
    case "complex64":
    case "complex128":
    case "string":
      throw new ModelError(`no numbers make ${dataType} elements`, where);
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
    case "float8e8m0":
      return exactly(Uint8Array.from(numbers(values)), values, where);
    case "int4":
    case "uint4":
    case "float4e2m1":
      return pack4(dataType, values, where);
    default:
      return dataType satisfies never;
  }
}

/** Two elements a byte, low nibble first; float4e2m1 is taken as its bits. */
function pack4(dataType: DataType, values: TensorValues, where: string): Uint8Array {
  const [least, most] = dataType === "int4" ? [-8, 7] : [0, 15];
  const bytes = new Uint8Array(Math.ceil(values.length / 2));
  for (let index = 0; index < values.length; index++) {
    const value = Number(values[index]);
    if (!Number.isInteger(value) || value < least || value > most) throw outOfRange(value, where);
    const nibble = value & 15;
    bytes[index >> 1] = (bytes[index >> 1] ?? 0) | (index % 2 === 0 ? nibble : nibble << 4);
  }
  return bytes;
}

/** The array, when no value was changed on the way into it. */
function exactly<T extends ArrayLike<number> | ArrayLike<bigint>>(
  array: T,
  values: TensorValues,
  where: string,
): T {
  for (let index = 0; index < array.length; index++) {
    const value = values[index] ?? 0;
    // Numbers may stand for bigints and the other way round.
    // biome-ignore lint/suspicious/noDoubleEquals: 1 == 1n, and nothing else is meant.
    if (array[index] != value) throw outOfRange(value, where);
  }
  return array;
}

function numbers(values: TensorValues): number[] {
  return Array.from<unknown, number>(values, Number);
}

function bigints(values: TensorValues): bigint[] {
  return Array.from(values as ArrayLike<number | bigint>, (value) => BigInt(value));
}

function outOfRange(value: unknown, where: string): ModelError {
  return new ModelError(`the value ${value} does not fit the type`, where, {
    hint: "Choose a wider type, or round and clamp the values first.",
  });
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
