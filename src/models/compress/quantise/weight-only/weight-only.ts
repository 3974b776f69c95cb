// Weights in 4 or 8 bits, activations in floats: for size, and for products of single rows that wait for
// memory. Batches are faster with activations in 8 bits too.

import { UserError } from "../../../../core/index.ts";
import { type Matrix, matrix, transpose } from "../../../../engine/index.ts";
import {
  attribute,
  freshNames,
  type Graph,
  indexGraph,
  type Model,
  type Node,
  namesIn,
  type Tensor,
} from "../../../../onnx/index.ts";
import { type Layer, layersOf, matrixOf } from "../../layer.ts";
import { nodeOf } from "../../node-of.ts";
import type { Change, Pass, PassContext, Refusal } from "../../pass.ts";
import { withoutDeadCode } from "../../simplify/dead-code.ts";
import { collectMoments, type Moments, type Watched } from "../../statistics.ts";
import { scaleForFormat } from "./awq.ts";
import { type BlockFormat, type BlockWeight, gridOfBlock, levelOf } from "./blocks.ts";
import { gptq } from "./gptq.ts";
import { halfQuadratic } from "./hqq.ts";
import { roundToNearest } from "./nearest.ts";
import { packBlocks } from "./pack.ts";

export interface WeightOnlyOptions {
  /** Default: 4. */
  readonly bits?: 4 | 8;
  /** Inputs that share a step: a power of 2 from 16 on. Default: 32. */
  readonly blockSize?: number;
  /** `gptq` and `awq` look at calibration inputs. Default: rtn. */
  readonly method?: "rtn" | "hqq" | "gptq" | "awq";
  /** Whether zero lies in the middle of the levels. Default: true; hqq never. */
  readonly symmetric?: boolean;
  /** Whether gptq takes inputs by falling second moment. Default: false. */
  readonly actOrder?: boolean;
  /**
   * What ONNX Runtime multiplies in: 4 is 8-bit activations by block, the only fast one on CPUs, which
   * moves results a little more; 0 and 1 are floats. Default: 4.
   */
  readonly accuracyLevel?: 0 | 1 | 4;
  /** Nodes that stay in floats, by name or by first output. */
  readonly keepFloat?: readonly string[];
}

const NAME = "quantise-weights";

export const quantiseWeights: Pass<WeightOnlyOptions | undefined> = {
  name: NAME,
  fidelity: "approximate",
  async apply(before, context, options = {}) {
    const format = formatOf(options);
    const model =
      options.method === "awq" ? await scaled(before, format, context, options) : before;
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const { chosen, refused } = chooseLayers(graph, options);
    const needs = options.method === "gptq" || options.method === "awq";
    const moments = needs ? await momentsFor(model, chosen, context, options) : null;
    const writer = writerFor(graph);
    const changes: Change[] = [];
    const replaced = new Map<Node, Node>();
    for (const layer of chosen) {
      context.signal?.throwIfAborted();
      const known = moments?.get(layer.name);
      if (moments !== null && known === undefined) {
        refused.push(refusal(layer.name, "the sizes of its inputs are not known"));
        continue;
      }
      const weight = blockWeight(layer, format, options, known ?? null);
      replaced.set(layer.node, productNode(layer, weight, options, writer));
      const what = `weight in ${format.bits} bits, blocks of ${format.blockSize}`;
      changes.push({ pass: NAME, subject: layer.name, what });
    }
    if (changes.length === 0 && refused.length === 0) {
      refused.push(refusal(graph.name || "the model", "no product of its main graph has a weight"));
    }
    if (changes.length === 0) return { model, changes, refused };
    return { model: withProducts(model, graph, replaced, writer), changes, refused };
  },
};

function formatOf(options: WeightOnlyOptions): BlockFormat {
  const { bits = 4, blockSize = 32, symmetric = true } = options;
  if (blockSize >= 16 && Number.isInteger(Math.log2(blockSize))) {
    return { bits, blockSize, symmetric: options.method === "hqq" ? false : symmetric };
  }
  throw new UserError("invalid-input", `blocks of ${blockSize} inputs have no kernel`, {
    hint: "Use 16, 32, 64, 128 or 256.",
  });
}

const refusal = (subject: string, reason: string): Refusal => ({ pass: NAME, subject, reason });

/** MatMul and plain Gemm with stored weights; all others with the reason. */
function chooseLayers(graph: Graph, { keepFloat = [] }: WeightOnlyOptions) {
  const index = indexGraph(graph);
  const { layers, others } = layersOf(index);
  const keep = new Set(keepFloat);
  const refused = others.map(({ name, reason }) => refusal(name, reason));
  const chosen = layers.filter(({ name, node, kind, outputs }) => {
    const bias = index.constant(node.inputs[2] ?? "");
    const reason =
      keep.has(name) || keep.has(node.outputs[0] ?? "")
        ? "it was asked to stay in floats"
        : kind === "convolution"
          ? "convolutions have no kernel for blocks"
          : node.opType === "Gemm" && !isPlain(node)
            ? "it scales its input or bias"
            : (node.inputs[2] ?? "") !== "" && !isRow(bias, outputs)
              ? "its bias is not stored as one number for each output"
              : null;
    if (reason !== null) refused.push(refusal(name, reason));
    return reason === null;
  });
  return { chosen, refused };
}

/** Whether a bias has an element for each output, and no other axis than theirs is longer than 1. */
const isRow = (bias: Tensor | null, outputs: number): boolean =>
  bias !== null &&
  Number(bias.dims.at(-1)) === outputs &&
  bias.dims.slice(0, -1).every((size) => Number(size) === 1);

