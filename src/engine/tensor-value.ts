// What goes into a graph and comes out of it: element type, dimensions and a typed array.

import type { DataType, Elements } from "../onnx/index.ts";

/**
 * A tensor outside of a graph, row-major. Bool is 0 and 1 in a Uint8Array, float16 the bit patterns in
 * a Uint16Array (Node 22 has no array of halves), a string tensor an array of strings.
 */
export interface TensorValue {
  readonly dataType: DataType;
  readonly dims: readonly number[];
  readonly data: TensorElements;
}

export type TensorElements = Elements | readonly string[];

/** Element types that ONNX Runtime's JavaScript bindings pass, and the array each travels in. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/** An element type that can cross the border between godwit and the engine. */
export type PassableType = keyof typeof ARRAYS | "string";

/** Whether values of the type can be fed and fetched. */
export function isPassable(dataType: DataType): dataType is PassableType {
  return dataType === "string" || dataType in ARRAYS;
}

/** Whether these are the kind of elements in which values of the type travel. */
export function fitsType(data: TensorElements, dataType: DataType): boolean {
  if (!isPassable(dataType)) return false;
  if (dataType === "string") return Array.isArray(data);
  return data instanceof ARRAYS[dataType];
}

/** What the elements of a type must be given as, for error messages. */
export function arrayNameOf(dataType: DataType): string {
  if (!isPassable(dataType)) return "nothing";
  return dataType === "string" ? "an array of strings" : `a ${ARRAYS[dataType].name}`;
}

/** Number of elements that dimensions stand for; 1 for a scalar. */
export const sizeOf = (dims: readonly number[]): number =>
  dims.reduce((product, dim) => product * dim, 1);

/** Whether the value is a tensor with its type and dimensions, not bare elements. */
export function isTensorValue(value: TensorValue | TensorElements): value is TensorValue {
  return "dims" in value;
}

/** Whether two arrays share bytes. */
export function overlap(a: TensorElements, b: TensorElements): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

/** Copies the bytes of one array into another of the same type and size. */
export function copyElements(from: TensorElements, to: TensorElements): void {
  if (!ArrayBuffer.isView(from) || !ArrayBuffer.isView(to)) {
    throw new TypeError("only typed arrays can be written to");
  }
  const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(bytes);
}
