// The nodes that take a layer's place. Names hang on the layer's output, which no other node has.

import {
  attribute,
  type Node,
  type Tensor,
  tensorOf,
  withAttributes,
  withoutAttributes,
} from "../../../onnx/index.ts";
import { type Layer, nameOfNode } from "../layer.ts";
import type { DenseTensor } from "./unfold.ts";

/** One step of a chain: a stored weight, in the layer's element type, and the node that reads it. */
export interface Link {
  readonly node: Node;
  readonly initializer: Tensor;
}

/** Starts a chain of `total` links. */
export function chainOf(layer: Layer, total: number) {
  const output = layer.node.outputs[0] ?? "";
  const stem = nameOfNode(layer.node);
  const between = (step: number): string =>
    step === total - 1 ? output : `${output}/factor${step + 1}`;
  const inputOf = (step: number): string =>
    step === 0 ? (layer.node.inputs[0] ?? "") : between(step - 1);
  const store = (step: number, { dims, data }: DenseTensor): Tensor =>
    tensorOf(layer.weight.dataType ?? "float32", {
      name: `${output}/factor${step + 1}/weight`,
      dims,
      values: data,
    });

  /** A link that multiplies or convolves; only the last takes the layer's bias. */
  const link = (step: number, weight: DenseTensor, shape: Node): Link => {
    const initializer = store(step, weight);
    const bias = step === total - 1 ? layer.node.inputs.slice(2) : [];
    return {
      initializer,
      node: {
        ...shape,
        name: `${stem}/factor${step + 1}`,
        inputs: [inputOf(step), initializer.name ?? "", ...bias],
        outputs: [between(step)],
      },
    };
  };
  return {
    /** A matrix [inputs, outputs]; the last one of a Gemm stays a Gemm, with its alpha, beta and bias. */
    matrix(step: number, weight: DenseTensor): Link {
      const last = step === total - 1 && layer.node.opType === "Gemm";
      const plain: Node = { ...layer.node, opType: "MatMul", attributes: [] };
      return link(step, weight, last ? withoutAttributes(layer.node, "transB") : plain);
    },
    /** A convolution of one position. */
    pointwise(step: number, weight: DenseTensor): Link {
      const ones = layer.window.map(() => 1);
      const shape = withoutAttributes(layer.node, "auto_pad", "pads", "strides", "dilations");
      return link(step, weight, withAttributes(shape, [attribute.ints("kernel_shape", ones)]));
    },
    /** A convolution with these attributes of the layer's, along the axes that are kept. */
    window(step: number, weight: DenseTensor, window: WindowAttributes): Link {
      const shape = withoutAttributes(layer.node, "auto_pad", "pads", "strides", "dilations");
      return link(
        step,
        weight,
        withAttributes(shape, [
          attribute.ints("kernel_shape", window.kernel),
          attribute.ints("pads", window.pads),
          attribute.ints("strides", window.strides),
          attribute.ints("dilations", window.dilations),
          attribute.int("group", window.group ?? 1),
        ]),
      );
    },
    /** The layer's own convolution with fewer channels. */
    inner: (step: number, weight: DenseTensor): Link => link(step, weight, layer.node),
  };
}

export interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly pads: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly group?: number;
}
