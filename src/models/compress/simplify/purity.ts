// Which nodes give the same outputs whenever their inputs are the same, and nothing but outputs.

import { canonicalDomain, intOf, type Node, subGraphsOf } from "../../../onnx/index.ts";

const RANDOM = new Set([
  ...["RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"],
  ...["Multinomial", "Bernoulli"],
]);

/** Whether a node may be computed once for many, or before the first run. */
export function isPure(node: Node): boolean {
  if (canonicalDomain(node.domain) !== "" || subGraphsOf(node).length > 0) return false;
  if (RANDOM.has(node.opType)) return false;
  // A Dropout is random where it trains; a BatchNormalization then changes what it has learnt.
  if (node.opType === "Dropout") return (node.inputs[2] ?? "") === "";
  return !(node.opType === "BatchNormalization" && intOf(node, "training_mode", 0) === 1);
}
