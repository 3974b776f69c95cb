// A head: what is pooled from a value, one linear layer, and how sure it is.

import { attribute, int64s, type Node, type Tensor, tensorOf } from "../../../onnx/index.ts";
import { nodeOf } from "../../compress/node-of.ts";
import type { LinearClassifier } from "./logistic.ts";

/** How sure a head is: the largest probability, or its lead over the second. */
export type Confidence = "max" | "margin";

/** A trained exit. */
export interface ExitHead extends LinearClassifier {
  /** The value that it reads. */
  readonly value: string;
  readonly rank: number;
  readonly features: number;
  readonly classes: number;
}

/** Nodes with the tensors they read. */
export interface Piece {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  /** The value that the piece is for. */
  readonly output: string;
}

/** Features of a value: means over positions, [batch, channels] or [batch, width]. */
export function poolPiece(value: string, rank: number, prefix: string): Piece {
  const output = `${prefix}/features`;
  if (rank === 2)
    return {
      nodes: [nodeOf("Identity", [value], { outputs: [output] })],
      initializers: [],
      output,
    };
  if (rank === 3) {
    const axes = int64s(`${prefix}/axes`, [1]);
    const attributes = [attribute.int("keepdims", 0)];
    const mean = nodeOf("ReduceMean", [value, axes.name ?? ""], { outputs: [output], attributes });
    return { nodes: [mean], initializers: [axes], output };
  }
  const pooled = `${prefix}/pooled`;
  return {
    nodes: [
      nodeOf("GlobalAveragePool", [value], { outputs: [pooled] }),
      nodeOf("Flatten", [pooled], { outputs: [output] }),
    ],
    initializers: [],
    output,
  };
}

/** Scores [batch, classes] of a head; `output` is their name. */
export function scoresPiece(head: ExitHead, prefix: string): Piece {
  const pool = poolPiece(head.value, head.rank, prefix);
  const output = `${prefix}/scores`;
  const [weights, bias] = [`${prefix}/weights`, `${prefix}/bias`];
  return {
    nodes: [...pool.nodes, nodeOf("Gemm", [pool.output, weights, bias], { outputs: [output] })],
    initializers: [
      ...pool.initializers,
      tensorOf("float32", {
        name: weights,
        dims: [head.features, head.classes],
        values: head.weights,
      }),
      tensorOf("float32", { name: bias, dims: [head.classes], values: head.bias }),
    ],
    output,
  };
}

/** Confidence of scores, [batch]. */
export function confidencePiece(scores: string, by: Confidence, prefix: string): Piece {
  const [probabilities, top, output] = [
    `${prefix}/probabilities`,
    `${prefix}/top`,
    `${prefix}/confidence`,
  ];
  const softmax = nodeOf("Softmax", [scores], {
    outputs: [probabilities],
    attributes: [attribute.int("axis", -1)],
  });
  const axes = int64s(`${prefix}/last`, [-1]);
  const dropped = [attribute.int("keepdims", 0)];
  if (by === "max") {
    const most = nodeOf("ReduceMax", [probabilities, axes.name ?? ""], {
      outputs: [output],
      attributes: dropped,
    });
    return { nodes: [softmax, most], initializers: [axes], output };
  }
  const two = int64s(`${prefix}/two`, [2]);
  // The largest times 1 and the second times -1, summed.
  const signs = tensorOf("float32", { name: `${prefix}/signs`, dims: [2, 1], values: [1, -1] });
  const lead = `${prefix}/lead`;
  return {
    nodes: [
      softmax,
      nodeOf("TopK", [probabilities, two.name ?? ""], { outputs: [top, `${top}_places`] }),
      nodeOf("MatMul", [top, signs.name ?? ""], { outputs: [lead] }),
      nodeOf("Squeeze", [lead, axes.name ?? ""], { outputs: [output] }),
    ],
    initializers: [axes, two, signs],
    output,
  };
}
