// Dynamic quantisation: weights in 8 bits, activations put on a grid of their own in every run. It needs
// no calibration and is what pays for matrix products of transformers; convolutions get slower by it,
// so they are left alone.

import { UserError } from "../../../core/index.ts";
import {
  attribute,
  canonicalDomain,
  DATA_TYPES,
  elementsOf,
  floatOf,
  freshNames,
  type GraphIndex,
  indexGraph,
  intOf,
  type Model,
  type Node,
  namesIn,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import { nodeOf } from "../node-of.ts";
import type { Change, Pass, Refusal } from "../pass.ts";
import { withoutDeadCode } from "../simplify/dead-code.ts";
import { labelOf } from "../simplify/label.ts";
import { INT8_REDUCED, INT8_SYMMETRIC } from "./grid.ts";
import { type QuantisedWeight, quantiseWeight } from "./quantised-weight.ts";

export interface DynamicOptions {
  /** Whether each output channel of a weight has a grid of its own. Default: true. */
  readonly perChannel?: boolean;
  /** Whether weights use 7 bits, for processors without VNNI. Default: false. */
  readonly reduceRange?: boolean;
  /** Nodes that stay in floats, by name or by first output. */
  readonly keepFloat?: readonly string[];
}

/**
 * MatMul and Gemm with stored weights compute in 8 bits. The grid of an activation spans the whole
 * tensor, so what else is in a batch changes results slightly.
 */
export const quantiseDynamic: Pass<DynamicOptions | undefined> = {
  name: "quantise-dynamic",
  fidelity: "approximate",
  async apply(model, _context, options = {}) {
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    requireOpset(model);
    const index = indexGraph(graph);
    const writer: Writer = { ...newWriter(model), index, options };
    const changes: Change[] = [];
    const refused: Refusal[] = [];
    const keep = new Set(options.keepFloat ?? []);
    const nodes = graph.nodes.flatMap((node): readonly Node[] => {
      if (!WITH_WEIGHTS.has(node.opType) || canonicalDomain(node.domain) !== "") return [node];
      const subject = labelOf(node);
      const kept = keep.has(subject) || keep.has(node.outputs[0] ?? "");
      const reason = kept ? "it was asked to stay in floats" : whyNot(node, index);
      if (reason !== null) {
        refused.push({ pass: "quantise-dynamic", subject, reason });
        return [node];
      }
      changes.push({ pass: "quantise-dynamic", subject, what: `${node.opType} in 8 bits` });
      return integerProduct(node, writer);
    });
    if (changes.length === 0 && refused.length === 0) {
      const reason = "no node of its main graph has weights; those of sub-graphs are left alone";
      refused.push({ pass: "quantise-dynamic", subject: graph.name || "the model", reason });
    }
    if (changes.length === 0) return { model, changes, refused };
    const initializers = [...graph.initializers, ...writer.stored];
    const quantised = withoutDeadCode({ ...graph, nodes, initializers });
    return { model: { ...model, graph: quantised }, changes, refused };
  },
};

const WITH_WEIGHTS = new Set(["MatMul", "Gemm", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN"]);

/** The opset that brought DynamicQuantizeLinear. */
const LEAST_OPSET = 11n;

function requireOpset({ opsetImports }: Model): void {
  const version = opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 0n;
  if (version >= LEAST_OPSET) return;
  throw new UserError("unsupported", `opset ${version} knows no DynamicQuantizeLinear`, {
    hint: "Simplify the model first: that brings it to a newer opset.",
  });
}

/** Why a node stays in floats; null where it need not. */
function whyNot(node: Node, index: GraphIndex): string | null {
  if (node.opType !== "MatMul" && node.opType !== "Gemm") {
    return `${node.opType} is no faster with grids of every run`;
  }
  const [input = "", name = ""] = node.inputs;
  const weight = index.constant(name);
  if (weight === null) return "both operands are computed";
  if (weight.dataType !== "float32") return `its weight is of type ${weight.dataType}`;
  if (weight.dims.length !== 2) return `its weight has ${weight.dims.length} axes`;
  if (index.constant(input) !== null) return "its input is stored";
  if (node.opType === "MatMul") return null;
  const plain = floatOf(node, "alpha", 1) === 1 && floatOf(node, "beta", 1) === 1;
  return plain && intOf(node, "transA", 0) === 0 ? null : "it scales or transposes its input";
}

interface Writer {
  readonly fresh: (wanted: string) => string;
  readonly stored: Tensor[];
  /** Names of levels, step and zero of activations that several products read. */
  readonly activations: Map<string, readonly [string, string, string]>;
  readonly weights: Map<string, readonly [string, string, string]>;
  readonly index: GraphIndex;
  readonly options: DynamicOptions;
}

function newWriter(model: Model) {
  const taken = model.graph === undefined ? new Set<string>() : namesIn(model.graph);
  return { fresh: freshNames(taken), stored: [], activations: new Map(), weights: new Map() };
}

/** The product on levels, scaled back, in the form that ONNX Runtime fuses into one node. */
function integerProduct(node: Node, writer: Writer): readonly Node[] {
  const [input = "", weightName = "", bias = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const nodes: Node[] = [];
  const [levels, step, zero] = activationOf(input, writer, nodes);
  const [weight, weightStep, weightZero] = weightOf(node, weightName, writer);
  const value = (of: string): string => writer.fresh(`${output}/${of}`);
  const [product, floats, scale] = [value("int32"), value("floats"), value("scale")];
  const scaled = bias === "" ? output : value("scaled");
  nodes.push(
    nodeOf("MatMulInteger", [levels, weight, zero, weightZero], {
      name: node.name || output,
      outputs: [product],
    }),
    nodeOf("Cast", [product], {
      outputs: [floats],
      attributes: [attribute.int("to", DATA_TYPES.float32)],
    }),
    nodeOf("Mul", [step, weightStep], { outputs: [scale] }),
    // The product has the node's name, so what ends in the node's output needs another.
    nodeOf("Mul", [floats, scale], { outputs: [scaled], name: value("scaling") }),
  );
  if (bias === "") return nodes;
  return [...nodes, nodeOf("Add", [scaled, bias], { outputs: [output], name: value("sum") })];
}

function activationOf(input: string, writer: Writer, nodes: Node[]) {
  const known = writer.activations.get(input);
  if (known !== undefined) return known;
  const names = ["levels", "step", "zero"].map((of) => writer.fresh(`${input}/${of}`));
  const [levels = "", step = "", zero = ""] = names;
  nodes.push(nodeOf("DynamicQuantizeLinear", [input], { outputs: [levels, step, zero] }));
  const made = [levels, step, zero] as const;
  writer.activations.set(input, made);
  return made;
}

/** Stored levels [K, N], steps and zeros of a weight. */
function weightOf(node: Node, name: string, writer: Writer) {
  const turned = node.opType === "Gemm" && intOf(node, "transB", 0) !== 0;
  const key = `${name} ${turned}`;
  const known = writer.weights.get(key);
  if (known !== undefined) return known;
  const { dims, values, scales, axis } = quantised(name, turned, writer);
  const store = (wanted: string, tensor: Tensor): string => {
    const free = writer.fresh(`${name}/${wanted}`);
    writer.stored.push({ ...tensor, name: free });
    return free;
  };
  const shape = axis === null ? [] : [scales.length];
  const made = [
    store("int8", tensorOf("int8", { dims, values })),
    store("step", tensorOf("float32", { dims: shape, values: scales })),
    store("zero", tensorOf("int8", { dims: shape, values: new Int8Array(scales.length) })),
  ] as const;
  writer.weights.set(key, made);
  return made;
}

function quantised(name: string, turned: boolean, { index, options }: Writer): QuantisedWeight {
  const tensor = index.constant(name);
  const elements = tensor === null ? null : elementsOf(tensor);
  if (tensor === null || !(elements instanceof Float32Array)) {
    throw new TypeError(`"${name}" is no stored float`);
  }
  const [rows = 0, columns = 0] = tensor.dims.map(Number);
  const weight = turned
    ? { dims: [columns, rows], values: transposed(elements, rows, columns) }
    : { dims: [rows, columns], values: elements };
  const levels = options.reduceRange ? INT8_REDUCED : INT8_SYMMETRIC;
  return quantiseWeight(weight, { levels, axis: (options.perChannel ?? true) ? 1 : null });
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return result;
}
