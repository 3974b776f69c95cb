// The passes that recipes name.

import { cluster, storeHalf } from "../cluster/index.ts";
import { learn } from "../distil/index.ts";
import { factorise } from "../factorise/index.ts";
import type { Pass } from "../pass.ts";
import { prune } from "../prune/index.ts";
import { quantiseDynamic, quantiseStatic, quantiseWeights } from "../quantise/index.ts";
import { simplify } from "../simplify/simplify.ts";

/** Passes by the names that recipes call them. */
export const PASSES = {
  simplify,
  prune,
  factorise,
  distil: learn,
  "quantise-static": quantiseStatic,
  "quantise-dynamic": quantiseDynamic,
  "quantise-weights": quantiseWeights,
  cluster,
  "store-half": storeHalf,
} as const satisfies Readonly<Record<string, Pass<never>>>;

export type PassName = keyof typeof PASSES;
