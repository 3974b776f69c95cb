// Single weights set to zero. ONNX Runtime multiplies by zeros as by any other number: this saves no time
// and no energy of a run, only bytes on disk where `storeSparse` or a compressor follows, or speed on
// engines with sparse kernels that the model is exported to. Method notes: docs/methods/pruning.md.

import type { Model, Tensor } from "../../../onnx/index.ts";
import { indexGraph } from "../../../onnx/index.ts";
import { type Layer, layersOf, tensorOfMatrix } from "../layer.ts";
import type { Change, Pass, PassContext, Refusal } from "../pass.ts";
import { collectMoments, type Moments, watchedLayer } from "../statistics.ts";
import { withStoredWeights } from "../stored-weights.ts";
import {
  lampScores,
  least,
  ownLayout,
  type Pattern,
  type Rows,
  rowsOf,
  wandaScores,
  zeroByScore,
} from "./scores.ts";
import { sparseGpt } from "./sparse-gpt.ts";

export interface SparsifyOptions {
  readonly pattern: Pattern;
  /**
   * `magnitude`: least |w| of each layer; `global`: of all layers together; `lamp`: of all layers by the
   * LAMP score; `wanda` and `sparsegpt` need calibration inputs. Default: magnitude.
   */
  readonly by?: "magnitude" | "global" | "lamp" | "wanda" | "sparsegpt";
  /** Layers to look at, by node name. Default: all. */
  readonly only?: readonly string[];
}

const name = "sparsify";

/** Zeroes weights of layers; nothing gets faster by it. */
export const sparsify: Pass<SparsifyOptions> = {
  name,
  fidelity: "approximate",
  async apply(given, context, options) {
    const model = await withStoredWeights(given, context);
    if (model.graph === undefined) return { model, changes: [], refused: [] };
    const { by = "magnitude", pattern, only } = options;
    const { layers, others } = layersOf(indexGraph(model.graph));
    const asked = (of: { readonly name: string }): boolean => only?.includes(of.name) ?? true;
    const refused: Refusal[] = others
      .filter(asked)
      .map(({ name: subject, reason }) => ({ pass: name, subject, reason }));
    const chosen = layers.filter(asked);
    const rows = new Map(chosen.map((layer) => [layer, rowsOf(layer)]));
    const zeroed =
      by === "global" || by === "lamp"
        ? acrossLayers(rows, pattern, by)
        : await layerByLayer(rows, await momentsFor(model, chosen, { context, by }), {
            pattern,
            by,
            refused,
          });
    const tensors = new Map<string, Tensor>();
    const changes = [...zeroed].map(([layer, of]): Change => {
      tensors.set(layer.weightName, tensorOfMatrix(layer, ownLayout(of)));
      const zeros = of.weights.data.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
      const share = Math.round((100 * zeros) / of.weights.data.length);
      return {
        pass: name,
        subject: layer.name,
        what: `${share} % of its weights are zero; runs no faster`,
      };
    });
    return { model: tensors.size === 0 ? given : withTensors(model, tensors), changes, refused };
  },
};

async function momentsFor(
  model: Model,
  layers: readonly Layer[],
  { context, by }: { readonly context: PassContext; readonly by: string },
): Promise<ReadonlyMap<string, Moments>> {
  return by === "magnitude" ? new Map() : collectMoments(model, layers.map(watchedLayer), context);
}

type Zeroed = ReadonlyMap<Layer, Rows>;

async function layerByLayer(
  rows: ReadonlyMap<Layer, Rows>,
  moments: ReadonlyMap<string, Moments>,
  of: {
    readonly pattern: Pattern;
    readonly by: "magnitude" | "wanda" | "sparsegpt";
    readonly refused: Refusal[];
  },
): Promise<Zeroed> {
  const { pattern, by, refused } = of;
  const zeroed = new Map<Layer, Rows>();
  for (const [layer, own] of rows) {
    if (by === "magnitude") {
      const scores = own.weights.data.map(Math.abs);
      const weights = zeroByScore(own.weights, scores, { pattern, compare: "layer" });
      zeroed.set(layer, { ...own, weights });
      continue;
    }
    const known = moments.get(layer.name);
    if (known === undefined || (by === "sparsegpt" && pattern.kind === "block")) {
      const reason =
        known === undefined
          ? "its inputs have too many features for second moments"
          : "SparseGPT chooses no blocks";
      refused.push({ pass: name, subject: layer.name, reason });
    } else if (by === "sparsegpt" && pattern.kind !== "block") {
      zeroed.set(layer, { ...own, weights: sparseGpt(own, known, pattern) });
    } else {
      const scores = wandaScores(own, known);
      const weights = zeroByScore(own.weights, scores, { pattern, compare: "row" });
      zeroed.set(layer, { ...own, weights });
    }
  }
  return zeroed;
}

/** One ranking over all layers; patterns other than a free share are chosen within each layer. */
function acrossLayers(
  rows: ReadonlyMap<Layer, Rows>,
  pattern: Pattern,
  by: "global" | "lamp",
): Zeroed {
  const scores = new Map(
    [...rows].map(([layer, { weights }]) => [
      layer,
      by === "lamp" ? lampScores(weights) : weights.data.map(Math.abs),
    ]),
  );
  if (pattern.kind !== "free") {
    return new Map(
      [...rows].map(([layer, own]) => {
        const of = scores.get(layer) ?? new Float64Array();
        return [
          layer,
          { ...own, weights: zeroByScore(own.weights, of, { pattern, compare: "layer" }) },
        ];
      }),
    );
  }
  const all = joined([...scores.values()]);
  const gone = new Set(least(all, Math.round(pattern.sparsity * all.length)));
  let from = 0;
  return new Map(
    [...rows].map(([layer, own]) => {
      const start = from;
      from += own.weights.data.length;
      const data = own.weights.data.map((value, at) => (gone.has(start + at) ? 0 : value));
      return [layer, { ...own, weights: { ...own.weights, data } }];
    }),
  );
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The model with stored tensors, or Constant nodes of their names, replaced. */
function withTensors(model: Model, tensors: ReadonlyMap<string, Tensor>): Model {
  const { graph } = model;
  if (graph === undefined || tensors.size === 0) return model;
  const replaced = (value: string): boolean => tensors.has(value);
  const kept = graph.initializers.filter(({ name: of = "" }) => !replaced(of));
  const nodes = graph.nodes.filter(({ outputs }) => !replaced(outputs[0] ?? ""));
  const added = [...tensors].map(([of, tensor]) => ({ ...tensor, name: of }));
  return { ...model, graph: { ...graph, nodes, initializers: [...kept, ...added] } };
}
