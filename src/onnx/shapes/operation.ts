// A node as the shape rules see it, and the words they are written in.

import { type Elements, elementsOf } from "../elements.ts";
import { type Attribute, DATA_TYPES, type DataType, type Graph, type Tensor } from "../model.ts";
import { type Size, sameSize } from "./dimension.ts";
import { formatShape, formatSize } from "./dimension-text.ts";
import { type InferredType, type Item, type Shape, shapeOfType } from "./inferred-type.ts";

/** What is known of a value. */
export interface Outcome {
  readonly type: InferredType;
  /**
   * Elements in row-major order when the value is a small constant or is computed from sizes, else
   * null. Worked out when first asked for, so that what no shape depends on is never read.
   */
  readonly items: Items;
}

export type Items = () => readonly Item[] | null;

/** The items of a value that only a run can tell. */
const UNKNOWN_ITEMS: Items = () => null;

/** Only the type is known. */
export const typeOnly = (type: InferredType): Outcome => ({ type, items: UNKNOWN_ITEMS });

/** An input of a node. */
export interface Operand extends Outcome {
  readonly name: string;
}

/** A node, its operands looked up and its attributes resolved. */
export interface Operation {
  readonly opType: string;
  /** The version of the operator set of the node's domain. */
  readonly version: number;
  /** Null for an optional input that is left out. */
  readonly inputs: readonly (Operand | null)[];
  readonly outputCount: number;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** A new symbol for a size that only a run can tell, named after the operator unless told. */
  readonly mint: (stem?: string) => Size;
  /** The symbol for an element that only a run can tell; the same whenever it is asked for. */
  readonly unknownItem: (operand: Operand, index: number) => Size;
  /** Infers a sub-graph whose inputs are these; gives its outputs. */
  readonly inferBody: (
    graph: Graph,
    inputs: readonly Outcome[],
    use: BodyUse,
  ) => readonly Outcome[];
}

/** How a node uses its sub-graph: one that is never executed may be at fault without harm. */
export type BodyUse = "executed" | "never executed";

/** How the outputs of a kind of node follow from its inputs. */
export type Rule = TensorRule | GeneralRule;

/** The rule of an operator whose outputs are tensors. */
export interface TensorRule {
  readonly kind: "tensors";
  /** Element types of the outputs; the last one stands for all that follow. */
  readonly types: (operation: Operation) => readonly (DataType | null)[];
  /** Shapes of the outputs, as many as there may be. */
  readonly shapes: (operation: Operation) => readonly (Shape | null)[];
}

/** The rule of an operator that handles sub-graphs, sequences or optionals. */
export interface GeneralRule {
  readonly kind: "general";
  /** Why an output may be of unknown type though the operands are known. */
  readonly unknownBecause: string;
  readonly infer: (operation: Operation) => readonly Outcome[];
}

/** Rules by operator name. */
export type Rules = Readonly<Record<string, Rule>>;

/** The model is wrong here: no run of this node can succeed. */
export class ShapeFault extends Error {
  override readonly name = "ShapeFault";
}

/** Nothing is wrong, yet the shape does not follow from what is known. */
export class NotInferable extends Error {
  override readonly name = "NotInferable";
}

export function fault(message: string): never {
  throw new ShapeFault(message);
}

export function notInferable(reason: string): never {
  throw new NotInferable(reason);
}

export const tensors = (
  shapes: TensorRule["shapes"],
  types: TensorRule["types"] = sameType,
): Rule => ({
  kind: "tensors",
  types,
  shapes,
});

export const general = (
  infer: GeneralRule["infer"],
  unknownBecause = "what it gives does not follow from its operands",
): Rule => ({ kind: "general", infer, unknownBecause });

/** Outputs have the element type of the first input. */
const sameType = (operation: Operation): readonly (DataType | null)[] => [
  elementTypeAt(operation, 0),
];

/** Outputs have the element type of an input. */
export const typeOfInput =
  (...indices: readonly number[]) =>
  (operation: Operation): readonly (DataType | null)[] =>
    indices.map((index) => elementTypeAt(operation, index));

/** Outputs have these element types; null stands for the one of the first input. */
export const typed =
  (...types: readonly (DataType | null)[]) =>
  (operation: Operation): readonly (DataType | null)[] =>
    types.map((type) => type ?? elementTypeAt(operation, 0));

/** Outputs have the element type that an attribute names, else the given one (null: of input 0). */
export const typeOfAttribute =
  (name: string, otherwise: DataType | null) =>
  (operation: Operation): readonly (DataType | null)[] => {
    const number = intOf(operation, name, 0);
    const named = number === 0 ? null : dataTypeOf(number);
    return [number === 0 ? (otherwise ?? elementTypeAt(operation, 0)) : named];
  };

const DATA_TYPE_NAMES = new Map(Object.entries(DATA_TYPES).map(([name, number]) => [number, name]));

export const dataTypeOf = (number: number): DataType | null =>
  (DATA_TYPE_NAMES.get(number as never) as DataType | undefined) ?? null;

export function hasInput(operation: Operation, index: number): boolean {
  return (operation.inputs[index] ?? null) !== null;
}

export function operandAt(operation: Operation, index: number): Operand {
  return operation.inputs[index] ?? fault(`input ${index} is missing`);
}

