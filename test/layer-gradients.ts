// Gradients of a model made by `layerModel`, with the output plus a tenth as the gradient at the output.

import type { Tensor } from "onnxruntime-node";
import { differentiate } from "../src/models/train/index.ts";
import { extendModel, type Model } from "../src/onnx/index.ts";
import { runModel } from "./onnx-runtime.ts";
import { operators } from "./operators.ts";

/** The gradients of `sum(y^2 / 2 + y / 10)` by parameter. */
export async function gradientsOf(
  model: Model,
  x: Tensor,
  parameters: readonly string[],
): Promise<Readonly<Record<string, readonly number[]>>> {
  const builder = extendModel(model, { operators });
  const scalar = (value: number): string =>
    builder.constant("float32", { dims: [], values: [value] });
  const square = builder.op("Mul", [builder.op("Mul", ["y", "y"]), scalar(0.5)]);
  const each = builder.op("Add", [square, builder.op("Mul", ["y", scalar(0.1)])]);
  const loss = builder.op({ type: "ReduceSum", name: "loss" }, [each], { keepdims: false });
  builder.output(loss);
  const shapes = { inputs: { x: [...x.dims] } };
  const step = differentiate(builder.finish(), { operators, loss, parameters, shapes });
  const outputs = extendModel(step.model, { operators });
  for (const [parameter, gradient] of step.gradients) {
    outputs.output(gradient, { name: `gradient of ${parameter}` });
  }
  const values = await runModel(outputs.finish(), { x });
  return Object.fromEntries(
    parameters.map((name) => [
      name,
      Array.from((values[`gradient of ${name}`]?.data ?? []) as ArrayLike<number>),
    ]),
  );
}
