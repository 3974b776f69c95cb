// Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): h = W x + (alpha / r) B A x, W frozen. B is 0 at
// the start, so that the model computes what it did; at the end W + (alpha / r) B A takes W's place.

import { createRandom } from "../../core/index.ts";
import {
  type ExternalData,
  elementsOf,
  floatOf,
  freshNames,
  indexGraph,
  intOf,
  type Model,
  type Node,
  namesIn,
  type Tensor,
  tensorOf,
} from "../../onnx/index.ts";
import { graphOf, withInitializers } from "./graph-surgery.ts";

export interface LoraOptions {
  readonly rank: number;
  /** Default: the rank, which makes the factor 1. */
  readonly alpha?: number;
  readonly seed: number;
  /** Which weights, by name. Default: all that can be. */
  readonly targets?: (weight: string) => boolean;
}

/** One weight and its addition. */
export interface Adapter {
  readonly weight: string;
  /** [inputs, rank] for matrices, [rank, channels, ...kernel] for convolutions. */
  readonly down: string;
  /** [rank, outputs] for matrices, [outputs, rank, 1 ...] for convolutions. */
  readonly up: string;
  /** alpha / rank. */
  readonly scale: number;
  /** How the weight lies: outputs first (a convolution, a Gemm with transB), or last. */
  readonly outputsFirst: boolean;
  /** What the node multiplies the weight's product with. */
  readonly gain: number;
}

export interface Lora {
  readonly model: Model;
  readonly adapters: readonly Adapter[];
  /** What is to be trained: `down` and `up` of each. */
  readonly parameters: readonly string[];
}

/** The model with low-rank additions to its MatMul, Gemm and Conv weights. */
export function withLora(model: Model, options: LoraOptions): Lora {
  const { rank, alpha = rank, seed, targets = () => true } = options;
  const graph = graphOf(model);
  const index = indexGraph(graph);
  const fresh = freshNames(namesIn(graph));
  const adapters: Adapter[] = [];
  const added: Tensor[] = [];
  const random = createRandom(seed);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const weight = index.constant(node.inputs[1] ?? "");
    const name = weight?.name ?? "";
    if (weight === null || name === "" || !targets(name) || !isAdaptable(node, weight))
      return [node];
    const dims = weight.dims.map(Number);
    const outputsFirst = node.opType === "Conv" || intOf(node, "transB", 0) === 1;
    const [downDims, upDims] = factorDims(node, dims, { rank, outputsFirst });
    const adapter: Adapter = {
      weight: name,
      down: fresh(`${name}/lora_down`),
      up: fresh(`${name}/lora_up`),
      scale: alpha / rank,
      outputsFirst,
      gain: node.opType === "Gemm" ? floatOf(node, "alpha", 1) : 1,
    };
    adapters.push(adapter);
    // Uniform within +-1 / sqrt(inputs), what Kaiming's with a = sqrt(5) comes to.
    const inputs = node.opType === "Conv" ? size(downDims.slice(1)) : (downDims[0] ?? 1);
    const draw = (): number => (2 * random.uniform() - 1) / Math.sqrt(inputs);
    const down = Float32Array.from({ length: size(downDims) }, draw);
    added.push(tensorOf("float32", { name: adapter.down, dims: downDims, values: down }));
    const up = new Float32Array(size(upDims));
    added.push(tensorOf("float32", { name: adapter.up, dims: upDims, values: up }));
    const factor = fresh(`${name}/lora_scale`);
    added.push(tensorOf("float32", { name: factor, dims: [], values: [adapter.scale] }));
    return adapted(node, { adapter, factor, fresh });
  });
  return {
    model: {
      ...model,
      graph: { ...graph, nodes, initializers: [...graph.initializers, ...added] },
    },
    adapters,
    parameters: adapters.flatMap(({ down, up }) => [down, up]),
  };
}

function isAdaptable(node: Node, { dims, dataType }: Tensor): boolean {
  if ((node.domain ?? "") !== "" || dataType !== "float32") return false;
  switch (node.opType) {
    case "MatMul":
      return dims.length === 2;
    case "Gemm":
      return dims.length === 2 && intOf(node, "transA", 0) === 0;
    case "Conv":
      return intOf(node, "group", 1) === 1;
    default:
      return false;
  }
}

