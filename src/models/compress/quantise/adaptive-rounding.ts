// Rounding up or down by what it does to a layer's outputs (AdaRound, Nagel et al. 2020, arXiv
// 2004.10568), here by coordinate descent: of all weights of an output, the one is moved to its other
// neighbour that lowers the error D^T H D most, until none does. It needs the second moments of the
// inputs, and no gradients.

import { type Matrix, transpose } from "../../../engine/index.ts";
import { type Graph, indexGraph, type Model } from "../../../onnx/index.ts";
import { type Layer, layersOf, matrixOf } from "../layer.ts";
import type { PassContext } from "../pass.ts";
import { collectMoments, type Watched } from "../statistics.ts";
import type { PlannedWeight } from "./emit-qdq.ts";
import type { Levels } from "./grid.ts";
import type { QuantisedWeight } from "./quantised-weight.ts";

/** Weights with their levels chosen by what the calibration inputs make of them. */
export async function roundAdaptively(
  model: Model,
  weights: ReadonlyMap<string, PlannedWeight>,
  levels: Levels,
  context: PassContext,
): Promise<ReadonlyMap<string, PlannedWeight>> {
  const { layers } = layersOf(indexGraph(model.graph as Graph));
  const planned = layers.filter(({ node }) => weights.has(node.outputs[0] ?? ""));
  const moments = await collectMoments(model, planned.map(watchedOf), context);
  const rounded = new Map(weights);
  for (const layer of planned) {
    context.signal?.throwIfAborted();
    const key = layer.node.outputs[0] ?? "";
    const of = weights.get(key);
    const gram = moments.get(layer.name)?.gram;
    if (of === undefined || gram === undefined) continue;
    rounded.set(key, { ...of, weight: roundedWeight(layer, of.weight, gram, levels) });
  }
  return rounded;
}

const watchedOf = ({ name, node, kind, window }: Layer): Watched =>
  kind === "convolution"
    ? { name, node, window, rows: "patches" }
    : { name, value: node.inputs[0] ?? "", rows: "last" };

function roundedWeight(
  layer: Layer,
  weight: QuantisedWeight,
  gram: Matrix,
  { least, most }: Levels,
): QuantisedWeight {
  const { scales, axis } = weight;
  const { rows, columns, data } = transpose(matrixOf(layer));
  const levels = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    const scale = scales[axis === null ? 0 : row] ?? 1;
    const range = { least, most };
    levels.set(roundRow(values, scale, gram, range), row * columns);
  }
  return { ...weight, values: inOwnLayout(layer, { rows, columns, data: levels }) };
}

/** Rows [outputs, inputs x window] in the order of the layer's weight. */
function inOwnLayout(layer: Layer, rows: Matrix): Int8Array {
  const isByOutput =
    layer.kind === "convolution" ||
    (layer.node.opType === "Gemm" && Number(layer.weight.dims[0]) === rows.rows && isTurned(layer));
  return Int8Array.from(isByOutput ? rows.data : transpose(rows).data);
}

const isTurned = ({ node }: Layer): boolean =>
  node.attributes.some(
    ({ name, kind, value }) => name === "transB" && kind === "int" && value !== 0n,
  );

/** Moves of one weight after another; each lowers the error, so they come to an end before this. */
const MOVES_PER_WEIGHT = 10;

/** Levels of one row of weights, each one of the two next to its value. */
export function roundRow(
  values: Float64Array,
  scale: number,
  { data: gram }: Matrix,
  { least, most }: Pick<Levels, "least" | "most">,
): Float64Array {
  const size = values.length;
  const clamp = (level: number): number => Math.min(most, Math.max(least, level));
  const levels = values.map((value) => clamp(Math.round(value / scale)));
  const slope = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const error = (levels[i] ?? 0) * scale - (values[i] ?? 0);
    if (error !== 0) addColumn(slope, gram, i, error);
  }
  for (let move = 0; move < MOVES_PER_WEIGHT * size; move++) {
    let best = { at: -1, step: 0, gain: 0 };
    for (let i = 0; i < size; i++) {
      const level = levels[i] ?? 0;
      const exact = (values[i] ?? 0) / scale;
      const other = clamp(level > exact ? Math.floor(exact) : Math.ceil(exact));
      const step = (other - level) * scale;
      const gain = 2 * step * (slope[i] ?? 0) + step ** 2 * (gram[i * size + i] ?? 0);
      if (gain < best.gain) best = { at: i, step, gain };
    }
    if (best.at < 0) break;
    levels[best.at] = (levels[best.at] ?? 0) + Math.round(best.step / scale);
    addColumn(slope, gram, best.at, best.step);
  }
  return levels;
}

function addColumn(slope: Float64Array, gram: Float64Array, column: number, factor: number): void {
  const start = column * slope.length;
  for (let i = 0; i < slope.length; i++)
    slope[i] = (slope[i] ?? 0) + factor * (gram[start + i] ?? 0);
}
