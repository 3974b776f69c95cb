// MobileNetV2 (Sandler et al. 2018): inverted residuals with linear bottlenecks.

import {
  classifier,
  convBlock,
  dropout,
  type Features,
  globalAveragePool,
  invertedResidual,
  type LayerScope,
  spatialOf,
  unshrunk,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "Sandler et al. 2018, arXiv 1801.04381, table 2";

/** Expansion, filters, repetitions, stride of the first. */
type Row = readonly [expansion: number, filters: number, repeats: number, stride: number];

const LAYERS: readonly Row[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

const SMALL_LAYERS: readonly Row[] = [
  [1, 16, 1, 1],
  [4, 24, 2, 2],
  [4, 32, 2, 2],
  [4, 64, 2, 2],
];

interface Body {
  readonly rows: readonly Row[];
  readonly stride: number;
  readonly first: number;
  readonly last: number;
}

function features(at: LayerScope, image: Features, { rows, stride, first, last }: Body): Features {
  const six = { activation: "relu6" } as const;
  const stem = { ...six, filters: first, kernel: 3, stride, padding: 1, name: "stem" };
  let x = convBlock(at, image, stem);
  for (const [expansion, filters, repeats, step] of rows) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      x = invertedResidual(at, x, { expansion, filters, stride: repeat === 0 ? step : 1 });
    }
  }
  // The last convolution is widened by alpha, never narrowed (section 4.1).
  const scope = at.width.alpha < 1 ? unshrunk(at) : at;
  const wide = { ...six, filters: last, kernel: 1, name: "last" };
  return globalAveragePool(at, convBlock(scope, x, wide));
}

export const mobilenetV2: Net = net({
  name: "mobilenet-v2",
  description: "MobileNetV2 of inverted residuals",
  source: PAPER,
  input: { channels: 3, size: 224 },
  classes: 1000,
  divisor: 8,
  layers(at, image, classes) {
    const x = features(at, image, { rows: LAYERS, stride: 2, first: 32, last: 1280 });
    return classifier(at, dropout(at, x, 0.2), classes);
  },
});

export const smallMobilenetV2: Net = net({
  name: "mobilenet-v2-small",
  description: "MobileNetV2 for 28, 32 or 64 pixels: seven inverted residuals",
  source: `after ${PAPER}`,
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    const stride = firstStride(spatialOf(image)[0] ?? 1);
    const x = features(at, image, { rows: SMALL_LAYERS, stride, first: 16, last: 128 });
    return classifier(at, x, classes);
  },
});
