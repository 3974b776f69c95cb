// Stored tensors that are also inputs of the graph, which lets callers replace them in any run. Old
// exporters wrote all weights so, and nothing that depends on them can then be computed beforehand.

import type { Pass } from "../pass.ts";

/** Takes stored tensors out of the inputs: callers can no longer feed them. */
export const fixWeights: Pass = {
  name: "fix-weights",
  fidelity: "exact",
  async apply(model) {
    const { graph } = model;
    const stored = new Set(graph?.initializers.map(({ name }) => name));
    const replaceable = graph?.inputs.filter(({ name }) => stored.has(name)) ?? [];
    if (graph === undefined || replaceable.length === 0) return { model, changes: [], refused: [] };
    const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
    const changes = replaceable.map(({ name }) => ({
      pass: "fix-weights",
      subject: name,
      what: "is no input any more",
    }));
    return { model: { ...model, graph: { ...graph, inputs } }, changes, refused: [] };
  },
};
