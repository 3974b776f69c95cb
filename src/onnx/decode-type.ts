// TypeProto: the type of a value.

import { DATA_TYPES, type DataType, type Dimension, type ValueType } from "./model.ts";
import { readFields } from "./read-fields.ts";
import type { WireReader } from "./wire-reader.ts";

const NAME_OF = new Map<number, DataType>(
  Object.entries(DATA_TYPES).map(([name, number]) => [number, name as DataType]),
);

/** The element type of a number in TensorProto.DataType; null for numbers that are not known. */
export function dataTypeOf(number: number): DataType | null {
  return NAME_OF.get(number) ?? null;
}

/** The type of a value. */
export function decodeValueType(reader: WireReader): ValueType {
  const rest: { denotation?: string } = {};
  let type: ValueType = { kind: "unknown" };
  const unknown = readFields(reader, {
    1: () =>
      (type = decodeTensorType(
        reader.message(() => "tensor_type"),
        "tensor",
      )),
    4: () =>
      (type = decodeContainer(
        reader.message(() => "sequence_type"),
        "sequence",
      )),
    5: () => {
      type = decodeMap(reader.message(() => "map_type"));
    },
    6: () => {
      rest.denotation = reader.text();
    },
    8: () =>
      (type = decodeTensorType(
        reader.message(() => "sparse_tensor_type"),
        "sparseTensor",
      )),
    9: () =>
      (type = decodeContainer(
        reader.message(() => "optional_type"),
        "optional",
      )),
  });
  return { ...(type as ValueType), ...rest, ...unknown };
}

function decodeTensorType(reader: WireReader, kind: "tensor" | "sparseTensor"): ValueType {
  let elementType: DataType | null = null;
  let shape: readonly Dimension[] | undefined;
  readFields(reader, {
    1: () => {
      elementType = dataTypeOf(reader.int32());
    },
    2: () => {
      shape = decodeShape(reader.message(() => "shape"));
    },
  });
  return { kind, elementType, ...(shape === undefined ? {} : { shape }) };
}

function decodeShape(reader: WireReader): readonly Dimension[] {
  const dimensions: Dimension[] = [];
  readFields(reader, {
    1: () => dimensions.push(decodeDimension(reader.message(() => `dim[${dimensions.length}]`))),
  });
  return dimensions;
}

function decodeDimension(reader: WireReader): Dimension {
  const rest: { value?: bigint; parameter?: string; denotation?: string } = {};
  const unknown = readFields(reader, {
    1: () => {
      rest.value = reader.int64();
    },
    2: () => {
      rest.parameter = reader.text();
    },
    3: () => {
      rest.denotation = reader.text();
    },
  });
  return { ...rest, ...unknown };
}

function decodeContainer(reader: WireReader, kind: "sequence" | "optional"): ValueType {
  let elementType: ValueType | null = null;
  readFields(reader, {
    1: () => {
      elementType = decodeValueType(reader.message(() => "elem_type"));
    },
  });
  return { kind, elementType };
}

function decodeMap(reader: WireReader): ValueType {
  let keyType: DataType | null = null;
  let valueType: ValueType | null = null;
  readFields(reader, {
    1: () => {
      keyType = dataTypeOf(reader.int32());
    },
    2: () => {
      valueType = decodeValueType(reader.message(() => "value_type"));
    },
  });
  return { kind: "map", keyType, valueType };
}
