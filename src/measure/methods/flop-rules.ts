// How many floating-point operations an operator counts as, by the convention of some tool: a table
// from operator name to a rule on shapes. Names and data formats are TensorFlow's (NHWC, HWIO).

export type Shape = readonly number[];

/** What rules look at of a node. */
export interface FlopNode {
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  readonly strides?: readonly number[];
  /** Pooling window, of all four dimensions. */
  readonly window?: readonly number[];
  readonly padding?: "SAME" | "VALID";
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export type FlopRule = (node: FlopNode) => number;

/** Operator type to rule. An operator that is not in it is not counted, and must be said not to be. */
export type FlopRules = Readonly<Record<string, FlopRule>>;

/** Elements of a shape; a scalar has one. */
export const elements = (shape: Shape): number =>
  shape.reduce((product, size) => product * size, 1);

/** A shape that a rule needs. Throws RangeError when the node has none. */
export function shapeAt(shapes: readonly Shape[], index: number): Shape {
  const shape = shapes[index];
  if (shape === undefined) throw new RangeError(`the operator has no shape ${index}`);
  return shape;
}

/** A size of a shape, counted from the end when negative. Throws RangeError when there is none. */
export function sizeAt(shape: Shape, index: number): number {
  const size = shape.at(index);
  if (size === undefined) throw new RangeError(`a shape of ${shape.length} has no size ${index}`);
  return size;
}

/** So many operations for each element of the first input. */
export const perInput =
  (operations = 1): FlopRule =>
  ({ inputs }) =>
    operations * elements(shapeAt(inputs, 0));

/** So many operations for each element of the output. */
export const perOutput =
  (operations = 1): FlopRule =>
  ({ outputs }) =>
    operations * elements(shapeAt(outputs, 0));
