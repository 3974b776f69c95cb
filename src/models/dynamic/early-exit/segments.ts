// A model parted at the values that heads read.

import { UserError } from "../../../core/index.ts";
import {
  type Graph,
  inferShapes,
  type Model,
  type Node,
  typeOfValue,
} from "../../../onnx/index.ts";
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

/** Number of the classes that a classifier scores. Throws UserError for models that are none. */
export function classesOf(model: Model): number {
  const { output } = onlyOutput(model);
  const type = typeOfValue(inferShapes(model).graph, output);
  const isFloat = type?.kind === "tensor" && type.elementType === "float32";
  const [, classes, ...rest] = (isFloat ? type.shape : null) ?? [];
  if (typeof classes === "number" && classes >= 2 && rest.length === 0) return classes;
  throw new UserError("unsupported", `output "${output}" holds no scores of classes`, {
    hint: "Early exit is for classifiers: one float32 output [batch, classes].",
  });
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

/** Whether the model states that a run takes one row. */
export function takesOneRow({ graph }: Model): boolean {
  const type = graph?.inputs[0]?.type;
  return type?.kind === "tensor" && type.shape?.[0]?.value === 1n;
}
