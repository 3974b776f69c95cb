// Quantising and dequantising keep shapes; element types come from zero points and scales.

import type { DataType } from "../../model.ts";
import {
  dataTypeOf,
  elementTypeAt,
  hasInput,
  intOf,
  type Operation,
  type Rules,
  shapeAt,
  tensors,
  typed,
} from "../operation.ts";
import { sameShape } from "./elementwise.ts";

const quantisedType = (operation: Operation): readonly (DataType | null)[] => {
  const stated = intOf(operation, "output_dtype", 0);
  if (hasInput(operation, 2)) return [elementTypeAt(operation, 2)];
  return [stated === 0 ? "uint8" : dataTypeOf(stated)];
};

const restoredType = (operation: Operation): readonly (DataType | null)[] => {
  const stated = intOf(operation, "output_dtype", 0);
  return [stated === 0 ? elementTypeAt(operation, 1) : dataTypeOf(stated)];
};

export const quantisation: Rules = {
  QuantizeLinear: tensors((operation) => sameShape(operation), quantisedType),
  DequantizeLinear: tensors((operation) => sameShape(operation), restoredType),
  DynamicQuantizeLinear: tensors(
    (operation) => [shapeAt(operation, 0), [], []],
    typed("uint8", "float32", "uint8"),
  ),
};
