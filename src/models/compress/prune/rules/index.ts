// The rule of each operator of ai.onnx that is followed.

import type { Rule } from "../relating.ts";
import { channelRules } from "./channels.ts";
import { elementwise, firstInput, quantise } from "./elementwise.ts";
import { layoutRules } from "./layout.ts";
import { linearRules } from "./linear.ts";
import { argument, flattenedSoftmax, reduce, softmax } from "./reduce.ts";
import { reshape } from "./reshape.ts";

const each = (names: string, rule: Rule): Readonly<Record<string, Rule>> =>
  Object.fromEntries(names.split(" ").map((name) => [name, rule]));

const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...each(
      "Add Sub Mul Div Pow Max Min Sum Mean Mod PRelu Where Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor BitShift",
      elementwise,
    ),
    ...each(
      "Relu LeakyRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign ThresholdedRelu Gelu Mish Swish " +
        "Erf Exp Log Sqrt Reciprocal Abs Neg Sign Floor Ceil Round Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh " +
        "Identity Cast Not IsNaN IsInf Clip Dropout",
      firstInput,
    ),
    ...each("QuantizeLinear DequantizeLinear", quantise),
    ...each(
      "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare",
      reduce,
    ),
    ...each("Reshape Flatten Squeeze Unsqueeze", reshape),
    ...each("ArgMax ArgMin", argument),
    ...channelRules,
    ...layoutRules,
    ...linearRules,
  }),
);

/** Null for an operator that is not followed. */
export function ruleOf(opType: string, opset: number): Rule | null {
  if (opType === "Softmax" || opType === "LogSoftmax" || opType === "Hardmax") {
    return opset < 13 ? flattenedSoftmax : softmax;
  }
  return RULES.get(opType) ?? null;
}