const isPlain = ({ attributes }: Node): boolean =>
  attributes.every(
    ({ name, kind, value }) => kind !== "float" || !/^(alpha|beta)$/.test(name) || value === 1,
  );

/** The model with the inputs of its layers scaled for the format. */
async function scaled(
  model: Model,
  format: BlockFormat,
  context: PassContext,
  options: WeightOnlyOptions,
): Promise<Model> {
  if (model.graph === undefined) return model;
  if (context.calibration === undefined) throw noInputs("awq");
  const names = chooseLayers(model.graph, options).chosen.map(({ name }) => name);
  return scaleForFormat(model, new Set(names), format, context);
}

function noInputs(method: string): UserError {
  return new UserError("invalid-input", `${method} needs inputs to look at, and there are none`, {
    hint: "Give calibration inputs, or use rtn or hqq, which need none.",
  });
}

async function momentsFor(
  model: Model,
  layers: readonly Layer[],
  context: PassContext,
  { method = "rtn" }: WeightOnlyOptions,
): Promise<ReadonlyMap<string, Moments>> {
  if (context.calibration === undefined) throw noInputs(method);
  const watched = layers.map(
    ({ name, node }): Watched => ({ name, value: node.inputs[0] ?? "", rows: "last" }),
  );
  return collectMoments(model, watched, context);
}

/** The weight of a layer on levels, by the chosen method. */
function blockWeight(
  layer: Layer,
  format: BlockFormat,
  { method = "rtn", actOrder = false }: WeightOnlyOptions,
  moments: Moments | null,
): BlockWeight {
  const rows = transpose(matrixOf(layer));
  if (method === "hqq") return halfQuadratic(rows.data, rows.columns, format);
  if (moments === null) return roundToNearest(rows.data, rows.columns, format);
  const { gram, count } = moments;
  if (method === "awq") return roundToNearest(rows.data, rows.columns, format, diagonalOf(gram));
  const hessian = matrix(
    gram.rows,
    gram.columns,
    gram.data.map((of) => (2 * of) / count),
  );
  return gptqWeight(rows, hessian, format, actOrder);
}

const diagonalOf = ({ rows, data }: Matrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, i) => data[i * rows + i] ?? 0);

function gptqWeight(
  rows: Matrix,
  hessian: Matrix,
  format: BlockFormat,
  actOrder: boolean,
): BlockWeight {
  const { levels, grids } = gptq(rows, hessian, {
    groupSize: format.blockSize,
    actOrder,
    grid: (values) => gridOfBlock(values, format),
    level: (value, grid) => levelOf(value, grid, format),
  });
  const flat = grids.flat();
  return {
    format,
    inputs: rows.columns,
    outputs: rows.rows,
    levels: Uint8Array.from(levels),
    scales: Float32Array.from(flat, ({ scale }) => scale),
    zeros: format.symmetric ? null : Float32Array.from(flat, ({ zero }) => zero),
  };
}

interface Writer {
  readonly fresh: (wanted: string) => string;
  readonly stored: Tensor[];
  readonly constant: (name: string) => Tensor | null;
}

const writerFor = (graph: Graph): Writer => ({
  ...{ fresh: freshNames(namesIn(graph)), stored: [] },
  constant: indexGraph(graph).constant,
});

const DOMAIN = "com.microsoft";

function productNode(
  { node, name, weightName, inputs, outputs }: Layer,
  weight: BlockWeight,
  { accuracyLevel = 4 }: WeightOnlyOptions,
  { fresh, stored, constant }: Writer,
): Node {
  const packed = packBlocks(weight);
  const store = (wanted: string, tensor: Tensor): string => {
    const free = fresh(`${weightName}/${wanted}`);
    stored.push({ ...tensor, name: free });
    return free;
  };
  /** The operator takes a bias of one axis alone. */
  const rowOf = (bias: string): string => {
    const tensor = constant(bias);
    return tensor === null || tensor.dims.length === 1
      ? bias
      : store("bias", { ...tensor, dims: [BigInt(outputs)] });
  };
  const [input = "", , bias = ""] = node.inputs;
  const zeros = packed.zeros === null ? "" : store("zeros", packed.zeros);
  const reads = [input, store("levels", packed.levels), store("scales", packed.scales), zeros];
  // Input 4 are the groups of an older form; input 5 is the bias.
  if (bias !== "") reads.push("", rowOf(bias));
  return nodeOf("MatMulNBits", bias === "" && zeros === "" ? reads.slice(0, 3) : reads, {
    name,
    outputs: node.outputs,
    domain: DOMAIN,
    attributes: [
      attribute.int("K", inputs),
      attribute.int("N", outputs),
      attribute.int("bits", weight.format.bits),
      attribute.int("block_size", weight.format.blockSize),
      attribute.int("accuracy_level", accuracyLevel),
    ],
  });
}

function withProducts(
  model: Model,
  graph: Graph,
  replaced: ReadonlyMap<Node, Node>,
  { stored }: Writer,
): Model {
  const nodes = graph.nodes.map((node) => replaced.get(node) ?? node);
  const initializers = [...graph.initializers, ...stored];
  const known = model.opsetImports.some(({ domain }) => domain === DOMAIN);
  const imports = known ? [] : [{ domain: DOMAIN, version: 1n }];
  return {
    ...model,
    graph: withoutDeadCode({ ...graph, nodes, initializers }),
    opsetImports: [...model.opsetImports, ...imports],
  };
}
