// How operations become FLOPs. Our own convention counts two for a multiply-accumulate and one for every
// other operation on an element; the others are those of named tools, by their own rules, for comparison.

import { addSizes, multiplySizes, type Size } from "../../onnx/index.ts";
import { toolkitFlops } from "../methods/greenness-flops.ts";
import { tfprofFlops } from "../methods/tfprof.ts";
import type { Work } from "./rules/index.ts";
import { FREE } from "./rules/work.ts";
import { type Site, Uncountable } from "./site.ts";
import { translate } from "./tensorflow.ts";

/** `default`: 2 a multiply-accumulate, 1 an operation on an element. */
export const FLOP_CONVENTIONS = ["default", "tfprof", "toolkit"] as const;
export type FlopConvention = (typeof FLOP_CONVENTIONS)[number];

/** FLOPs of one execution. Throws Uncountable where the convention has no rule. */
export function flopsOf(site: Site, work: Work, convention: FlopConvention): Size {
  if (convention === "default") return addSizes(multiplySizes(work.macs, 2), work.other);
  if (work === FREE) return 0;
  const nodes = translate(site);
  if (nodes === null) throw new Uncountable(`${convention} has no rule for it`);
  let sum = 0;
  for (const { type, node } of nodes) {
    const count = convention === "tfprof" ? tfprofFlops(type, node) : toolkitFlops(type, node);
    if (count === null) throw new Uncountable(`tfprof registers nothing for ${type}`);
    sum += count;
  }
  return sum;
}
