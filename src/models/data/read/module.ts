// Samples from a user's own code: a module with `export async function* samples()` that yields objects of
// named values. They are gathered in memory, since batches ask for rows in any order.

import { reasonOf, UserError } from "../../../core/index.ts";
import type { TensorElements, TensorValue } from "../../../engine/index.ts";
import type { DataType } from "../../../onnx/index.ts";
import { type Dataset, type FilledColumn, memoryDataset } from "../dataset.ts";
import { dataFault } from "./fault.ts";
import { nestedArray } from "./nested.ts";

/** What a yielded object may hold: a tensor, a typed array, nested arrays, a number or a text. */
type SampleValue = TensorValue | TensorElements | number | bigint | boolean | string | unknown[];

/** The samples that a loaded module yields. Throws UserError naming the sample that does not fit. */
export async function samplesDataset(
  name: string,
  file: string,
  loaded: Readonly<Record<string, unknown>>,
): Promise<Dataset> {
  const { samples, classes } = loaded;
  if (typeof samples !== "function") {
    const hint = "Write `export async function* samples() { yield { x: [1, 2], label: 0 }; }`.";
    throw dataFault(file, null, "the module exports no function samples", hint);
  }
  const rows: ReadonlyMap<string, TensorValue>[] = [];
  try {
    for await (const sample of samples()) rows.push(tensorsOf(file, rows.length, sample));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const hint = "The fault is in the module, or in what it reads.";
    throw dataFault(file, `sample ${rows.length}`, reasonOf(cause), hint, cause);
  }
  const [first] = rows;
  if (first === undefined) throw dataFault(file, null, "it yields no samples", "Yield some.");
  for (const [row, sample] of rows.entries()) {
    const absent = [...first.keys()].find((column) => !sample.has(column));
    if (absent !== undefined) {
      throw dataFault(file, `sample ${row}`, `no value ${absent}`, "Yield the same names always.");
    }
  }
  const columns = [...first.keys()].map((column) => columnOf(column, rows, classes));
  return memoryDataset(name, columns);
}

function columnOf(
  name: string,
  rows: readonly ReadonlyMap<string, TensorValue>[],
  classes: unknown,
): FilledColumn {
  const samples = rows.map((row) => row.get(name) as TensorValue);
  const [first] = samples as [TensorValue];
  const same = samples.every(({ dims }) => String(dims) === String(first.dims));
  const shape = same ? first.dims : null;
  const named = name === "label" && Array.isArray(classes);
  return {
    name,
    dataType: first.dataType,
    shape,
    samples,
    ...(named ? { classes: classes.map(String) } : {}),
  };
}

function tensorsOf(file: string, row: number, sample: unknown): ReadonlyMap<string, TensorValue> {
  const place = `sample ${row}`;
  if (typeof sample !== "object" || sample === null || Array.isArray(sample)) {
    throw dataFault(file, place, "no object of named values", "Yield { x: [1, 2], label: 0 }.");
  }
  return new Map(
    Object.entries(sample).map(([name, value]) => {
      const where = `${place}, ${name}`;
      return [name, tensorOf(file, where, value as SampleValue)];
    }),
  );
}

/** Element types of typed arrays. */
const TYPE_OF = new Map<unknown, DataType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Uint8Array, "uint8"],
  [Int8Array, "int8"],
  [Uint16Array, "uint16"],
  [Int16Array, "int16"],
  [Uint32Array, "uint32"],
  [Int32Array, "int32"],
  [BigInt64Array, "int64"],
  [BigUint64Array, "uint64"],
]);

/** Whole numbers become int64, as labels are; write a typed array where another type is meant. */
function tensorOf(file: string, place: string, value: SampleValue): TensorValue {
  if (typeof value === "string") return { dataType: "string", dims: [], data: [value] };
  if (typeof value === "bigint" || Number.isInteger(value)) {
    return { dataType: "int64", dims: [], data: BigInt64Array.of(BigInt(value as bigint)) };
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    return { dataType: "float32", dims: [], data: Float32Array.of(value) };
  }
  if (typeof value === "boolean") {
    return { dataType: "bool", dims: [], data: Uint8Array.of(value ? 1 : 0) };
  }
  if (ArrayBuffer.isView(value)) {
    const dataType = TYPE_OF.get(value.constructor);
    if (dataType !== undefined) return { dataType, dims: [value.length], data: value };
  }
  if (Array.isArray(value)) {
    return { dataType: "float32", ...nestedArray(file, place, value) };
  }
  if (typeof value === "object" && value !== null && "dims" in value)
    return checkedTensor(file, place, value);
  const hint = "Yield numbers, texts, arrays, typed arrays or { dataType, dims, data }.";
  throw dataFault(file, place, `${String(value)} is no tensor`, hint);
}

function checkedTensor(file: string, place: string, value: TensorValue): TensorValue {
  const size = value.dims.reduce((product, dim) => product * dim, 1);
  if (value.data?.length === size) return value;
  const fault = `${value.data?.length ?? "no"} elements where [${value.dims}] needs ${size}`;
  throw dataFault(file, place, fault, "Make data as long as dims say.");
}
