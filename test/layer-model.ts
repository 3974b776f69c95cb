// One layer or a few as a model, and its weights by name, for tests of layers.

import { Tensor } from "onnxruntime-node";
import {
  type Features,
  type LayerScope,
  layerScope,
  type ScopeOptions,
} from "../src/models/layers/index.ts";
import { elementsOf, type Model, modelBuilder, tensorOf, tensorType } from "../src/onnx/index.ts";
import { runModel } from "./onnx-runtime.ts";
import { operators } from "./operators.ts";

/** A model from `x` [batch, ...shape] to `y`. */
export function layerModel(
  shape: readonly number[],
  build: (at: LayerScope, x: Features) => Features,
  options: ScopeOptions = {},
): Model {
  const builder = modelBuilder({ operators });
  const x = { value: builder.input("x", "float32", ["batch", ...shape]), shape };
  const y = build(layerScope(builder, options), x);
  const type = tensorType("float32", ["batch", ...y.shape]);
  builder.output(y.value, { name: "y", type });
  return builder.finish();
}

/** The float weights of a model by name. */
export function weightsOf(model: Model): Readonly<Record<string, readonly number[]>> {
  const tensors = (model.graph?.initializers ?? []).filter(
    ({ dataType }) => dataType === "float32",
  );
  return Object.fromEntries(
    tensors.map((tensor) => [tensor.name ?? "", Array.from(elementsOf(tensor), Number)]),
  );
}

/** The model with other values in some of its weights. */
export function withWeights(
  model: Model,
  weights: Readonly<Record<string, readonly number[]>>,
): Model {
  if (model.graph === undefined) return model;
  const missing = new Set(Object.keys(weights));
  const initializers = model.graph.initializers.map((tensor) => {
    const { name = "", dims } = tensor;
    const values = weights[name];
    missing.delete(name);
    return values === undefined ? tensor : tensorOf("float32", { name, dims, values });
  });
  if (missing.size > 0) throw new Error(`no weights called ${[...missing].join(", ")}`);
  return { ...model, graph: { ...model.graph, initializers } };
}

/** What a model of `layerModel` gives for `x` [batch, ...]. */
export async function outputOf(model: Model, x: Tensor): Promise<readonly number[]> {
  const { y } = await runModel(model, { x });
  return Array.from((y?.data ?? []) as ArrayLike<number>);
}

/** A tensor of float32. */
export const floats = (dims: readonly number[], values: readonly number[]): Tensor =>
  new Tensor("float32", Float32Array.from(values), dims);

/** The largest difference between two lists of one length. */
export function distance(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length || a.length === 0) return Number.NaN;
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? 0))), 0);
}
