// The way back from a model that was trained with weights on their grids: floats that are quantised in every
// run become stored integers, with the biases that belong to them.

import {
  attribute,
  elementsOf,
  freshNames,
  type GraphIndex,
  indexGraph,
  intOf,
  type Node,
  namesIn,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import { nodeOf } from "../node-of.ts";
import type { Change, Pass } from "../pass.ts";
import { withoutDeadCode } from "../simplify/dead-code.ts";
import { labelOf } from "../simplify/label.ts";
import { integerBias } from "./emit-qdq.ts";
import { roundHalfToEven } from "./grid.ts";
import { channelIn } from "./quantised-weight.ts";

const NAME = "store-integers";

/** Stores weights and biases as the integers that they stand for. Only biases are rounded by it. */
export const storeIntegers: Pass = {
  name: NAME,
  fidelity: "approximate",
  async apply(model) {
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const index = indexGraph(graph);
    const writer: Writer = {
      index,
      fresh: freshNames(namesIn(graph)),
      stored: [],
      levels: new Map(),
    };
    const changes: Change[] = [];
    const nodes = graph.nodes.flatMap((node): readonly Node[] => {
      const levels = node.opType === "QuantizeLinear" ? levelsOf(node, index) : null;
      if (levels !== null) {
        const [name = ""] = node.inputs;
        writer.levels.set(node.outputs[0] ?? "", store(`${name}/int8`, levels, writer));
        changes.push({ pass: NAME, subject: name, what: "stored as 8-bit integers" });
        return [];
      }
      const inputs = node.inputs.map((input) => writer.levels.get(input) ?? input);
      return withIntegerBias({ ...node, inputs }, writer);
    });
    if (changes.length === 0) return { model, changes, refused: [] };
    const initializers = [...graph.initializers, ...writer.stored];
    return {
      model: { ...model, graph: withoutDeadCode({ ...graph, nodes, initializers }) },
      changes,
      refused: [],
    };
  },
};

interface Writer {
  readonly index: GraphIndex;
  readonly fresh: (wanted: string) => string;
  readonly stored: Tensor[];
  /** Names of stored levels, by the value that was computed before. */
  readonly levels: Map<string, string>;
}

function store(wanted: string, tensor: Tensor, { fresh, stored }: Writer): string {
  const name = fresh(wanted);
  stored.push({ ...tensor, name });
  return name;
}

const floatsOf = (index: GraphIndex, name: string): Float32Array | null => {
  const tensor = index.constant(name);
  const elements = tensor === null ? null : elementsOf(tensor);
  return elements instanceof Float32Array ? elements : null;
};

/** The levels of a stored weight; null where the node quantises something else. */
function levelsOf(node: Node, index: GraphIndex): Tensor | null {
  const [name = "", scaleName = ""] = node.inputs;
  const [weight, scales] = [floatsOf(index, name), floatsOf(index, scaleName)];
  const dims = index.constant(name)?.dims.map(Number);
  if (weight === null || scales === null || dims === undefined) return null;
  const axis = scales.length === 1 ? null : intOf(node, "axis", 1);
  const channelOf = channelIn(dims, axis);
  const values = new Int8Array(weight.length);
  for (let at = 0; at < weight.length; at++) {
    const level = roundHalfToEven((weight[at] ?? 0) / (scales[channelOf(at)] ?? 1));
    values[at] = Math.min(127, Math.max(-128, level));
  }
  return tensorOf("int8", { dims, values });
}

/** The node with its bias in 32-bit integers, where input and weight are in 8 bits. */
function withIntegerBias(node: Node, writer: Writer): readonly Node[] {
  const { index } = writer;
  const [input = "", weight = "", biasName = ""] = node.inputs;
  const bias = /^(Conv|Gemm)$/.test(node.opType) ? floatsOf(index, biasName) : null;
  const [first, second] = [index.producer(input), index.producer(weight)];
  const isQuantised = first?.opType === "DequantizeLinear" && second?.opType === "DequantizeLinear";
  const step = isQuantised ? floatsOf(index, first.inputs[1] ?? "") : null;
  const scales = isQuantised ? floatsOf(index, second.inputs[1] ?? "") : null;
  if (bias === null || step?.length !== 1 || scales === null) return [node];
  const { integers, steps } = integerBias(bias, scales, step[0] ?? 1);
  const output = writer.fresh(`${labelOf(node)}/bias`);
  const inputs = [
    store(`${biasName}/int32`, integers, writer),
    store(`${biasName}/scale`, steps, writer),
  ];
  const attributes = steps.dims.length === 0 ? [] : [attribute.int("axis", 0)];
  return [
    nodeOf("DequantizeLinear", inputs, { outputs: [output], attributes }),
    { ...node, inputs: [input, weight, output] },
  ];
}
