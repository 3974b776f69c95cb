// How often a layer's weights are used in one run: rows of a product, positions of a convolution.

import { inferShapes, type Model, type Size, typeOfValue } from "../../../onnx/index.ts";
import type { Layer } from "../layer.ts";
import type { Feeds } from "../pass.ts";
import type { Positions } from "./method.ts";

/** By layer name; symbols that calibration inputs do not settle count as 1. */
export function positionsOf(
  model: Model,
  layers: readonly Layer[],
  sample: Feeds | null,
): ReadonlyMap<string, Positions> {
  const inputs = Object.entries(sample ?? {}).flatMap(([name, feed]) =>
    "dims" in feed ? [[name, feed.dims] as const] : [],
  );
  const shapes = inferShapes(
    model,
    inputs.length > 0 ? { inputs: Object.fromEntries(inputs) } : {},
  );
  const rowsIn = (value: string, layer: Layer): number => {
    const type = typeOfValue(shapes.graph, value);
    const shape = type?.kind === "tensor" ? type.shape : null;
    if (shape === null) return 1;
    const axes = layer.kind === "matrix" ? shape.slice(0, -1) : [shape[0] ?? 1, ...shape.slice(2)];
    return axes.map(sizeOr1).reduce((product, size) => product * size, 1);
  };
  return new Map(
    layers.map((layer) => [
      layer.name,
      {
        read: rowsIn(layer.node.inputs[0] ?? "", layer),
        written: rowsIn(layer.node.outputs[0] ?? "", layer),
      },
    ]),
  );
}

const sizeOr1 = (size: Size): number => (typeof size === "number" ? Math.max(1, size) : 1);
