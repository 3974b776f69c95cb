// Which nodes compute in 8 bits. ONNX Runtime does so where it finds its operator between a
// DequantizeLinear and a QuantizeLinear; around any other operator they only cost time. The table was
// read from the graphs that ONNX Runtime 1.30 really runs (`int8-operators.test.ts` reads it again).

import {
  canonicalDomain,
  elementsOf,
  floatOf,
  type GraphIndex,
  indexGraph,
  inferShapes,
  intOf,
  type Model,
  type Node,
  textOf,
} from "../../../onnx/index.ts";
import { labelOf } from "../simplify/label.ts";

/** Operators with a weight: they are what 8 bits make cheaper. */
const WEIGHTED = new Set(["Conv", "Gemm", "MatMul"]);

/** Operators that ONNX Runtime computes on 8 bits with grids of their own. */
const CARRIERS = new Set([
  ...["Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid"],
]);

/** Operators that only move or choose elements, on whatever grid they are. */
const PASSING = new Set([
  ...["MaxPool", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather"],
  ...["Resize", "DepthToSpace"],
]);

/** A node that computes in 8 bits. */
export interface Member {
  readonly node: Node;
  /** First output of the node, by which members are told apart. */
  readonly key: string;
  /**
   * A gate is a HardSigmoid, clip(alpha x + beta, 0, 1): to put x on a grid of steps 1 / (255 alpha)
   * with zero at 255 beta does all of that, the clipping too.
   */
  readonly kind: "weighted" | "carrier" | "gate" | "passing";
  /** Activations that it reads in 8 bits. */
  readonly inputs: readonly string[];
  /** The value that comes out, behind an activation that the grid makes superfluous. */
  readonly result: string;
  /** Whether the result is in 8 bits; matrix products may as well give floats. */
  readonly quantisesResult: boolean;
  readonly tail: Tail | null;
}

/** What stands between a node and its result, and which the way into 8 bits takes over. */
interface Tail {
  /** A Relu, which ONNX Runtime drops, or an Add of one number, which moves the zero point. */
  readonly node: Node;
  /** The number that is added; null for a Relu. */
  readonly summand: number | null;
}

export interface PlacementOptions {
  /** Nodes that stay in floats, by name or first output. */
  readonly keepFloat?: ReadonlySet<string>;
  /** Whether products of two activations are computed in 8 bits, as attention has them. Default: false. */
  readonly activationProducts?: boolean;
  /** Products, by key, whose result must be in 8 bits; see `productsTakenApart`. */
  readonly closedProducts?: ReadonlySet<string>;
  /** Members, by key, whose summand does not fit into the zero point. */
  readonly keepSummand?: ReadonlySet<string>;
}

/** The nodes that compute in 8 bits, by key, in the order of the graph. */
export function placeMembers(
  model: Model,
  options: PlacementOptions = {},
): ReadonlyMap<string, Member> {
  const { graph } = model;
  if (graph === undefined) return new Map();
  const index = indexGraph(graph);
  const keep = options.keepFloat ?? new Set();
  const candidates = graph.nodes.flatMap((node): Member[] => {
    if (canonicalDomain(node.domain) !== "" || isKept(node, keep)) return [];
    const member = candidateOf(node, index, options);
    return member === null ? [] : [member];
  });
  return settled(candidates, options.closedProducts ?? new Set());
}

/**
 * Products, by key, that ONNX Runtime makes a Gemm of floats together with the bias behind them, which
 * it does where all sizes are known. A result in 8 bits keeps the two apart.
 */
export function productsTakenApart(model: Model): ReadonlySet<string> {
  const { graph } = model;
  if (graph === undefined) return new Set();
  const { values } = inferShapes(model).graph;
  const index = indexGraph(graph);
  const isApart = ({ opType, inputs, outputs }: Node): boolean => {
    if (opType !== "MatMul") return false;
    const type = values.get(inputs[0] ?? "");
    const shape = type?.kind === "tensor" ? type.shape : null;
    if (!shape?.every((size) => typeof size === "number")) return false;
    const [use, ...others] = index.uses(outputs[0] ?? "");
    if (use?.node.opType !== "Add" || others.length > 0) return false;
    return use.node.inputs.some((input) => index.constant(input) !== null);
  };
  return new Set(graph.nodes.filter(isApart).map(({ outputs }) => outputs[0] ?? ""));
}

const isKept = (node: Node, keep: ReadonlySet<string>): boolean =>
  keep.has(labelOf(node)) || keep.has(node.outputs[0] ?? "");

function candidateOf(node: Node, index: GraphIndex, options: PlacementOptions): Member | null {
  const [key = ""] = node.outputs;
  const activations = node.inputs.filter((input) => input !== "" && index.constant(input) === null);
  const tail = tailOf(key, index, options.keepSummand?.has(key) ?? false);
  const base = { node, key, tail, result: tail?.node.outputs[0] ?? key, quantisesResult: true };
  if (WEIGHTED.has(node.opType)) {
    if (hasFixedWeight(node, index)) return { ...base, kind: "weighted", inputs: activations };
    const isProduct = node.opType === "MatMul" && activations.length === 2;
    return isProduct && options.activationProducts
      ? { ...base, kind: "carrier", inputs: activations }
      : null;
  }
  if (CARRIERS.has(node.opType)) {
    // A constant operand has no grid from calibration.
    if (activations.length !== node.inputs.length || node.outputs.length !== 1) return null;
    return { ...base, kind: "carrier", inputs: activations };
  }
  if (node.opType === "HardSigmoid") {
    return isGate(node)
      ? { ...base, tail: null, result: key, kind: "gate", inputs: activations }
      : null;
  }
  if (!PASSING.has(node.opType) || node.outputs.length !== 1) return null;
  if (node.opType === "Resize" && textOf(node, "mode", "nearest") !== "nearest") return null;
  const [input = ""] = node.inputs;
  if (index.constant(input) !== null) return null;
  return { ...base, tail: null, result: key, kind: "passing", inputs: [input] };
}

/** Whether weight and bias are stored floats, and the node is one that ONNX Runtime has in 8 bits. */
function hasFixedWeight(node: Node, index: GraphIndex): boolean {
  const [input = "", weightName = "", biasName = ""] = node.inputs;
  const weight = index.constant(weightName);
  const bias = biasName === "" ? null : index.constant(biasName);
  if (weight?.dataType !== "float32" || index.constant(input) !== null) return false;
  if (biasName !== "" && bias?.dataType !== "float32") return false;
  if (node.opType === "MatMul") return weight.dims.length === 2;
  if (node.opType !== "Gemm") return true;
  const plain = floatOf(node, "alpha", 1) === 1 && floatOf(node, "beta", 1) === 1;
  const columns = weight.dims[intOf(node, "transB", 0) === 0 ? 1 : 0];
  const fits = bias === null || bias.dims.reduce((product, size) => product * size, 1n) === columns;
  return plain && intOf(node, "transA", 0) === 0 && fits;
}

/** Whether 255 beta is a level, as it must be to be a zero point. */
function isGate(node: Node): boolean {
  const [alpha, beta] = [floatOf(node, "alpha", 0.2), floatOf(node, "beta", 0.5)];
  return alpha > 0 && beta >= 0 && beta <= 1;
}

/**
 * The Relu that alone reads a value: a grid whose least level stands for 0 does its work. Or the Add of
 * one number.
 */
function tailOf(value: string, index: GraphIndex, keepSummand: boolean): Tail | null {
  const [use, ...others] = index.uses(value);
  if (use === undefined || others.length > 0 || index.isOutput(value)) return null;
  const { node } = use;
  if (node.opType === "Relu") return { node, summand: null };
  if (node.opType !== "Add" || keepSummand) return null;
  const constant = index.constant(node.inputs.find((input) => input !== value) ?? "");
  if (constant?.dataType !== "float32" || constant.dims.some((size) => size !== 1n)) return null;
  // More axes than the value has would give it more.
  if (constant.dims.length > 1) return null;
  return { node, summand: Number(elementsOf(constant)[0]) };
}

/**
 * What is left of the candidates: carriers and passing nodes only between others, since on their own
 * they would not pay for the way into 8 bits and back; matrix products give 8 bits only where another
 * node reads them.
 */
function settled(
  candidates: readonly Member[],
  closed: ReadonlySet<string>,
): ReadonlyMap<string, Member> {
  let members = new Map(candidates.map((member) => [member.key, member]));
  for (;;) {
    const made = new Set<string>();
    const read = new Set<string>();
    for (const { inputs } of members.values()) for (const input of inputs) read.add(input);
    for (const { node, key, result } of members.values()) {
      const mayGiveFloats = /^(MatMul|Gemm)$/.test(node.opType) && !closed.has(key);
      if (!mayGiveFloats || read.has(result)) made.add(result);
    }
    const kept = [...members.values()].filter(({ kind, inputs, result, node }) => {
      if (kind === "weighted") return true;
      const isProduct = node.opType === "MatMul";
      return (isProduct || inputs.every((input) => made.has(input))) && read.has(result);
    });
    if (kept.length < members.size) {
      members = new Map(kept.map((member) => [member.key, member]));
      continue;
    }
    return new Map(
      kept.map((member) => [member.key, { ...member, quantisesResult: made.has(member.result) }]),
    );
  }
}
