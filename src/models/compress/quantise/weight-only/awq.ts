// Activation-aware weight quantisation (Lin et al. 2023, arXiv 2306.00978): inputs that carry much are
// rounded finer, by multiplying their weights and dividing the input. How much is found by trying.

import { createProducts, type Matrix, type Products, transpose } from "../../../../engine/index.ts";
import type { Graph, Model } from "../../../../onnx/index.ts";
import { indexGraph } from "../../../../onnx/index.ts";
import { type Layer, layersOf, matrixOf } from "../../layer.ts";
import type { PassContext } from "../../pass.ts";
import { collectMoments, type Moments } from "../../statistics.ts";
import { watchChannels } from "../equalise/channel-extremes.ts";
import { layersByInput, type ScaledInput, scaleInputs } from "../equalise/input-scales.ts";
import { type BlockFormat, dequantiseBlocks } from "./blocks.ts";
import { roundToNearest } from "./nearest.ts";

/** Powers of the mean activation that are tried: 0, 1/20 ... 19/20. */
const POWERS = 20;
const LEAST = 1e-4;

/**
 * The model with inputs of the chosen layers scaled as suits the format best. It computes what it did; what
 * follows is rounding to nearest.
 */
export async function scaleForFormat(
  model: Model,
  chosen: ReadonlySet<string>,
  format: BlockFormat,
  context: PassContext,
): Promise<Model> {
  const { layers } = layersOf(indexGraph(model.graph as Graph));
  const groups = layersByInput(layers.filter(({ name }) => chosen.has(name)));
  const activations = await watchChannels(model, [...groups.keys()], context, "awq");
  const watched = [...groups.keys()].map((value) => ({
    name: value,
    value,
    rows: "last" as const,
  }));
  const moments = await collectMoments(model, watched, context);
  const products = await createProducts({ runtime: context.runtime });
  try {
    const scaled: ScaledInput[] = [];
    for (const [value, readers] of groups) {
      context.signal?.throwIfAborted();
      const [seen, known] = [activations.get(value), moments.get(value)];
      if (seen === undefined || known === undefined) continue;
      const scales = await bestScales(readers, seen.mean, known, { format, products });
      scaled.push({ value, layers: readers, scales });
    }
    return (await scaleInputs(model, scaled, context)).model;
  } finally {
    await products.close();
  }
}

interface Trial {
  readonly format: BlockFormat;
  readonly products: Products;
}

async function bestScales(
  layers: readonly Layer[],
  mean: Float64Array,
  { gram }: Moments,
  { format, products }: Trial,
): Promise<Float64Array> {
  let best: { scales: Float64Array; error: number } = {
    scales: mean.map(() => 1),
    error: Number.POSITIVE_INFINITY,
  };
  for (let step = 0; step < POWERS; step++) {
    const scales = scalesOf(mean, step / POWERS);
    let error = 0;
    for (const layer of layers) {
      error += await outputError(differenceOf(layer, scales, format), gram, products);
    }
    if (error < best.error) best = { scales, error };
  }
  return best.scales;
}

/** max(mean|x|^r, 1e-4), around 1: divided by the root of the largest times the least. */
export function scalesOf(mean: Float64Array, power: number): Float64Array {
  const raw = mean.map((of) => Math.max(of ** power, LEAST));
  const centre = Math.sqrt(Math.max(...raw) * Math.min(...raw));
  return raw.map((of) => of / centre);
}

/** W - Q(W s) / s, [inputs, outputs]. */
function differenceOf(layer: Layer, scales: Float64Array, format: BlockFormat): Matrix {
  const { rows, columns, data } = transpose(matrixOf(layer));
  const scaled = data.map((of, at) => of * (scales[at % columns] ?? 1));
  const back = dequantiseBlocks(roundToNearest(scaled, columns, format));
  const difference = data.map((of, at) => of - (back[at] ?? 0) / (scales[at % columns] ?? 1));
  return transpose({ rows, columns, data: difference });
}

/** ||X D||^2 = sum of D o (X^T X D). */
async function outputError(difference: Matrix, gram: Matrix, products: Products): Promise<number> {
  const { data } = await products.multiply(gram, difference);
  return data.reduce((sum, of, at) => sum + of * (difference.data[at] ?? 0), 0);
}
