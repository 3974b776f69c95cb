// The named networks for tests of counts: for one image, so that counts are plain numbers.

import { type NetOptions, netNamed } from "../src/models/nets/index.ts";
import type { Model } from "../src/onnx/index.ts";
import { operators } from "./operators.ts";

/** A network's model with a batch of 1 in place of the symbol. */
export function netOfOneImage(name: string, options: Omit<NetOptions, "operators"> = {}): Model {
  const model = netNamed(name).build({ operators, ...options });
  if (model.graph === undefined) return model;
  const inputs = model.graph.inputs.map((input) => {
    const { type } = input;
    if (type?.kind !== "tensor" || type.shape === undefined) return input;
    return { ...input, type: { ...type, shape: [{ value: 1n }, ...type.shape.slice(1)] } };
  });
  const outputs = model.graph.outputs.map(({ name }) => ({ name, metadata: [] }));
  return { ...model, graph: { ...model.graph, inputs, outputs } };
}
