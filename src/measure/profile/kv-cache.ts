// The keys and values that a decoder keeps from token to token: inputs that come back longer as outputs.

import {
  addSizes,
  type Graph,
  type GraphShapes,
  type Node,
  type Size,
  typeOfValue,
} from "../../onnx/index.ts";
import { bytesOf } from "./site.ts";

export interface KeyValueCache {
  /** Bytes after the step, all layers. */
  readonly bytes: Size;
  /** Bytes that one more token adds to each sequence of the batch, all of the batch. */
  readonly bytesPerToken: Size;
  /** Tensors that carry it. */
  readonly tensors: number;
}

/** Inputs that hold the past, and the axis of the tokens in them, by operator. */
const PASTS: Readonly<
  Record<string, { readonly inputs: readonly number[]; readonly axis: number }>
> = {
  "com.microsoft.Attention": { inputs: [4], axis: 3 },
  "com.microsoft.QAttention": { inputs: [8], axis: 3 },
  "com.microsoft.MultiHeadAttention": { inputs: [6, 7], axis: 2 },
  "com.microsoft.DecoderMaskedMultiHeadAttention": { inputs: [5, 6], axis: 2 },
  "com.microsoft.GroupQueryAttention": { inputs: [3, 4], axis: 2 },
  Attention: { inputs: [4, 5], axis: 2 },
};

/** The cache of a decoder; null for a model that keeps none. */
export function keyValueCache(graph: Graph, shapes: GraphShapes): KeyValueCache | null {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  let bytes: Size = 0;
  let bytesPerToken: Size = 0;
  let tensors = 0;
  for (const node of graph.nodes) {
    for (const { value, axis } of presents(node, inputs, outputs)) {
      const type = typeOfValue(shapes, value);
      const size = bytesOf(type);
      if (type?.kind !== "tensor" || type.shape === null || size === null) continue;
      const length = type.shape[axis];
      const one = bytesOf({ ...type, shape: type.shape.with(axis, 1) });
      if (length === undefined || one === null) continue;
      bytes = addSizes(bytes, size);
      bytesPerToken = addSizes(bytesPerToken, one);
      tensors++;
    }
  }
  return tensors === 0 ? null : { bytes, bytesPerToken, tensors };
}

/** What a node gives back of a past that came in: outputs of attention, or of a Concat with an input. */
function presents(
  node: Node,
  inputs: ReadonlySet<string>,
  outputs: ReadonlySet<string>,
): readonly { readonly value: string; readonly axis: number }[] {
  const domain = node.domain ?? "";
  const past = PASTS[domain === "" ? node.opType : `${domain}.${node.opType}`];
  if (past !== undefined) {
    const given = past.inputs.some((index) => inputs.has(node.inputs[index] ?? ""));
    return given
      ? past.inputs.flatMap((_, index) => {
          const value = node.outputs[index + 1] ?? "";
          return value === "" ? [] : [{ value, axis: past.axis }];
        })
      : [];
  }
  const [first = "", ...rest] = node.inputs;
  const [value = ""] = node.outputs;
  if (node.opType !== "Concat" || rest.length !== 1) return [];
  // [batch, heads, tokens, size]: any other cache, such as one of a convolution, does not grow.
  return inputs.has(first) && outputs.has(value) ? [{ value, axis: 2 }] : [];
}
