// Every operator whose outputs are inferred, by domain. Where opsets differ, its rule says how.

import type { Rule, Rules } from "./operation.ts";
import { attentions } from "./rules/attention.ts";
import { controlFlow } from "./rules/control-flow.ts";
import { convolutions } from "./rules/convolution.ts";
import { creation } from "./rules/creation.ts";
import { elementwise } from "./rules/elementwise.ts";
import { gathering } from "./rules/gather.ts";
import { layout } from "./rules/layout.ts";
import { machineLearning } from "./rules/machine-learning.ts";
import { matrix } from "./rules/matrix.ts";
import { microsoft } from "./rules/microsoft.ts";
import { normalisation } from "./rules/normalisation.ts";
import { quantisation } from "./rules/quantisation.ts";
import { recurrence } from "./rules/recurrent.ts";
import { reductions } from "./rules/reduction.ts";
import { resizing } from "./rules/resize.ts";
import { sequences } from "./rules/sequence.ts";
import { signals } from "./rules/signal.ts";
import { slicing } from "./rules/slice.ts";
import { texts } from "./rules/text.ts";

/** Rules by domain ("" is ai.onnx) and operator. */
export const OPERATORS: Readonly<Record<string, Rules>> = {
  "": {
    ...attentions,
    ...controlFlow,
    ...convolutions,
    ...creation,
    ...elementwise,
    ...gathering,
    ...layout,
    ...matrix,
    ...normalisation,
    ...quantisation,
    ...recurrence,
    ...reductions,
    ...resizing,
    ...sequences,
    ...signals,
    ...slicing,
    ...texts,
  },
  "ai.onnx.ml": machineLearning,
  "com.microsoft": microsoft,
};

/** The rule of an operator; null when there is none. */
export function ruleOf(domain: string, opType: string): Rule | null {
  const rules = Object.hasOwn(OPERATORS, domain) ? OPERATORS[domain] : undefined;
  return rules !== undefined && Object.hasOwn(rules, opType) ? (rules[opType] ?? null) : null;
}