export function elementTypeAt(operation: Operation, index: number): DataType | null {
  const type = operation.inputs[index]?.type;
  return type?.kind === "tensor" ? type.elementType : null;
}

/** Shape of an input that must be there. */
export function shapeAt(operation: Operation, index: number): Shape {
  const operand = operandAt(operation, index);
  return shapeOfType(operand.type) ?? notInferable(`the rank of "${operand.name}" is not known`);
}

/** Shape of an input that must be there and have so many axes. */
export function shapeOfRank(operation: Operation, index: number, rank: number): Shape {
  const shape = shapeAt(operation, index);
  return shape.length === rank ? shape : wrongRank(operation, index, `${rank}`);
}

/** Shape of an input with at least so many axes. */
export function shapeFromRank(operation: Operation, index: number, rank: number): Shape {
  const shape = shapeAt(operation, index);
  return shape.length >= rank ? shape : wrongRank(operation, index, `at least ${rank}`);
}

function wrongRank(operation: Operation, index: number, wanted: string): never {
  const { name } = operandAt(operation, index);
  return fault(
    `"${name}" has shape ${formatShape(shapeAt(operation, index))}, rank ${wanted} is needed`,
  );
}

/** Size of an axis that is known to exist. */
export function axisSize(shape: Shape, axis: number): Size {
  return shape.at(axis) ?? fault(`${formatShape(shape)} has no axis ${axis}`);
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) fault(`axis ${axis} of a tensor of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, no two the same. */
export function axesOf(axes: readonly number[], rank: number): readonly number[] {
  const fromFront = axes.map((axis) => axisOf(axis, rank));
  if (new Set(fromFront).size !== axes.length) fault(`axes ${axes.join(", ")} name one twice`);
  return fromFront;
}

/** Elements of an input, null each where unknown; null when not even their number is known. */
export function itemsAt(operation: Operation, index: number): readonly Item[] | null {
  return operation.inputs[index]?.items() ?? null;
}

/** The elements of a constant input as plain numbers; null when one of them is not known. */
export function numbersAt(operation: Operation, index: number): readonly number[] | null {
  const items = itemsAt(operation, index);
  if (items === null) return null;
  const numbers = items.filter((item) => typeof item === "number");
  return numbers.length === items.length ? numbers : null;
}

/** The elements of an input that gives sizes: unknown ones become symbols named after them. */
export function sizesAt(operation: Operation, index: number): readonly Size[] | null {
  const operand = operandAt(operation, index);
  const shape = shapeOfType(operand.type);
  const [length] = shape ?? [];
  const count = shape?.length === 0 ? 1 : length;
  const items = operand.items() ?? (typeof count === "number" && count <= 64 ? nulls(count) : null);
  return items?.map((item, at) => item ?? operation.unknownItem(operand, at)) ?? null;
}

const nulls = (count: number): readonly null[] => new Array<null>(count).fill(null);

/** The one element of an input; null when unknown. */
export function scalarAt(operation: Operation, index: number): Item {
  const items = itemsAt(operation, index);
  return items?.length === 1 ? (items[0] ?? null) : null;
}

export function intOf(operation: Operation, name: string, otherwise: number): number {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "int" ? Number(attribute.value) : otherwise;
}

export function intsOf(operation: Operation, name: string): readonly number[] | null {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "ints" ? attribute.value.map(Number) : null;
}

export function floatsOf(operation: Operation, name: string): readonly number[] | null {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "floats" ? attribute.value : null;
}

export function textOf(operation: Operation, name: string, otherwise: string): string {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : otherwise;
}

export function tensorOf(operation: Operation, name: string): Tensor | null {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "tensor" ? attribute.value : null;
}

export function graphOf(operation: Operation, name: string): Graph {
  const attribute = operation.attributes.get(name);
  return attribute?.kind === "graph" ? attribute.value : fault(`attribute ${name} is no graph`);
}

/** Constants of more elements are weights, which inference does not read. */
export const MOST_ITEMS = 1024;

/** The elements of a small constant; null for weights, texts, and data that cannot be read. */
export function itemsOf(
  tensor: Tensor,
  read: (tensor: Tensor) => Elements = elementsOf,
): readonly Item[] | null {
  const count = tensor.dims.reduce((product, dim) => product * dim, 1n);
  if (count < 0n || count > BigInt(MOST_ITEMS)) return null;
  if (tensor.dataType === null || tensor.dataType === "string") return null;
  if (tensor.dataType.startsWith("complex")) return null;
  return Array.from(read(tensor), Number);
}

/** The size of an axis that several inputs share: the number if one has it. Throws when they differ. */
export function agree(a: Size, b: Size, what: string): Size {
  if (sameSize(a, b)) return a;
  if (typeof a === "number" && typeof b === "number") fault(`${what} is ${a} here and ${b} there`);
  return typeof a === "number" ? a : b;
}

/** Faults unless the two sizes can be equal. */
export function mustAgree(a: Size, b: Size, message: () => string): void {
  if (typeof a === "number" && typeof b === "number" && a !== b) {
    fault(`${message()}: ${formatSize(a)} and ${formatSize(b)}`);
  }
}
