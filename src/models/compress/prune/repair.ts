// Layers behind pruned channels, refitted on calibration inputs so that their outputs change least.

import { elementsOf, floatOf, type Model, type Tensor, tensorOf } from "../../../onnx/index.ts";
import { type Layer, matrixOf, tensorOfMatrix } from "../layer.ts";
import type { Moments } from "../statistics.ts";
import type { Consumer } from "./consumers.ts";
import { refit } from "./least-squares.ts";

/** Whether a layer has a bias that can take up what is lost in the mean. */
export const hasIntercept = ({ node }: Layer): boolean =>
  node.opType !== "MatMul" && Boolean(node.inputs[2]) && floatOf(node, "beta", 1) !== 0;

export interface Refits {
  /** Layers behind each group. */
  readonly consumers: readonly (readonly Consumer[])[];
  /** Units of each group that will go. */
  readonly units: readonly (readonly number[])[];
  readonly moments: ReadonlyMap<string, Moments>;
}

/** The model with the layers behind refitted to the rows that will stay; nothing is cut yet. */
export function withRefits(model: Model, refits: Refits): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const stored = new Map(graph.initializers.map((tensor) => [tensor.name ?? "", tensor]));
  const changed = new Map<string, Tensor>();
  for (const [layer, gone] of rowsGone(refits)) {
    const moments = refits.moments.get(layer.name);
    if (moments === undefined || gone.size === 0) continue;
    const weights = matrixOf(layer);
    const rows = Array.from({ length: weights.rows }, (_, row) => row);
    const kept = rows.filter((row) => !gone.has(row));
    const bias = stored.get(layer.node.inputs[2] ?? "");
    const whole =
      bias !== undefined && bias.dims.length === 1 && Number(bias.dims[0]) === layer.outputs;
    const intercept = hasIntercept(layer) && whole;
    const fitted = refit(weights, moments, { kept, intercept });
    changed.set(layer.weightName, tensorOfMatrix(layer, fitted.weights));
    if (intercept) changed.set(bias.name ?? "", shifted(bias, fitted.shift, layer));
  }
  const initializers = graph.initializers.map((tensor) => changed.get(tensor.name ?? "") ?? tensor);
  return { ...model, graph: { ...graph, initializers } };
}

/** Rows that each layer loses to any group. */
function rowsGone({ consumers, units }: Refits): ReadonlyMap<Layer, ReadonlySet<number>> {
  const byName = new Map<string, Layer>();
  const gone = new Map<Layer, Set<number>>();
  for (const [group, of] of consumers.entries()) {
    for (const { layer, rows } of of) {
      const known = byName.get(layer.name) ?? layer;
      byName.set(layer.name, known);
      const set = gone.get(known) ?? new Set<number>();
      gone.set(known, set);
      for (const unit of units[group] ?? []) for (const row of rows[unit] ?? []) set.add(row);
    }
  }
  return gone;
}

/** The bias with what the weights' outputs lost in the mean; a Gemm scales both sides. */
function shifted(bias: Tensor, shift: Float64Array, { node }: Layer): Tensor {
  const scale = floatOf(node, "alpha", 1) / floatOf(node, "beta", 1);
  const values = Float64Array.from(elementsOf(bias) as Float32Array, (value, at) => {
    return value + scale * (shift[at] ?? 0);
  });
  const { name = "", dims, dataType } = bias;
  return tensorOf(dataType ?? "float32", { name, dims, values });
}
