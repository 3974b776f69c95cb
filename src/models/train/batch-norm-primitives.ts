// BatchNormalization in training mode written out, for engines that have no such kernel: ONNX Runtime's
// WebGPU (1.30) refuses it.

import {
  attribute,
  floatOf,
  freshNames,
  inferShapes,
  int64s,
  intOf,
  type Model,
  ModelError,
  type Node,
  namesIn,
  type Tensor,
  tensorOf,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";

/**
 * The model with every BatchNormalization that uses the batch's statistics as primitive operators, which
 * give the same three values: the result, and the batch's mean and (biased) variance. Throws ModelError where
 * the rank of what is normalised cannot be told.
 */
export function batchNormAsPrimitives(model: Model): Model {
  const graph = graphOf(model);
  const { graph: shapes } = inferShapes(model);
  const fresh = freshNames(namesIn(graph));
  const constants: Tensor[] = [];
  const constant = (tensor: Tensor, name: string): string => {
    const own = fresh(name);
    constants.push({ ...tensor, name: own });
    return own;
  };
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const trains = node.opType === "BatchNormalization" && intOf(node, "training_mode", 0) === 1;
    if (!trains) return [node];
    const type = shapes.values.get(node.inputs[0] ?? "");
    const rank = type?.kind === "tensor" ? type.shape?.length : undefined;
    if (rank === undefined) {
      throw new ModelError("it is not known how many axes it normalises", `node "${node.name}"`, {
        hint: "Give the model's input shapes.",
      });
    }
    return written(node, rank, { fresh, constant });
  });
  if (constants.length === 0) return model;
  return {
    ...model,
    graph: { ...graph, nodes, initializers: [...graph.initializers, ...constants] },
  };
}

interface Namer {
  readonly fresh: (wanted: string) => string;
  readonly constant: (tensor: Tensor, name: string) => string;
}

function written(node: Node, rank: number, { fresh, constant }: Namer): readonly Node[] {
  const [x = "", scale = "", bias = ""] = node.inputs;
  const [result = "", mean = "", variance = ""] = node.outputs;
  const at = (part: string): string => fresh(`${result}/${part}`);
  const axes = constant(int64s("axes", [0, ...others(rank)]), `${result}/axes`);
  const wide = constant(int64s("wide", [1, -1, ...others(rank).map(() => 1)]), `${result}/wide`);
  const flat = constant(int64s("flat", [-1]), `${result}/flat`);
  const epsilon = constant(
    tensorOf("float32", { name: "epsilon", dims: [], values: [floatOf(node, "epsilon", 1e-5)] }),
    `${result}/epsilon`,
  );
  const nodes: Node[] = [];
  const op = (opType: string, inputs: readonly string[], output: string): string => {
    const isMean = opType === "ReduceMean";
    const attributes = isMean ? [attribute.int("keepdims", 1)] : [];
    nodes.push({ opType, name: output, inputs, outputs: [output], attributes, metadata: [] });
    return output;
  };
  const centre = op("ReduceMean", [x, axes], at("centre"));
  const centred = op("Sub", [x, centre], at("centred"));
  const squares = op("Mul", [centred, centred], at("squares"));
  const spread = op("ReduceMean", [squares, axes], at("spread"));
  const deviation = op("Sqrt", [op("Add", [spread, epsilon], at("kept"))], at("deviation"));
  const normal = op("Div", [centred, deviation], at("normal"));
  const wideOf = (value: string, name: string) => op("Reshape", [value, wide], at(name));
  const scaled = op("Mul", [normal, wideOf(scale, "scale")], at("scaled"));
  op("Add", [scaled, wideOf(bias, "bias")], result);
  if (mean !== "") op("Reshape", [centre, flat], mean);
  if (variance !== "") op("Reshape", [spread, flat], variance);
  return nodes;
}

/** Axes behind the channels. */
const others = (rank: number): readonly number[] =>
  Array.from({ length: rank - 2 }, (_, index) => index + 2);
