// Types of values as short texts, the way the operator table and messages write them: `float32`,
// `seq(float32)`, `map(int64,string)`.

import type { DataType, Dimension, ValueType } from "./model.ts";

/** A dimension as its maker has it: a size, a name (`batch`), or null where nothing is known. */
export type ShapeDimension = number | bigint | string | null;

/** A tensor type; without a shape not even the rank is stated. */
export function tensorType(
  elementType: DataType,
  shape?: readonly ShapeDimension[],
): ValueType & { readonly kind: "tensor" } {
  if (shape === undefined) return { kind: "tensor", elementType };
  return { kind: "tensor", elementType, shape: shape.map(dimensionOf) };
}

function dimensionOf(dimension: ShapeDimension): Dimension {
  if (dimension === null) return {};
  if (typeof dimension === "string") return { parameter: dimension };
  return { value: BigInt(dimension) };
}

/** The type without its shape; null where the file does not say it whole. */
export function typeName(type: ValueType | null | undefined): string | null {
  if (type === null || type === undefined) return null;
  switch (type.kind) {
    case "tensor":
      return type.elementType;
    case "sparseTensor":
      return within("sparse_tensor", type.elementType);
    case "sequence":
      return within("seq", typeName(type.elementType));
    case "optional":
      return within("optional", typeName(type.elementType));
    case "map": {
      const value = typeName(type.valueType);
      return type.keyType === null || value === null ? null : `map(${type.keyType},${value})`;
    }
    case "unknown":
      return null;
    default:
      return type satisfies never;
  }
}

function within(outer: string, inner: string | null): string | null {
  return inner === null ? null : `${outer}(${inner})`;
}
