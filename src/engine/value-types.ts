// Types and shapes of all values of a graph, by asking ONNX Runtime: it infers them for every operator
// it knows, its own included. The graph is loaded, never run, and its weights are not read.

import {
  elementCount,
  type Graph,
  type Tensor,
  tensorType,
  type ValueInfo,
} from "../onnx/index.ts";
import { type ModelSource, openSource, withModel } from "./model-source.ts";
import { type Port, portOf } from "./port.ts";
import { load, loadRuntime, type SessionOptions } from "./session.ts";
import { settle } from "./settings.ts";

/** Initialisers up to this many elements stay: they may be shapes and axes, which inference needs. */
const LARGEST_SHAPE_CONSTANT = 1024;

/**
 * Type and dimensions of every value that a node of the main graph makes, by name; names of sizes are
 * carried along. Throws UserError where ONNX Runtime cannot load the model.
 */
export async function inferValueTypes(
  source: ModelSource,
  options: SessionOptions = {},
): Promise<ReadonlyMap<string, Port>> {
  const runtime = await loadRuntime(options.runtime);
  const opened = openSource(source, options);
  try {
    const { graph } = opened.model;
    if (graph === undefined) return new Map();
    const all = withModel(opened, { ...opened.model, graph: exposeAll(graph) });
    const settings = settle({ ...options, threads: 1, optimisation: "none" });
    const native = await load(runtime.binding, all, settings);
    try {
      const declared = new Map(graph.outputs.map((info) => [info.name, info]));
      return new Map(
        native.outputMetadata.map((port) => [port.name, portOf(port, declared.get(port.name))]),
      );
    } finally {
      await native.release();
    }
  } finally {
    opened.close();
  }
}

/** The graph with every value as an output, which needs no type, and weights as inputs. */
function exposeAll(graph: Graph): Graph {
  const weights = graph.initializers.filter(isWeight);
  const present = new Set(graph.inputs.map(({ name }) => name));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const made = graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== ""));
  return {
    ...graph,
    initializers: graph.initializers.filter((tensor) => !isWeight(tensor)),
    inputs: [...graph.inputs, ...weights.map(asInput).filter(({ name }) => !present.has(name))],
    outputs: [
      ...graph.outputs,
      ...made.filter((name) => !outputs.has(name)).map((name) => ({ name, metadata: [] })),
    ],
  };
}

const isWeight = (tensor: Tensor): boolean =>
  tensor.dataType !== null && elementCount(tensor) > LARGEST_SHAPE_CONSTANT;

function asInput({ name = "", dataType, dims }: Tensor): ValueInfo {
  // isWeight left out the types without a name.
  return { name, metadata: [], ...(dataType === null ? {} : { type: tensorType(dataType, dims) }) };
}
