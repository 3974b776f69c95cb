// Training that begins small: fewer layers (Gong et al. 2019, progressive stacking) or smaller images (as
// in fast.ai's progressive resizing), and goes on with what was learnt.

import { UserError } from "../../core/index.ts";
import { freshNames, type Model, type Node, namesIn, type Tensor } from "../../onnx/index.ts";
import { graphOf, withInitializers } from "./graph-surgery.ts";

/**
 * The deep model with the weights of a shallow one of the same kind: layer i of the deep one gets those of
 * layer i mod k, all else is copied by name. `layer` finds the number of a layer in a name, as its only
 * group: /block(\d+)/. Throws UserError where a weight has no counterpart of its size.
 */
export function stackLayers(
  shallow: Model,
  deep: Model,
  { layer, depth }: { readonly layer: RegExp; readonly depth: number },
): Model {
  const known = new Map(graphOf(shallow).initializers.map((tensor) => [tensor.name ?? "", tensor]));
  const copied = graphOf(deep).initializers.map((tensor): readonly [string, Tensor] => {
    const name = tensor.name ?? "";
    const source = known.get(sourceOf(name, layer, depth));
    if (source !== undefined && String(source.dims) === String(tensor.dims)) return [name, source];
    throw new UserError("invalid-input", `"${name}" has no counterpart in the shallow model`, {
      hint: "Both models must be of one kind, with the same names and sizes in each layer.",
    });
  });
  return withInitializers(deep, new Map(copied));
}

/** `block5/weight` of a net whose shallow form has 3 blocks comes from `block2/weight`. */
function sourceOf(name: string, layer: RegExp, depth: number): string {
  const match = layer.exec(name);
  const number = match?.[1];
  if (match === null || number === undefined) return name;
  const at = match.index + match[0].lastIndexOf(number);
  const before = String(Number(number) % depth);
  return name.slice(0, at) + before + name.slice(at + number.length);
}

/**
 * The model with an image input halved (or divided by more) before its first layer: means of square
 * patches. Only for models that take images of any size; its parameters are those of the model.
 */
export function onSmallerImages(model: Model, input: string, factor: number): Model {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new RangeError(`images are divided by a whole number, not ${factor}`);
  }
  if (factor === 1) return model;
  const graph = graphOf(model);
  if (!graph.inputs.some(({ name }) => name === input)) {
    throw new UserError("invalid-input", `the model has no input "${input}"`, {
      hint: `Its inputs are ${graph.inputs.map(({ name }) => name).join(", ")}.`,
    });
  }
  const small = freshNames(namesIn(graph))(`${input}/small`);
  const sizes = [BigInt(factor), BigInt(factor)];
  const pool: Node = {
    ...{ opType: "AveragePool", name: small, inputs: [input], outputs: [small], metadata: [] },
    attributes: [
      { name: "kernel_shape", kind: "ints", value: sizes },
      { name: "strides", kind: "ints", value: sizes },
    ],
  };
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input ? small : name)),
  }));
  // What a file states of sizes in between no longer holds.
  return { ...model, graph: { ...graph, valueInfos: [], nodes: [pool, ...nodes] } };
}
