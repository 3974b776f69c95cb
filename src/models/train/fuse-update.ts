// The plain update inside the product that makes the gradient: a Gemm adds beta C, so that
// p - rate x^T dy takes one pass over the weights in place of three, and one over the smaller operand.

import {
  freshNames,
  type GraphIndex,
  indexGraph,
  inferShapes,
  intOf,
  type Model,
  type Node,
  namesIn,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";

/** A gradient product, what it is multiplied with and what it is taken from. */
interface Update {
  readonly product: Node;
  readonly rate: string;
  readonly parameter: string;
  readonly scaled: Node;
  /** Which operand of the product is multiplied with the rate. */
  readonly operand: 0 | 1;
}

/**
 * The model with `p - rate (a b)` as one Gemm wherever the gradient `a b` is a Gemm that nothing else
 * reads and its operands are smaller than the weights.
 */
export function withFusedUpdates(model: Model): Model {
  const graph = graphOf(model);
  const index = indexGraph(graph);
  const { values } = inferShapes(model).graph;
  const sizesOf = (value: string): readonly number[] => {
    const type = values.get(value);
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    return shape.map((size) => (typeof size === "number" ? size : Number.POSITIVE_INFINITY));
  };
  const updates = new Map(
    graph.nodes.flatMap((node) => {
      const update = updateOf(node, index, sizesOf);
      return update === null ? [] : [[node, update] as const];
    }),
  );
  const gone = new Set([...updates.values()].flatMap(({ product, scaled }) => [product, scaled]));
  const fresh = freshNames(namesIn(graph));
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const update = updates.get(node);
    if (update !== undefined) return fused(node, update, fresh);
    return gone.has(node) ? [] : [node];
  });
  return { ...model, graph: { ...graph, nodes } };
}

function updateOf(
  node: Node,
  index: GraphIndex,
  sizesOf: (value: string) => readonly number[],
): Update | null {
  if (node.opType !== "Sub") return null;
  const [parameter = "", step = ""] = node.inputs;
  const scaled = index.producer(step);
  if (scaled?.opType !== "Mul" || index.uses(step).length !== 1) return null;
  const [gradient = "", rate = ""] = scaled.inputs;
  const product = index.producer(gradient);
  const isBare =
    product?.opType === "Gemm" &&
    product.inputs.length === 2 &&
    product.attributes.every(({ name }) => name === "transA" || name === "transB");
  if (!isBare || index.uses(gradient).length !== 1 || index.isOutput(gradient)) return null;
  if (sizesOf(rate).length > 0) return null;
  const weights = sizesOf(parameter);
  const operands = product.inputs.map((value) => countOf(sizesOf(value)));
  const operand = (operands[0] ?? 0) < (operands[1] ?? 0) ? 0 : 1;
  const fits = String(sizesOf(gradient)) === String(weights);
  if (!fits || (operands[operand] ?? 0) >= countOf(weights)) return null;
  return { product, rate, parameter, scaled, operand };
}

const countOf = (sizes: readonly number[]): number =>
  sizes.reduce((total, size) => total * size, 1);

function fused(node: Node, of: Update, fresh: (wanted: string) => string): readonly Node[] {
  const { product, rate, parameter, operand } = of;
  const value = product.inputs[operand] ?? "";
  const made = (opType: string, inputs: readonly string[], output: string): Node => ({
    ...{ opType, name: output, inputs, outputs: [output], attributes: [], metadata: [] },
  });
  const minus = fresh(`${value}/minus`);
  const moved = fresh(`${value}/step`);
  const inputs = product.inputs.map((input, at) => (at === operand ? moved : input));
  const ints = (["transA", "transB"] as const).map((name) => ({
    ...{ name, kind: "int" as const, value: BigInt(intOf(product, name, 0)) },
  }));
  return [
    made("Neg", [rate], minus),
    made("Mul", [value, minus], moved),
    { ...node, opType: "Gemm", inputs: [...inputs, parameter], attributes: ints },
  ];
}
