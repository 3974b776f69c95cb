// What is known of a value before anything runs: its element type and its shape.

import type { DataType, Dimension, ValueType } from "../model.ts";
import { type Size, symbol } from "./dimension.ts";
import { formatSize } from "./dimension-text.ts";

/** Sizes of the axes, outermost first. */
export type Shape = readonly Size[];

/** What inference found out about a value; null stands for what it could not. */
export type InferredType =
  | { readonly kind: "tensor"; readonly elementType: DataType | null; readonly shape: Shape | null }
  /** Null for the elements of a sequence that is empty. */
  | { readonly kind: "sequence"; readonly element: InferredType | null }
  | { readonly kind: "optional"; readonly element: InferredType }
  /** Maps, and values of which nothing is known. */
  | { readonly kind: "other" };

export type TensorType = Extract<InferredType, { kind: "tensor" }>;

/** A whole number, a symbolic size, a fraction (in floating-point tensors), or unknown. */
export type Item = Size | null;

export const OTHER: InferredType = { kind: "other" };

export const tensor = (elementType: DataType | null, shape: Shape | null): TensorType => ({
  kind: "tensor",
  elementType,
  shape,
});

export const shapeOfType = (type: InferredType): Shape | null =>
  type.kind === "tensor" ? type.shape : null;

/** No tensor of a real model has more axes; more would let a small file cause much work. */
const MOST_AXES = 64;

/** Why a shape cannot be one of a tensor that is followed; null when it can. */
export function shapeFault(shape: Shape): string | null {
  if (shape.length > MOST_AXES)
    return `${shape.length} axes, more than ${MOST_AXES} are not followed`;
  const wrong = shape.find(
    (size) => typeof size === "number" && !(Number.isSafeInteger(size) && size >= 0),
  );
  return wrong === undefined ? null : `an axis of size ${formatSize(wrong)}`;
}

/** The type that a model states; `name` gives the symbol of an axis that has neither size nor name. */
export function declaredType(
  type: ValueType | undefined,
  name: (axis: number) => Size,
): InferredType {
  switch (type?.kind) {
    case "tensor":
    case "sparseTensor":
      return tensor(type.elementType, declaredShape(type.shape ?? null, name));
    case "sequence":
    case "optional":
      return { kind: type.kind, element: declaredType(type.elementType ?? undefined, name) };
    default:
      return OTHER;
  }
}

/** Some exporters write -1 for a size that they do not know. */
function declaredShape(
  dimensions: readonly Dimension[] | null,
  name: (axis: number) => Size,
): Shape | null {
  if (dimensions === null || dimensions.length > MOST_AXES) return null;
  const shape = dimensions.map(({ value, parameter }, axis) => {
    if (value !== undefined && value >= 0n) return Number(value);
    return parameter === undefined || parameter === "" ? name(axis) : symbol(parameter);
  });
  return shapeFault(shape) === null ? shape : null;
}

/**
 * A type that both are of, for values that come by two roads: `commonSize` joins sizes that differ,
 * ranks that differ leave the shape unknown.
 */
export function commonType(
  a: InferredType,
  b: InferredType,
  commonSize: (a: Size, b: Size, axis: number) => Size,
): InferredType {
  if (a.kind === "tensor" && b.kind === "tensor") {
    const elementType = a.elementType === b.elementType ? a.elementType : null;
    const { shape } = a;
    if (shape === null || b.shape === null || shape.length !== b.shape.length) {
      return tensor(elementType, null);
    }
    const other = b.shape;
    return tensor(
      elementType,
      shape.map((size, axis) => commonSize(size, other[axis] ?? size, axis)),
    );
  }
  if (a.kind === "sequence" && b.kind === "sequence") {
    if (a.element === null || b.element === null) return a.element === null ? b : a;
    return { kind: "sequence", element: commonType(a.element, b.element, commonSize) };
  }
  if (a.kind === "optional" && b.kind === "optional") {
    return { kind: "optional", element: commonType(a.element, b.element, commonSize) };
  }
  return OTHER;
}
