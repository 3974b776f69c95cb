// Brings models of any exporter to the one form that gradients are written for.

import { UserError } from "../../core/index.ts";
import {
  canonicalDomain,
  constantOf,
  type Graph,
  inlineFunctions,
  type Model,
  type OperatorTable,
  UPGRADE_RANGE,
  upgradeModel,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";

/**
 * The model in opset 21 (or what newer one it has), without model-local functions, with constants as
 * initializers that no input overrides. It computes what it did. Throws UserError for a model that cannot be brought there.
 */
export function normaliseForTraining(
  model: Model,
  { operators }: { readonly operators: OperatorTable },
): Model {
  const canonical = upgraded(inlineFunctions(model), operators);
  return { ...canonical, graph: constantsStored(graphOf(canonical)) };
}

function upgraded(model: Model, operators: OperatorTable): Model {
  const ours = model.opsetImports.find(({ domain }) => canonicalDomain(domain) === "");
  if (Number(ours?.version ?? 0n) >= UPGRADE_RANGE.to) return model;
  const result = upgradeModel(model, { operators });
  if (result.status === "upgraded") return result.model;
  const [first] = result.refusals;
  throw new UserError("unsupported", `${first?.reason} (at ${first?.path})`, {
    hint: first?.remedy ?? "Export the model in opset 21.",
  });
}

/** Constant nodes as initializers, and initializers that an input could override as fixed ones. */
function constantsStored(graph: Graph): Graph {
  const stored = graph.nodes.flatMap((node) => {
    const tensor = constantOf(node);
    return tensor === null ? [] : [{ node, tensor: { ...tensor, name: node.outputs[0] ?? "" } }];
  });
  const gone = new Set(stored.map(({ node }) => node));
  const fixed = new Set(graph.initializers.map(({ name }) => name));
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !fixed.has(name)),
    nodes: graph.nodes.filter((node) => !gone.has(node)),
    initializers: [...graph.initializers, ...stored.map(({ tensor }) => tensor)],
  };
}
