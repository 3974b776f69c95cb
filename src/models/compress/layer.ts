// The layers of a graph that multiply by a stored matrix or kernel.

import { type Matrix, matrix, transpose } from "../../engine/index.ts";
import {
  attributeOf,
  elementsOf,
  type GraphIndex,
  intOf,
  type Node,
  type Tensor,
  tensorOf,
} from "../../onnx/index.ts";

/** A MatMul, Gemm or Conv of one group with a stored weight. */
export interface Layer {
  /** The node's name, or its output's where it has none. */
  readonly name: string;
  readonly node: Node;
  readonly kind: "matrix" | "convolution";
  readonly weight: Tensor;
  /** Name of the value that the weight is read as. */
  readonly weightName: string;
  /** Input features or channels. */
  readonly inputs: number;
  /** Output features or channels. */
  readonly outputs: number;
  /** Sizes of the kernel's window; none for a matrix. */
  readonly window: readonly number[];
}

/** Why a node that multiplies by something is not a layer here. */
export interface NotALayer {
  readonly name: string;
  readonly node: Node;
  readonly reason: string;
}

export const nameOfNode = (node: Node): string => node.name || (node.outputs[0] ?? node.opType);

/** The layers in order, and the multiplying nodes that are none, with the reason. */
export function layersOf(index: GraphIndex): {
  readonly layers: readonly Layer[];
  readonly others: readonly NotALayer[];
} {
  const layers: Layer[] = [];
  const others: NotALayer[] = [];
  for (const node of index.graph.nodes) {
    if ((node.domain ?? "") !== "" || !["MatMul", "Gemm", "Conv"].includes(node.opType)) continue;
    const found = layerOf(node, index);
    if (typeof found === "string") others.push({ name: nameOfNode(node), node, reason: found });
    else layers.push(found);
  }
  return { layers, others };
}

function layerOf(node: Node, index: GraphIndex): Layer | string {
  const weightName = node.inputs[1] ?? "";
  const weight = index.constant(weightName);
  if (weight === null) return "its weight is computed, not stored";
  if (weight.dataType !== "float32" && weight.dataType !== "float64") {
    return `its weight is ${weight.dataType ?? "of an unknown type"}`;
  }
  if (!(elementsOf(weight) as Float32Array).every(Number.isFinite)) {
    return "its weight has elements that are not finite";
  }
  const users = index.uses(weightName).length;
  if (users > 1) return `its weight is shared by ${users} nodes`;
  const dims = weight.dims.map(Number);
  const [first = 0, second = 0, ...window] = dims;
  const base = { name: nameOfNode(node), node, weight, weightName };
  if (node.opType === "Conv") {
    if (dims.length < 3) return "its kernel has no window";
    const groups = intOf(node, "group", 1);
    if (groups !== 1) return `it has ${groups} groups`;
    return { ...base, kind: "convolution", inputs: second, outputs: first, window };
  }
  if (dims.length !== 2) return `its weight has ${dims.length} axes`;
  if (node.opType === "Gemm" && intOf(node, "transA", 0) !== 0) return "its input is transposed";
  const turned = isTurned(node);
  const [inputs, outputs] = turned ? [second, first] : [first, second];
  return { ...base, kind: "matrix", inputs, outputs, window: [] };
}

/** Whether a Gemm keeps its weight as [outputs, inputs]. */
const isTurned = (node: Node): boolean =>
  node.opType === "Gemm" && attributeOf(node, "transB") !== null && intOf(node, "transB", 0) !== 0;

/** The weight as doubles in its own layout. */
export const weightsOf = ({ weight }: Layer): Float64Array =>
  Float64Array.from(elementsOf(weight) as Float32Array);

/** The weight as a matrix [inputs x window, outputs]: a row of the input times it is a row of the output. */
export function matrixOf(layer: Layer): Matrix {
  const { kind, node, inputs, outputs, window } = layer;
  const rows = window.reduce((product, size) => product * size, inputs);
  const data = weightsOf(layer);
  return kind === "convolution" || isTurned(node)
    ? transpose(matrix(outputs, rows, data))
    : matrix(rows, outputs, data);
}

/** The weight tensor of another matrix [inputs x window, outputs], in the layer's own layout. */
export function tensorOfMatrix(layer: Layer, weights: Matrix): Tensor {
  const turned = layer.kind === "convolution" || isTurned(layer.node);
  const { data } = turned ? transpose(weights) : weights;
  const { dims, dataType, name = layer.weightName } = layer.weight;
  return tensorOf(dataType ?? "float32", { name, dims, values: data });
}
