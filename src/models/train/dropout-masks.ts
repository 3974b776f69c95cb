// Dropout with masks that are fed: drawn here from a seed and the number of the step, so that a run that
// was interrupted goes on with the masks it would have had, on every engine.

import { createRandom } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";
import {
  elementsOf,
  freshNames,
  type Graph,
  indexGraph,
  inferShapes,
  type Model,
  type Node,
  namesIn,
  tensorType,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";

/** An input that holds the mask of one Dropout. */
export interface Mask {
  readonly input: string;
  readonly dims: readonly number[];
  /** Share of zeros; the others are 1 / (1 - rate). */
  readonly rate: number;
}

/** Rate of a Dropout node that gives none (ONNX, Dropout-13). */
const DEFAULT_RATE = 0.5;

/**
 * The model with each Dropout of fixed rate as a product with an input. Sizes must be fixed. A Dropout
 * whose mask is read, or whose rate is computed, is left as it is.
 */
export function dropoutAsMasks(model: Model): {
  readonly model: Model;
  readonly masks: readonly Mask[];
} {
  const graph = graphOf(model);
  if (!graph.nodes.some(isDropout)) return { model, masks: [] };
  const { values } = inferShapes(model).graph;
  const fresh = freshNames(namesIn(graph));
  const masks: Mask[] = [];
  const nodes = graph.nodes.map((node): Node => {
    const rate = isDropout(node) ? rateOf(node, graph) : null;
    const [x = ""] = node.inputs;
    const type = values.get(x);
    const shape = type?.kind === "tensor" ? type.shape : null;
    const dims = shape?.filter((size) => typeof size === "number") ?? [];
    if (rate === null || dims.length !== shape?.length) return node;
    const mask = { input: fresh(`mask/${node.outputs[0]}`), dims, rate };
    masks.push(mask);
    const outputs = node.outputs.slice(0, 1);
    return { ...node, opType: "Mul", inputs: [x, mask.input], outputs, attributes: [] };
  });
  const inputs = masks.map(({ input, dims }) => ({
    name: input,
    type: tensorType("float32", dims),
    metadata: [],
  }));
  return {
    model: { ...model, graph: { ...graph, nodes, inputs: [...graph.inputs, ...inputs] } },
    masks,
  };
}

const isDropout = ({ opType, domain }: Node): boolean =>
  opType === "Dropout" && (domain ?? "") === "";

/** Null for a node that cannot become a product. */
function rateOf(node: Node, graph: Graph): number | null {
  const index = indexGraph(graph);
  const mask = node.outputs[1] ?? "";
  if (mask !== "" && (index.uses(mask).length > 0 || index.isOutput(mask))) return null;
  const ratio = node.inputs[1] ?? "";
  if (ratio === "") return DEFAULT_RATE;
  const tensor = index.constant(ratio);
  return tensor === null ? null : Number(elementsOf(tensor)[0]);
}

/** The masks of one batch: the same for the same seed, each element drawn by itself. */
export function drawMasks(
  masks: readonly Mask[],
  seed: number,
): Readonly<Record<string, TensorValue>> {
  const random = createRandom(seed);
  const drawn = masks.map(({ input, dims, rate }) => {
    const kept = 1 / (1 - rate);
    const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
    for (let at = 0; at < data.length; at++) data[at] = random.uniform() < rate ? 0 : kept;
    return [input, { dataType: "float32", dims, data }] as const;
  });
  return Object.fromEntries(drawn);
}
