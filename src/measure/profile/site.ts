// A node where it stands, as counting rules see it: its attributes, and the shapes and types of what it
// reads and makes.

import {
  BITS,
  type DataType,
  type GraphShapes,
  type InferredType,
  multiplySizes,
  type Node,
  productOfSizes,
  type Shape,
  type Size,
  typeOfValue,
} from "../../onnx/index.ts";

export interface Site {
  readonly node: Node;
  readonly shapes: GraphShapes;
}

/** A node cannot be counted; the message is the reason that people read. */
export class Uncountable extends Error {
  override readonly name = "Uncountable";
}

/** Whether an optional input is given. */
export const hasInput = ({ node }: Site, index: number): boolean =>
  (node.inputs[index] ?? "") !== "";

/** The inferred type of a value; null when nothing is known of it. */
export const typeOf = ({ shapes }: Site, value: string): InferredType | null =>
  value === "" ? null : typeOfValue(shapes, value);

/** Shape of an input. Throws Uncountable when it is left out or unknown. */
export const inputShape = (site: Site, index: number): Shape =>
  shapeOf(site, site.node.inputs[index] ?? "", `input ${index}`);

/** Shape of an output. Throws Uncountable when it is unknown. */
export const outputShape = (site: Site, index = 0): Shape =>
  shapeOf(site, site.node.outputs[index] ?? "", `output ${index}`);

function shapeOf(site: Site, value: string, what: string): Shape {
  const type = typeOf(site, value);
  if (type?.kind === "tensor" && type.shape !== null) return type.shape;
  throw new Uncountable(
    value === "" ? `${what} is missing` : `the shape of "${value}" is not known`,
  );
}

/** Element type of an input; null when it is not known. */
export function inputType(site: Site, index: number): DataType | null {
  const type = typeOf(site, site.node.inputs[index] ?? "");
  return type?.kind === "tensor" ? type.elementType : null;
}

/** Elements of an input. */
export const inputSize = (site: Site, index: number): Size =>
  productOfSizes(inputShape(site, index));

/** Elements of an output. */
export const outputSize = (site: Site, index = 0): Size => productOfSizes(outputShape(site, index));

/** Size of an axis, counted from the end when negative. Throws Uncountable when there is none. */
export function axis(shape: Shape, index: number): Size {
  const size = shape.at(index);
  if (size === undefined)
    throw new Uncountable(`a shape of ${shape.length} axes has no axis ${index}`);
  return size;
}

/** Bytes of a value: bits of its elements, rounded up; null when its type or shape is not known. */
export function bytesOf(type: InferredType | null): Size | null {
  if (type?.kind !== "tensor" || type.shape === null || type.elementType === null) return null;
  const bits = BITS[type.elementType];
  if (bits === null) return null;
  const elements = productOfSizes(type.shape);
  if (typeof elements === "number") return Math.ceil((elements * bits) / 8);
  return multiplySizes(elements, bits / 8);
}