function factorDims(
  node: Node,
  dims: readonly number[],
  { rank, outputsFirst }: { readonly rank: number; readonly outputsFirst: boolean },
): readonly [down: readonly number[], up: readonly number[]] {
  const [first = 1, second = 1, ...kernel] = dims;
  if (node.opType === "Conv") {
    return [
      [rank, second, ...kernel],
      [first, rank, ...kernel.map(() => 1)],
    ];
  }
  const [inputs, outputs] = outputsFirst ? [second, first] : [first, second];
  return [
    [inputs, rank],
    [rank, outputs],
  ];
}

/** The node, its low-rank twin, and their sum under the node's old name. */
function adapted(
  node: Node,
  of: { readonly adapter: Adapter; readonly factor: string; fresh(wanted: string): string },
): readonly Node[] {
  const { adapter, factor, fresh } = of;
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const [base, low, high, scaled] = ["base", "low", "high", "scaled"].map((part) =>
    fresh(`${y}/lora_${part}`),
  ) as [string, string, string, string];
  const made = (opType: string, inputs: readonly string[], output: string): Node => ({
    ...{ opType, name: output, inputs, outputs: [output], attributes: [], metadata: [] },
  });
  const isConv = node.opType === "Conv";
  const product: Node = isConv
    ? { ...node, name: low, inputs: [x, adapter.down], outputs: [low] }
    : made("MatMul", [x, adapter.down], low);
  return [
    { ...node, outputs: [base] },
    product,
    made(isConv ? "Conv" : "MatMul", [low, adapter.up], high),
    made("Mul", [high, factor], scaled),
    { ...made("Add", [base, scaled], y), name: fresh(`${y}/lora_sum`) },
  ];
}

/**
 * The base model with what was learnt: additions merged into their weights, other weights as they are in
 * the trained model.
 */
export function mergeLora(
  base: Model,
  trained: Model,
  { adapters }: Pick<Lora, "adapters">,
  external?: ExternalData,
): Model {
  const learnt = new Map(graphOf(trained).initializers.map((tensor) => [tensor.name, tensor]));
  const byWeight = new Map<string, Adapter[]>();
  for (const adapter of adapters) {
    byWeight.set(adapter.weight, [...(byWeight.get(adapter.weight) ?? []), adapter]);
  }
  const tensors = graphOf(base).initializers.flatMap((tensor): [string, Tensor][] => {
    const { name = "" } = tensor;
    const now = learnt.get(name) ?? tensor;
    const own = byWeight.get(name) ?? [];
    if (own.length === 0) return [[name, now]];
    const values = Float32Array.from(elementsOf(now, external) as Float32Array);
    for (const adapter of own) addProduct(values, tensor, adapter, learnt);
    return [[name, tensorOf("float32", { dims: tensor.dims, values })]];
  });
  return withInitializers(base, new Map(tensors));
}

/** W += (scale / gain) up down, in double precision. */
function addProduct(
  weight: Float32Array,
  { dims }: Tensor,
  adapter: Adapter,
  learnt: ReadonlyMap<string | undefined, Tensor>,
): void {
  const numbers = (name: string): Float32Array => {
    const tensor = learnt.get(name);
    if (tensor === undefined) throw new TypeError(`the trained model has lost ${name}`);
    return elementsOf(tensor) as Float32Array;
  };
  const [down, up] = [numbers(adapter.down), numbers(adapter.up)];
  const isKernel = dims.length > 2;
  const outputs = Number(adapter.outputsFirst ? dims[0] : dims[1]);
  const inputs = weight.length / outputs;
  const rank = up.length / outputs;
  const factor = adapter.scale / adapter.gain;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      let sum = 0;
      for (let at = 0; at < rank; at++) {
        const a = isKernel ? down[at * inputs + input] : down[input * rank + at];
        const b = isKernel ? up[output * rank + at] : up[at * outputs + output];
        sum += (a ?? 0) * (b ?? 0);
      }
      const place = adapter.outputsFirst ? output * inputs + input : input * outputs + output;
      weight[place] = (weight[place] ?? 0) + factor * sum;
    }
  }
}

const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
