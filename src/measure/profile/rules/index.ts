// Every operator whose work is counted, by domain.

import type { Node } from "../../../onnx/index.ts";
import { attentions, microsoftAttentions } from "./attention.ts";
import { elementwise, microsoftElementwise } from "./elementwise.ts";
import { matrix, microsoftMatrix } from "./matrix.ts";
import { MOVED } from "./moves.ts";
import { microsoftRecurrence, recurrence } from "./recurrent.ts";
import { FREE, isDomain, type WorkRule, type WorkRules } from "./work.ts";

export type { Work } from "./work.ts";

/** Rules of ai.onnx. */
export const STANDARD_RULES: WorkRules = {
  ...attentions,
  ...elementwise,
  ...matrix,
  ...recurrence,
};

/** Rules of com.microsoft. */
export const MICROSOFT_RULES: WorkRules = {
  ...microsoftAttentions,
  ...microsoftElementwise,
  ...microsoftMatrix,
  ...microsoftRecurrence,
};

/** The rule of a node; null for an operator that is not counted. */
export function workRuleOf(node: Node): WorkRule | null {
  const microsoft = node.domain === "com.microsoft";
  if (!microsoft && !isDomain(node, "")) return null;
  const rules = microsoft ? MICROSOFT_RULES : STANDARD_RULES;
  if (Object.hasOwn(rules, node.opType)) return rules[node.opType] ?? null;
  return MOVED.has(node.opType) ? () => FREE : null;
}
