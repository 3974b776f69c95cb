// Operators that work element by element: one input kept as it is, or several that broadcast.

import {
  type Operation,
  type Rule,
  type Rules,
  shapeAt,
  tensors,
  typed,
  typeOfAttribute,
  typeOfInput,
} from "../operation.ts";
import { broadcast } from "./broadcast.ts";

/** Output i has the shape of the first input. */
export const unary: Rule = tensors((operation) => sameShape(operation));

/** One output, broadcast from all inputs. */
export const broadcasting: Rule = tensors((operation) => [broadcastInputs(operation)]);

const comparison: Rule = tensors((operation) => [broadcastInputs(operation)], typed("bool"));
const test: Rule = tensors((operation) => sameShape(operation), typed("bool"));

export const sameShape = (operation: Operation) =>
  new Array(Math.max(1, operation.outputCount)).fill(shapeAt(operation, 0));

const broadcastInputs = (operation: Operation) =>
  broadcast(
    ...operation.inputs.flatMap((operand, index) =>
      operand === null ? [] : [shapeAt(operation, index)],
    ),
  );

const named = (names: string, rule: Rule): Rules =>
  Object.fromEntries(names.split(" ").map((name) => [name, rule]));

const UNARY =
  "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh CumProd CumSum Elu Erf Exp " +
  "Floor Gelu HardSigmoid HardSwish Hardmax LRN LeakyRelu Log LogSoftmax LpNormalization " +
  "MeanVarianceNormalization Mish Neg Not Reciprocal Relu ReverseSequence Round Selu Shrink Sigmoid " +
  "Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu Trilu";

const BROADCASTING =
  "Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Max Mean Min Mod Mul Or Pow StringConcat Sub Sum Xor";

const COMPARISON = "Equal Greater GreaterOrEqual Less LessOrEqual";

/** 8-bit floats cast by their scale; every type keeps its shape. */
const cast: Rule = tensors((operation) => sameShape(operation), typeOfAttribute("to", null));

export const elementwise: Rules = {
  ...named(UNARY, unary),
  ...named(BROADCASTING, broadcasting),
  ...named(COMPARISON, comparison),
  ...named("IsInf IsNaN RegexFullMatch", test),
  // The slope stretches to the input, never the other way round.
  PRelu: unary,
  Where: tensors((operation) => [broadcastInputs(operation)], typeOfInput(1)),
  Cast: cast,
  BitCast: cast,
  CastLike: tensors((operation) => sameShape(operation), typeOfInput(1)),
  Bernoulli: tensors((operation) => sameShape(operation), typeOfAttribute("dtype", null)),
  RandomNormalLike: tensors((operation) => sameShape(operation), typeOfAttribute("dtype", null)),
  RandomUniformLike: tensors((operation) => sameShape(operation), typeOfAttribute("dtype", null)),
  Dropout: tensors(
    (operation) => sameShape(operation),
    // The mask has the type of the data before opset 10, as training was the only use of it.
    (operation) => typed(null, operation.version < 10 ? null : "bool")(operation),
  ),
};

/** The same rule under several names. */
export const ruleFor = named;
