// Inputs of matrix products divided by a number for each channel, weights multiplied by it: the products
// stay what they were. The division goes into what makes the inputs, where that is linear or a
// normalisation; elsewhere it stays as one multiplication.

import {
  freshNames,
  type Graph,
  type Model,
  type Node,
  namesIn,
  type Tensor,
  tensorOf,
} from "../../../../onnx/index.ts";
import { type Layer, matrixOf, tensorOfMatrix } from "../../layer.ts";
import { nodeOf } from "../../node-of.ts";
import type { Change, PassContext } from "../../pass.ts";
import { removeDeadCode } from "../../simplify/dead-code.ts";
import { rulesPass } from "../../simplify/rule.ts";
import { foldAffineBehind } from "../../simplify/rules/fold-affine.ts";
import { foldIntoNormalisation } from "../../simplify/rules/fold-norm.ts";
import { moveFactorBeforeRelu } from "../../simplify/rules/move-factor.ts";

/** Layers that read one value, and what each channel of it is divided by. */
export interface ScaledInput {
  readonly value: string;
  readonly layers: readonly Layer[];
  readonly scales: Float64Array;
}

/** Layers that multiply matrices, by the value that they read. */
export function layersByInput(layers: readonly Layer[]): ReadonlyMap<string, readonly Layer[]> {
  const groups = new Map<string, Layer[]>();
  for (const layer of layers) {
    const [value = ""] = layer.node.inputs;
    if (layer.kind !== "matrix") continue;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [layer]);
    else group.push(layer);
  }
  return groups;
}

/** Scales inputs and weights, and folds the divisions into what is in front of them. */
export async function scaleInputs(
  model: Model,
  groups: readonly ScaledInput[],
  context: PassContext,
): Promise<{ readonly model: Model; readonly folded: readonly Change[] }> {
  const { graph } = model;
  if (graph === undefined || groups.length === 0) return { model, folded: [] };
  const scaled = { ...model, graph: withScales(graph, groups) };
  const rules = [foldAffineBehind, foldIntoNormalisation, moveFactorBeforeRelu];
  const absorbed = await rulesPass("absorb-scales", rules).apply(scaled, context);
  const clean = await removeDeadCode.apply(absorbed.model, context);
  return { model: clean.model, folded: absorbed.changes };
}

function withScales(graph: Graph, groups: readonly ScaledInput[]): Graph {
  const fresh = freshNames(namesIn(graph));
  const stored: Tensor[] = [];
  const store = (wanted: string, tensor: Tensor): string => {
    const name = fresh(wanted);
    stored.push({ ...tensor, name });
    return name;
  };
  const replaced = new Map<Node, readonly Node[]>();
  for (const { value, layers, scales } of groups) {
    const inverse = Float32Array.from(scales, (scale) => 1 / scale);
    const divisor = tensorOf("float32", { dims: [scales.length], values: inverse });
    const divided = fresh(`${value}/smooth`);
    const division = nodeOf("Mul", [value, store(`${value}/divisor`, divisor)], {
      outputs: [divided],
    });
    layers.forEach((layer, at) => {
      const { node, weightName } = layer;
      const weight = store(weightName, multiplied(layer, scales));
      const inputs = [divided, weight, ...node.inputs.slice(2)];
      replaced.set(node, [...(at === 0 ? [division] : []), { ...node, inputs }]);
    });
  }
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => replaced.get(node) ?? [node]),
    initializers: [...graph.initializers, ...stored],
  };
}

/** The weight with the row of each input multiplied by its scale. */
function multiplied(layer: Layer, scales: Float64Array): Tensor {
  const { rows, columns, data } = matrixOf(layer);
  const values = data.map((of, at) => of * (scales[Math.floor(at / columns)] ?? 1));
  return tensorOfMatrix(layer, { rows, columns, data: values });
}
