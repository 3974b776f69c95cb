// TypeProto: the type of a value.

import { DATA_TYPES, type DataType, type Dimension, type ValueType } from "./model.ts";
import { WireWriter } from "./wire-writer.ts";

/** The type of a value. */
export function encodeValueType(of: ValueType): WireWriter {
  const writer = new WireWriter();
  switch (of.kind) {
    case "tensor":
      writer.message(1, encodeTensorType(of.elementType, of.shape));
      break;
    case "sparseTensor":
      writer.message(8, encodeTensorType(of.elementType, of.shape));
      break;
    case "sequence":
      writer.message(4, encodeContainer(of.elementType));
      break;
    case "optional":
      writer.message(9, encodeContainer(of.elementType));
      break;
    case "map": {
      const map = new WireWriter();
      if (of.keyType !== null) map.varint(1, DATA_TYPES[of.keyType]);
      if (of.valueType !== null) map.message(2, encodeValueType(of.valueType));
      writer.message(5, map);
      break;
    }
    case "unknown":
      break;
    default:
      of satisfies never;
  }
  writer.optionalText(6, of.denotation);
  writer.verbatimAll(of.unknown);
  return writer;
}

function encodeTensorType(
  elementType: DataType | null,
  shape: readonly Dimension[] | undefined,
): WireWriter {
  const writer = new WireWriter();
  if (elementType !== null) writer.varint(1, DATA_TYPES[elementType]);
  if (shape !== undefined) {
    const dimensions = new WireWriter();
    for (const dimension of shape) dimensions.message(1, encodeDimension(dimension));
    writer.message(2, dimensions);
  }
  return writer;
}

function encodeDimension(dimension: Dimension): WireWriter {
  const writer = new WireWriter();
  writer.optionalVarint(1, dimension.value);
  writer.optionalText(2, dimension.parameter);
  writer.optionalText(3, dimension.denotation);
  writer.verbatimAll(dimension.unknown);
  return writer;
}

function encodeContainer(elementType: ValueType | null): WireWriter {
  const writer = new WireWriter();
  if (elementType !== null) writer.message(1, encodeValueType(elementType));
  return writer;
}
