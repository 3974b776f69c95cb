// MobileNetV1 (Howard et al. 2017): depthwise-separable convolutions, shrunk by alpha and rho.

import {
  classifier,
  convBlock,
  type Features,
  globalAveragePool,
  type LayerScope,
  separableConv,
  spatialOf,
  within,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "Howard et al. 2017, arXiv 1704.04861, table 1";

/** Filters and stride of a layer. */
type Row = readonly [filters: number, stride: number];

/** The 13 separable layers of table 1. */
const LAYERS: readonly Row[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

const SMALL_LAYERS: readonly Row[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
];

interface Body {
  readonly stride: number;
  readonly rows: readonly Row[];
  /** Emits one layer of the body. */
  layer(at: LayerScope, x: Features, row: Row): Features;
}

/** The first full convolution, the body, the mean of each channel. */
function features(at: LayerScope, image: Features, { stride, rows, layer }: Body): Features {
  const stem = { filters: 32, kernel: 3, stride, padding: 1, name: "stem" };
  let x = convBlock(at, image, stem);
  for (const [index, row] of rows.entries()) x = layer(within(at, `layer${index + 1}`), x, row);
  return globalAveragePool(at, x);
}

const separable: Body["layer"] = (at, x, [filters, stride]) =>
  separableConv(at, x, { filters, stride });

export const mobilenetV1: Net = net({
  name: "mobilenet-v1",
  description: "MobileNet of depthwise-separable convolutions; alpha and rho give its grid",
  source: PAPER,
  input: { channels: 3, size: 224 },
  classes: 1000,
  layers(at, image, classes) {
    const x = features(at, image, { stride: 2, rows: LAYERS, layer: separable });
    return classifier(at, x, classes);
  },
});

/** Table 4: what the separable layers replace. */
export const fullMobilenetV1: Net = net({
  name: "mobilenet-v1-full",
  description: "MobileNet's twin with full convolutions in place of separable ones",
  source: "Howard et al. 2017, arXiv 1704.04861, table 4",
  input: { channels: 3, size: 224 },
  classes: 1000,
  layers(at, image, classes) {
    const layer: Body["layer"] = (inner, x, [filters, stride]) =>
      convBlock(inner, x, { filters, stride, kernel: 3, padding: 1 });
    return classifier(at, features(at, image, { stride: 2, rows: LAYERS, layer }), classes);
  },
});

export const smallMobilenetV1: Net = net({
  name: "mobilenet-v1-small",
  description: "MobileNet for 28, 32 or 64 pixels: five depthwise-separable layers",
  source: `after ${PAPER}`,
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    const stride = firstStride(spatialOf(image)[0] ?? 1);
    const x = features(at, image, { stride, rows: SMALL_LAYERS, layer: separable });
    return classifier(at, x, classes);
  },
});
