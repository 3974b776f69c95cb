// A model parted at the values that heads read.

import { UserError } from "../../../core/index.ts";
import type { Graph, Model, Node } from "../../../onnx/index.ts";
import type { Confidence, ExitHead } from "./head.ts";
import { nodesBetween } from "./part.ts";

/** Heads on a model, each with the confidence from which on a sample leaves. */
export interface ExitDesign {
  readonly model: Model;
  /** In the order of the graph. */
  readonly heads: readonly ExitHead[];
  readonly thresholds: readonly number[];
  readonly confidence: Confidence;
}

/** The one output that heads stand in for. */
export function onlyOutput({ graph }: Model): { readonly graph: Graph; readonly output: string } {
  const [output, ...others] = graph?.outputs ?? [];
  if (graph === undefined || output === undefined || others.length > 0) {
    throw new UserError("unsupported", "early exit needs a model with one output", {
      hint: "Keep the output that classes are read from, and drop the others.",
    });
  }
  return { graph, output: output.name };
}

/** Whether the model gives probabilities, which heads must then give too. */
export function givesProbabilities(model: Model): boolean {
  const { graph, output } = onlyOutput(model);
  return graph.nodes.some(
    ({ opType, outputs }) => opType === "Softmax" && outputs.includes(output),
  );
}

/** Nodes up to the first head, between heads, and behind the last; each node stands once. */
export function segmentsOf({ model, heads }: ExitDesign): readonly (readonly Node[])[] {
  const { graph, output } = onlyOutput(model);
  const inputs = graph.inputs.map(({ name }) => name);
  const bounds = [...heads.map(({ value }) => [value]), [output]];
  const taken = new Set<Node>();
  return bounds.map((outputs, at) => {
    const from = at === 0 ? inputs : [heads[at - 1]?.value ?? ""];
    const nodes = nodesBetween(graph, { inputs: from, outputs }).filter((node) => !taken.has(node));
    for (const node of nodes) taken.add(node);
    return nodes;
  });
}
