// Sequences and optionals. A sequence has one element type; a size in which its elements differ is one
// symbol.

import { type Size, sameSize } from "../dimension.ts";
import {
  commonType,
  type InferredType,
  type Item,
  OTHER,
  type Shape,
  shapeOfType,
  tensor,
} from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  general,
  graphOf,
  hasInput,
  intOf,
  notInferable,
  type Operation,
  type Outcome,
  operandAt,
  type Rule,
  type Rules,
  shapeAt,
  typeOnly,
} from "../operation.ts";

const one = (infer: (operation: Operation) => InferredType): Rule =>
  general((operation) => [typeOnly(infer(operation))]);

/** The type of what a sequence holds. */
function elementOf(operation: Operation, index: number): InferredType {
  const { type, name } = operandAt(operation, index);
  if (type.kind !== "sequence") return notInferable(`"${name}" is not known to be a sequence`);
  return type.element ?? OTHER;
}

const join = (operation: Operation, a: InferredType, b: InferredType): InferredType =>
  commonType(a, b, (x, y) => (sameSize(x, y) ? x : operation.mint()));

function construct(operation: Operation): InferredType {
  const types = operation.inputs.map((_, index) => operandAt(operation, index).type);
  const [first, ...others] = types;
  const element = others.reduce<InferredType | null>(
    (all, type) => (all === null ? type : join(operation, all, type)),
    first ?? null,
  );
  return { kind: "sequence", element };
}

function insert(operation: Operation): InferredType {
  const sequence = operandAt(operation, 0).type;
  const { type } = operandAt(operation, 1);
  const held = sequence.kind === "sequence" ? sequence.element : null;
  return { kind: "sequence", element: held === null ? type : join(operation, held, type) };
}

function split(operation: Operation): InferredType {
  const shape = shapeAt(operation, 0);
  const axis = axisOf(intOf(operation, "axis", 0), shape.length);
  const { type } = operandAt(operation, 0);
  const elementType = type.kind === "tensor" ? type.elementType : null;
  if (!hasInput(operation, 1)) {
    const keep = intOf(operation, "keepdims", 1) === 1;
    const piece = keep ? shape.with(axis, 1) : shape.filter((_, at) => at !== axis);
    return { kind: "sequence", element: tensor(elementType, piece) };
  }
  const size = pieceSize(axisSize(shape, axis), operation);
  return {
    kind: "sequence",
    element: tensor(elementType, shape.with(axis, size ?? operation.mint())),
  };
}

/** The size that all pieces have; null when they differ or only a run can tell. */
function pieceSize(size: Size, operation: Operation): Size | null {
  const items: readonly Item[] = operandAt(operation, 1).items() ?? [];
  const [first = null] = items;
  if (first === null || !items.every((item) => item !== null && sameSize(item, first))) return null;
  if (items.length > 1) return first;
  const whole = typeof size === "number" && typeof first === "number" && size % first === 0;
  return whole ? first : null;
}

function concat(operation: Operation): InferredType {
  const element = elementOf(operation, 0);
  const shape = shapeOfType(element) ?? notInferable("the rank of the elements is not known");
  const elementType = element.kind === "tensor" ? element.elementType : null;
  const axis = intOf(operation, "axis", 0);
  if (intOf(operation, "new_axis", 0) === 0) {
    return tensor(elementType, shape.with(axisOf(axis, shape.length), operation.mint()));
  }
  const at = axisOf(axis, shape.length + 1);
  return tensor(elementType, shape.toSpliced(at, 0, operation.mint()));
}

/** The body takes an element of each sequence, and each tensor as it is. */
function map(operation: Operation): readonly Outcome[] {
  const inputs = operation.inputs.map((_, index) => {
    const operand = operandAt(operation, index);
    return operand.type.kind === "sequence" ? typeOnly(operand.type.element ?? OTHER) : operand;
  });
  return operation
    .inferBody(graphOf(operation, "body"), inputs, "executed")
    .map(({ type }) => typeOnly({ kind: "sequence", element: type }));
}

function optional(operation: Operation): InferredType {
  if (hasInput(operation, 0)) return { kind: "optional", element: operandAt(operation, 0).type };
  return { kind: "optional", element: OTHER };
}

function held(operation: Operation): Outcome {
  const operand = operandAt(operation, 0);
  return operand.type.kind === "optional" ? typeOnly(operand.type.element) : operand;
}

const scalar = (elementType: "int64" | "bool"): Rule =>
  one(() => tensor(elementType, [] satisfies Shape));

export const sequences: Rules = {
  SequenceConstruct: one(construct),
  SequenceEmpty: one(() => ({ kind: "sequence", element: null })),
  SequenceInsert: one(insert),
  SequenceAt: one((operation) => elementOf(operation, 0)),
  SequenceErase: one((operation) => operandAt(operation, 0).type),
  SequenceLength: scalar("int64"),
  SequenceMap: general(map),
  SplitToSequence: one(split),
  ConcatFromSequence: one(concat),
  Optional: one(optional),
  OptionalGetElement: general((operation) => [held(operation)]),
  OptionalHasElement: scalar("bool"),
  Identity: general((operation) => [operandAt(operation, 0)]),
};
