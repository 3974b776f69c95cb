// TensorProto and SparseTensorProto: constant tensors. Elements are not decoded here.

import { decodeEntry } from "./decode-entry.ts";
import { dataTypeOf } from "./decode-type.ts";
import type { SparseTensor, StringEntry, Tensor, TensorData } from "./model.ts";
import { readFields } from "./read-fields.ts";
import type { WireReader } from "./wire-reader.ts";

/** TensorProto.DataLocation.EXTERNAL. */
const EXTERNAL = 1;

/** A tensor. When a file gives elements in several fields, raw ones count and the rest is refused. */
export function decodeTensor(reader: WireReader): Tensor {
  const dims: bigint[] = [];
  const metadata: StringEntry[] = [];
  const external: StringEntry[] = [];
  const lists = {
    float32: [] as number[],
    int32: [] as number[],
    string: [] as Uint8Array[],
    int64: [] as bigint[],
    float64: [] as number[],
    uint64: [] as bigint[],
  };
  let raw: Extract<TensorData, { kind: "raw" }> | undefined;
  let number = 0;
  let location = 0;
  const rest: { name?: string; docString?: string; segment?: Uint8Array } = {};
  const unknown = readFields(reader, {
    1: () => reader.int64s(dims),
    2: () => {
      number = reader.int32();
    },
    3: () => {
      rest.segment = reader.bytes().slice();
    },
    4: () => reader.float32s(lists.float32),
    5: () => reader.int32s(lists.int32),
    6: () => lists.string.push(reader.bytes().slice()),
    7: () => reader.int64s(lists.int64),
    8: () => {
      rest.name = reader.text();
    },
    9: () => {
      raw = { kind: "raw", payload: reader.payload() };
    },
    10: () => reader.float64s(lists.float64),
    11: () => reader.int64s(lists.uint64),
    12: () => {
      rest.docString = reader.text();
    },
    13: () => external.push(decodeEntry(reader.message(() => "external_data"))),
    14: () => {
      location = reader.int32();
    },
    16: () => metadata.push(decodeEntry(reader.message(() => "metadata_props"))),
  });
  const given: TensorData[] = raw === undefined ? [] : [raw];
  if (location === EXTERNAL) given.push({ kind: "external", entries: external });
  given.push(...typedData(lists));
  const [data = { kind: "none" }, ...more] = given;
  if (more.length > 0) {
    reader.fail(`tensor "${rest.name ?? ""}" has both ${data.kind} and ${more[0]?.kind} data`);
  }
  const dataType = dataTypeOf(number);
  return {
    ...rest,
    dims,
    dataType,
    ...(dataType === null ? { dataTypeNumber: number } : {}),
    data,
    metadata,
    ...unknown,
  };
}

function typedData(lists: {
  readonly float32: readonly number[];
  readonly int32: readonly number[];
  readonly string: readonly Uint8Array[];
  readonly int64: readonly bigint[];
  readonly float64: readonly number[];
  readonly uint64: readonly bigint[];
}): TensorData[] {
  const data: TensorData[] = [];
  if (lists.float32.length > 0) {
    data.push({ kind: "float32", values: Float32Array.from(lists.float32) });
  }
  if (lists.int32.length > 0) data.push({ kind: "int32", values: Int32Array.from(lists.int32) });
  if (lists.string.length > 0) data.push({ kind: "string", values: lists.string });
  if (lists.int64.length > 0) {
    data.push({ kind: "int64", values: BigInt64Array.from(lists.int64) });
  }
  if (lists.float64.length > 0) {
    data.push({ kind: "float64", values: Float64Array.from(lists.float64) });
  }
  if (lists.uint64.length > 0) {
    data.push({ kind: "uint64", values: BigUint64Array.from(lists.uint64) });
  }
  return data;
}

/** A sparse tensor: its values, where they stand, and the dense shape. */
export function decodeSparseTensor(reader: WireReader): SparseTensor {
  const dims: bigint[] = [];
  const rest: { values?: Tensor; indices?: Tensor } = {};
  const unknown = readFields(reader, {
    1: () => {
      rest.values = decodeTensor(reader.message(() => "values"));
    },
    2: () => {
      rest.indices = decodeTensor(reader.message(() => "indices"));
    },
    3: () => reader.int64s(dims),
  });
  return { ...rest, dims, ...unknown };
}
