// The mean error that 8 bits make in each output channel, which a bias can take away (Nagel et al. 2019,
// arXiv 1906.04721, section 4.2). Each node is looked at on its own: it gets the inputs of the float model,
// rounded, and its rounded weight. The errors are means over all calibration inputs, taken in the graph, so
// that nothing large leaves it.

import {
  attribute,
  int64s,
  type Model,
  type Node,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import { nodeOf } from "../node-of.ts";
import type { PassContext } from "../pass.ts";
import { streamValues } from "./calibrate/stream.ts";
import type { QuantisationPlan } from "./emit-qdq.ts";
import type { Member } from "./placement.ts";
import { dequantiseWeight } from "./quantised-weight.ts";

/** Mean of float minus quantised output by channel, for each weighted node that has a bias. */
export async function biasErrors(
  model: Model,
  plan: QuantisationPlan,
  context: PassContext,
): Promise<ReadonlyMap<string, Float64Array>> {
  const probe = probeOf(model, plan);
  const sums = new Map<string, Float64Array>();
  if (probe.keys.size === 0) return sums;
  const runs = await streamValues(
    probe.model,
    [...probe.keys.keys()],
    context,
    (name, elements) => {
      const key = probe.keys.get(name) ?? "";
      const values = elements as Float32Array;
      const sum = sums.get(key) ?? new Float64Array(values.length);
      sums.set(key, sum);
      for (let channel = 0; channel < values.length; channel++) {
        sum[channel] = (sum[channel] ?? 0) + (values[channel] ?? 0);
      }
    },
    { pass: "bias-correction", step: "errors" },
  );
  return new Map([...sums].map(([key, sum]) => [key, sum.map((of) => of / runs)]));
}

interface Probe {
  readonly model: Model;
  /** Key of the member by name of the value that holds its mean error. */
  readonly keys: ReadonlyMap<string, string>;
}

/** The float model with each weighted node once more in 8 bits beside it, and the difference. */
function probeOf(model: Model, plan: QuantisationPlan): Probe {
  const keys = new Map<string, string>();
  const stored: Tensor[] = [];
  const store = (name: string, tensor: Tensor): string => {
    stored.push({ ...tensor, name: `probe:${name}` });
    return `probe:${name}`;
  };
  const nodes = [...plan.members.values()].flatMap((member): readonly Node[] => {
    const { key } = member;
    const error = `probe:${key}/error`;
    const made = errorNodes(member, plan, error, store);
    if (made.length > 0) keys.set(error, key);
    return made;
  });
  const { graph } = model;
  if (graph === undefined) return { model, keys };
  const initializers = [...graph.initializers, ...stored];
  return {
    model: { ...model, graph: { ...graph, nodes: [...graph.nodes, ...nodes], initializers } },
    keys,
  };
}

function errorNodes(
  { node, key, inputs }: Member,
  plan: QuantisationPlan,
  error: string,
  store: (name: string, tensor: Tensor) => string,
): readonly Node[] {
  const planned = plan.weights.get(key);
  const [input = ""] = inputs;
  const grid = plan.grids.get(input);
  if (planned?.bias == null || grid === undefined) return [];
  const { weight } = planned;
  const scale = store(`${key}/scale`, tensorOf("float32", { dims: [], values: [grid.scale] }));
  const zero = store(`${key}/zero`, tensorOf("uint8", { dims: [], values: [grid.zeroPoint] }));
  const values = dequantiseWeight(weight);
  const rounded = store(`${key}/weight`, tensorOf("float32", { dims: weight.dims, values }));
  // Every axis but that of the channels, which is the second for convolutions and Gemm alike.
  const rank = node.opType === "Gemm" ? 2 : weight.dims.length;
  const others = [0, ...Array.from({ length: rank - 2 }, (_, at) => at + 2)];
  const axes = store(`${key}/axes`, int64s("", others));
  const names = ["levels", "input", "output", "difference"].map((of) => `probe:${key}/${of}`);
  const [levels = "", back = "", output = "", difference = ""] = names;
  const [, , bias = ""] = node.inputs;
  return [
    nodeOf("QuantizeLinear", [input, scale, zero], { outputs: [levels] }),
    nodeOf("DequantizeLinear", [levels, scale, zero], { outputs: [back] }),
    { ...node, name: output, inputs: [back, rounded, bias], outputs: [output] },
    nodeOf("Sub", [key, output], { outputs: [difference] }),
    meanNode(difference, axes, error),
  ];
}

const meanNode = (value: string, axes: string, output: string): Node =>
  nodeOf("ReduceMean", [value, axes], {
    outputs: [output],
    attributes: [attribute.int("keepdims", 0)],
  });
