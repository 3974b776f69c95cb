// Stored tensors in a smaller form, with the nodes that make them whole again under their old names. ONNX
// Runtime folds those nodes when it loads the model: nothing is gained or lost at run time.

import {
  canonicalDomain,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from "../../../onnx/index.ts";

/** What stands in a tensor's place. */
export interface Stored {
  readonly initializers: readonly Tensor[];
  /** The last one's output has the tensor's name. */
  readonly nodes: readonly Node[];
}

/** The model with tensors replaced, decoders before everything that could read them. */
export function withStored(model: Model, stored: ReadonlyMap<string, Stored>): Model {
  const { graph } = model;
  if (graph === undefined || stored.size === 0) return model;
  const kept = graph.initializers.filter(({ name = "" }) => !stored.has(name));
  const parts = [...stored.values()];
  const changed: Graph = {
    ...graph,
    nodes: [...parts.flatMap(({ nodes }) => nodes), ...graph.nodes],
    initializers: [...kept, ...parts.flatMap(({ initializers }) => initializers)],
    inputs: graph.inputs.filter(({ name }) => !stored.has(name)),
  };
  return { ...model, graph: changed };
}

/** Version of ai.onnx that the model speaks. */
export const opsetOf = ({ opsetImports }: Model): number =>
  Number(opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 1n);

/** Names of tensors that callers may replace in a run: those must stay as they are. */
export const replaceable = ({ graph }: Model): ReadonlySet<string> =>
  new Set(graph?.inputs.map(({ name }) => name));
