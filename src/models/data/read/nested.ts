// Arrays of arrays of numbers, as JSON and Parquet hold tensors, as one tensor.

import { dataFault } from "./fault.ts";

export interface NestedArray {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Deepest nesting: ONNX tensors seldom have more axes, and a hostile file must not exhaust the stack. */
const MAX_RANK = 8;

/** The tensor in nested arrays. Throws UserError when rows differ in length or hold no numbers. */
export function nestedArray(file: string, place: string, value: unknown): NestedArray {
  const dims: number[] = [];
  for (let level = value; isList(level); level = level[0]) {
    if (dims.length === MAX_RANK) {
      throw dataFault(file, place, `nested deeper than ${MAX_RANK} levels`, "Flatten it.");
    }
    dims.push(level.length);
  }
  const out: number[] = [];
  const visit = (level: unknown, depth: number): void => {
    if (depth < dims.length) {
      if (!isList(level) || level.length !== dims[depth]) {
        const got = isList(level) ? `${level.length} elements` : "no array";
        const fault = `${got} on axis ${depth} where the first has ${dims[depth]}`;
        throw dataFault(file, place, fault, "Make the arrays of a sample rectangular.");
      }
      for (let at = 0; at < level.length; at++) visit(level[at], depth + 1);
    } else if (typeof level === "number" || typeof level === "bigint") out.push(Number(level));
    else if (typeof level === "boolean") out.push(level ? 1 : 0);
    else {
      const fault = `${JSON.stringify(level) ?? "nothing"} where a number belongs`;
      throw dataFault(file, place, fault, "Correct it.");
    }
  };
  visit(value, 0);
  return { dims, data: Float32Array.from(out) };
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
