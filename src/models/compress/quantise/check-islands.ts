// Looks at what ONNX Runtime really runs of a quantised model. A grid that it cannot use leaves floats in
// the middle of what should be integers, and the model becomes slower than it was.

import { profileModel } from "../../../engine/index.ts";
import { type GraphIndex, indexGraph, type Model, type Node } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { labelOf } from "../simplify/label.ts";

/** A node that computes with floats although everything around it is in 8 bits. */
export interface FloatLeftover {
  /** The model's node. */
  readonly node: string;
  /** What ONNX Runtime runs for it. */
  readonly runs: string;
  readonly reason: string;
}

/** Float operators that an island must not run. */
const FLOAT = new Set(["Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"]);

/** Runs the model twice on these inputs and looks at every node that it should have in 8 bits. */
export async function floatLeftovers(
  model: Model,
  feeds: Feeds,
  { runtime }: PassContext,
): Promise<readonly FloatLeftover[]> {
  const { graph } = model;
  if (graph === undefined) return [];
  const { nodes } = await profileModel(model, feeds, { runtime, threads: 1, runs: 1, warmUp: 1 });
  const running = new Map(nodes.map(({ origin, operator }) => [origin ?? "", operator]));
  const index = indexGraph(graph);
  return graph.nodes.flatMap((node): FloatLeftover[] => {
    const runs = running.get(labelOf(node));
    const reason = runs === undefined ? null : faultOf(node, runs, index);
    return runs === undefined || reason === null ? [] : [{ node: labelOf(node), runs, reason }];
  });
}

function faultOf(node: Node, runs: string, index: GraphIndex): string | null {
  switch (node.opType) {
    case "Conv":
    case "Gemm":
    case "MatMul": {
      const isQuantised = node.inputs.every((input) => comesFromLevels(input, index));
      return isQuantised && FLOAT.has(runs) ? "all that it reads is in 8 bits, it is not" : null;
    }
    case "Relu": {
      const readers = index.uses(node.outputs[0] ?? "").map((use) => use.node.opType);
      const inside = readers.length === 1 && readers[0] === "QuantizeLinear";
      return inside && runs === "Relu" ? "the least level of its grid does not stand for 0" : null;
    }
    case "DequantizeLinear": {
      const stored = index.constant(node.inputs[0] ?? "") !== null;
      return stored && runs === "DequantizeLinear" ? "a weight is made floats in every run" : null;
    }
    default:
      return null;
  }
}

const comesFromLevels = (value: string, index: GraphIndex): boolean =>
  value === "" || index.producer(value)?.opType === "DequantizeLinear";
