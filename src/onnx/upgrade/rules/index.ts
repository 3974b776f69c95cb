// Every change of form or meaning from opset 7 to 21. All other new versions of operators in between
// only allow more (further types, attributes whose default is what was before), which `widening.ts`
// verifies against the operator table.

import type { UpgradeRule } from "../rule.ts";
import { attributeToInput } from "./attribute-to-input.ts";
import { bounds } from "./bounds.ts";
import { normalization } from "./normalization.ts";
import { renamed } from "./renamed.ts";
import { resize } from "./resize.ts";
import { softmax } from "./softmax.ts";

export const upgradeRules: readonly UpgradeRule[] = [
  ...attributeToInput,
  ...bounds,
  ...normalization,
  ...renamed,
  ...resize,
  ...softmax,
];
