// When work that makes something cheaper has paid for itself: after so many uses of what it made.

import type { Step } from "../../core/card.ts";
import { type Figure, figure } from "../../core/index.ts";

/**
 * Energy of the work over what each use saves. Both are told by the same sensors or the same model on one
 * machine, so that their errors move together: the ends of the interval are ratios of like ends.
 */
export function payBackStep(
  spent: Figure<"J">,
  saved: Figure<"J">,
): Step & { readonly result: Figure<"1"> } {
  const ratios = [spent.low / saved.low, spent.value / saved.value, spent.high / saved.high];
  const [, value = 0] = ratios;
  return {
    name: "pay-back",
    formula: "uses = energy / energy saved by a use",
    inputs: { energy: spent, saved },
    result: figure(
      "1",
      value,
      { low: Math.min(...ratios), high: Math.max(...ratios) },
      { method: "estimated", source: "energy of the work over what a use of its result saves" },
    ),
    source: "energy of the work over what a use of its result saves",
  };
}
