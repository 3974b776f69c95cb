// Elements of small tensors, worked out when a shape first asks for them and at most once.

import { DivisionByZero, SizeTooComplex } from "./dimension.ts";
import { arithmetic } from "./fold/arithmetic.ts";
import { type Fold, type Folds, wholeShape } from "./fold/folding.ts";
import { movement } from "./fold/movement.ts";
import { sources } from "./fold/sources.ts";
import type { Inference } from "./inference.ts";
import type { TensorType } from "./inferred-type.ts";
import {
  type Items,
  MOST_ITEMS,
  NotInferable,
  type Operation,
  type Outcome,
  ShapeFault,
  typeOnly,
} from "./operation.ts";

/** Chains of pending computations are worked off before they are long enough to fill the stack. */
const MOST_PENDING = 200;

const FOLDS: Folds = { ...arithmetic, ...movement, ...sources };

/** How the elements of an operator of ai.onnx follow from its inputs; null when they do not. */
export const foldOf = (opType: string): Fold | null =>
  Object.hasOwn(FOLDS, opType) ? (FOLDS[opType] ?? null) : null;

/** The elements of an output, found when first asked for. */
export function folded(
  fold: Fold,
  operation: Operation,
  output: {
    readonly index: number;
    readonly type: TensorType;
  },
  inference: Inference,
): Outcome {
  const { index, type } = output;
  const shape = wholeShape(type);
  if (shape === null || shape.reduce((count, size) => count * size, 1) > MOST_ITEMS)
    return typeOnly(type);
  const items = once(
    () => finite(fold(operation, { index, shape, elementType: type.elementType })),
    inference,
  );
  postpone(items, operation.inputs, inference);
  return { type, items };
}

/** Asks at most once; what cannot be worked out is unknown. */
export function once(compute: Items, { asked }: Inference): Items {
  let known: ReturnType<Items> | undefined;
  const items = (): ReturnType<Items> => {
    if (known !== undefined) return known;
    // A value that depends on itself finds nothing here.
    known = null;
    try {
      known = compute();
    } catch (error) {
      if (!isOurs(error)) throw error;
    }
    if (known !== null) asked.set(items, known);
    return known;
  };
  return items;
}

/** What rules and sizes throw about a model; everything else is a mistake of this code. */
export const isOurs = (
  error: unknown,
): error is ShapeFault | NotInferable | SizeTooComplex | DivisionByZero =>
  error instanceof ShapeFault ||
  error instanceof NotInferable ||
  error instanceof SizeTooComplex ||
  error instanceof DivisionByZero;

const finite = (items: ReturnType<Items>): ReturnType<Items> =>
  items?.map((item) => (typeof item === "number" && !Number.isFinite(item) ? null : item)) ?? null;

/** Notes how long a chain of postponed work is, and works off one that is too long. */
function postpone(items: Items, inputs: Operation["inputs"], { pending }: Inference): void {
  const depth =
    1 + Math.max(0, ...inputs.map((operand) => (operand && pending.get(operand.items)) ?? 0));
  if (depth > MOST_PENDING) items();
  pending.set(items, depth > MOST_PENDING ? 0 : depth);
}
