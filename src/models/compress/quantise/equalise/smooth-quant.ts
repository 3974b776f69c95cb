// SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): outliers of activations sit in few channels; part of
// their size is moved into the weights, so that one grid for the whole activation is not wasted on them.

import { UserError } from "../../../../core/index.ts";
import { type Matrix, transpose } from "../../../../engine/index.ts";
import { indexGraph } from "../../../../onnx/index.ts";
import { type Layer, layersOf, matrixOf } from "../../layer.ts";
import type { Change, Pass, Refusal } from "../../pass.ts";
import { gridOf, INT8_SYMMETRIC, type Range, roundTrip, UINT8 } from "../grid.ts";
import { type ChannelExtremes, watchChannels } from "./channel-extremes.ts";
import { layersByInput, type ScaledInput, scaleInputs } from "./input-scales.ts";

export interface SmoothOptions {
  /**
   * How much of the size goes into the weights, 0 to 1, or the best for each input of 0, 0.1 ... 1.
   * Default: auto.
   */
  readonly alpha?: number | "auto";
}

const NAME = "smooth-quant";

/** Moves outliers from activations into weights. The float model computes what it did. */
export const smoothQuant: Pass<SmoothOptions | undefined> = {
  name: NAME,
  fidelity: "reordered",
  async apply(model, context, options) {
    const alpha = options?.alpha ?? "auto";
    if (alpha !== "auto" && !(alpha >= 0 && alpha <= 1)) throw outOfRange(alpha);
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const { layers } = layersOf(indexGraph(graph));
    const groups = layersByInput(layers);
    const extremes = await watchChannels(model, [...groups.keys()], context, NAME);
    const refused: Refusal[] = [];
    const changes: Change[] = [];
    const scaled = [...groups].flatMap(([value, readers]): ScaledInput[] => {
      const seen = extremes.get(value);
      if (seen === undefined) {
        refused.push({ pass: NAME, subject: value, reason: "its number of channels is not known" });
        return [];
      }
      const chosen = alpha === "auto" ? bestAlpha(readers, seen) : alpha;
      const what = `alpha ${chosen}, read by ${readers.map(({ name }) => name).join(", ")}`;
      changes.push({ pass: NAME, subject: value, what });
      const scales = smoothingScales(seen.largest, largestWeights(readers), chosen);
      return [{ value, layers: readers, scales }];
    });
    if (groups.size === 0) {
      const reason = "no product of its main graph has a stored weight";
      refused.push({ pass: NAME, subject: graph.name || "the model", reason });
    }
    const { model: smooth } = await scaleInputs(model, scaled, context);
    return { model: smooth, changes, refused };
  },
};

function outOfRange(alpha: number): UserError {
  return new UserError("invalid-input", `alpha cannot be ${alpha}`, {
    hint: 'Give a number from 0 to 1, or "auto".',
  });
}

/** Below this, channels are as good as unused. */
const LEAST_SCALE = 1e-5;

/** s_j = max|X_j|^alpha / max|W_j|^(1 - alpha), at least 1e-5. */
export function smoothingScales(
  activations: Float64Array,
  weights: Float64Array,
  alpha: number,
): Float64Array {
  return activations.map((x, channel) => {
    const w = Math.max(weights[channel] ?? 0, LEAST_SCALE);
    return Math.max(Math.max(x, LEAST_SCALE) ** alpha / w ** (1 - alpha), LEAST_SCALE);
  });
}

/** Largest absolute weight of each input channel over all layers that read it. */
function largestWeights(layers: readonly Layer[]): Float64Array {
  const largest = new Float64Array(layers[0]?.inputs ?? 0);
  for (const layer of layers) {
    const { columns, data } = matrixOf(layer);
    for (let at = 0; at < data.length; at++) {
      const channel = Math.floor(at / columns);
      largest[channel] = Math.max(largest[channel] ?? 0, Math.abs(data[at] ?? 0));
    }
  }
  return largest;
}

/** Outputs of a layer that are compared; the loss is a mean over them. */
const OUTPUTS = 64;

/** The alpha of 0, 0.1 ... 1 whose rounded products differ least from the float ones. */
function bestAlpha(layers: readonly Layer[], seen: ChannelExtremes): number {
  const weights = largestWeights(layers);
  const parts = layers.map((layer) => leadingOutputs(transpose(matrixOf(layer))));
  let best = { alpha: 0, loss: Number.POSITIVE_INFINITY };
  for (let step = 0; step <= 10; step++) {
    const scales = smoothingScales(seen.largest, weights, step / 10);
    const loss = parts.reduce((sum, part) => sum + roundingLoss(seen, part, scales), 0);
    if (loss < best.loss) best = { alpha: step / 10, loss };
  }
  return best.alpha;
}

/** The first rows [outputs, inputs]. */
function leadingOutputs({ rows, columns, data }: Matrix): Matrix {
  const count = Math.min(rows, OUTPUTS);
  return { rows: count, columns, data: data.subarray(0, count * columns) };
}

/** Square error of products of rounded rows X / s on one grid and rounded weights s W by output. */
function roundingLoss(
  { rows, largest }: ChannelExtremes,
  weights: Matrix,
  scales: Float64Array,
): number {
  const channels = weights.columns;
  const most = largest.reduce((max, x, channel) => Math.max(max, x / (scales[channel] ?? 1)), 0);
  const range: Range = { min: hasNegative(rows) ? -most : 0, max: most };
  const grid = gridOf(range, UINT8);
  const rounded = rows.map((row) =>
    Float64Array.from(row, (x, channel) => roundTrip(x / (scales[channel] ?? 1), grid)),
  );
  let loss = 0;
  for (let output = 0; output < weights.rows; output++) {
    const own = weights.data.subarray(output * channels, (output + 1) * channels);
    const scaled = own.map((w, channel) => w * (scales[channel] ?? 1));
    const size = scaled.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    const levels = gridOf({ min: -size, max: size }, INT8_SYMMETRIC, true);
    const weight = scaled.map((w) => roundTrip(w, levels));
    for (const [at, row] of rows.entries()) {
      let difference = 0;
      const other = rounded[at] ?? new Float64Array();
      for (let i = 0; i < channels; i++) {
        difference += (row[i] ?? 0) * (own[i] ?? 0) - (other[i] ?? 0) * (weight[i] ?? 0);
      }
      loss += difference ** 2;
    }
  }
  return loss;
}

const hasNegative = (rows: readonly Float32Array[]): boolean =>
  rows.some((row) => row.some((x) => x < 0));
