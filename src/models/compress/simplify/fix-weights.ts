// Stored tensors that are also inputs of the graph, which lets callers replace them in any run. Old
// exporters wrote all weights so, and nothing that depends on them can then be computed beforehand.

import type { Pass } from "../pass.ts";

export interface FixWeightsOptions {
  /**
   * Whether to do so only in file formats before 4, which demand that weights are inputs although no
   * caller may replace them. Default: false.
   */
  readonly formatOnly?: boolean;
}

/** The first file format in which stored tensors need not be inputs (onnx, IR.md). */
const FREE_WEIGHTS = 4n;

/** Takes stored tensors out of the inputs: callers can no longer feed them. */
export const fixWeights: Pass<FixWeightsOptions | undefined> = {
  name: "fix-weights",
  fidelity: "reordered",
  async apply(model, _context, options) {
    const { graph, irVersion = 0n } = model;
    const stored = new Set(graph?.initializers.map(({ name }) => name));
    const replaceable = graph?.inputs.filter(({ name }) => stored.has(name)) ?? [];
    const isOld = irVersion < FREE_WEIGHTS;
    if (graph === undefined || (!isOld && (options?.formatOnly || replaceable.length === 0))) {
      return { model, changes: [], refused: [] };
    }
    const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
    const changes = replaceable.map(({ name }) => ({
      pass: "fix-weights",
      subject: name,
      what: "is no input any more",
    }));
    const fixed = { ...model, irVersion: isOld ? FREE_WEIGHTS : irVersion };
    return { model: { ...fixed, graph: { ...graph, inputs } }, changes, refused: [] };
  },
};
