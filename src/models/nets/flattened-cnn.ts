// A network of flattened convolutions, and the same with the full convolutions that they replace. The
// blocks are those of Jin et al. 2014, two stages each; the network around them is godwit's own.

import {
  activation,
  batchNorm,
  classifier,
  conv,
  convBlock,
  type Features,
  flattenedConv,
  type LayerScope,
  maxPool,
  spatialOf,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "after Jin, Dundar, Culurciello 2014, arXiv 1412.5474";
const ROWS = [
  { filters: 96, kernel: 5 },
  { filters: 128, kernel: 3 },
];

type Layer = (
  at: LayerScope,
  x: Features,
  options: { readonly filters: number; readonly kernel: number; readonly padding: "same" },
) => Features;

/** The first convolution stays full: three channels have little to flatten. */
const around = (name: string, description: string, layer: Layer): Net =>
  net({
    name,
    description,
    source: PAPER,
    input: { channels: 3, size: 32 },
    classes: 10,
    layers(at, image, classes) {
      const stride = firstStride(spatialOf(image)[0] ?? 1);
      const first = { filters: 48, kernel: 5, padding: "same", stride, name: "conv1" } as const;
      let x = maxPool(at, convBlock(at, image, first), { kernel: 2 });
      for (const row of ROWS) {
        const y = layer(at, x, { ...row, padding: "same" });
        x = maxPool(at, activation(at, batchNorm(at, y), "relu"), { kernel: 2 });
      }
      return classifier(at, x, classes);
    },
  });

export const flattenedCnn = around(
  "flattened-cnn",
  "three convolutions, the later two flattened to lateral, vertical and horizontal ones",
  (at, x, options) => flattenedConv(at, x, { ...options, stages: 2 }),
);

export const fullCnn = around(
  "flattened-cnn-full",
  "the twin of flattened-cnn with full convolutions",
  (at, x, options) => conv(at, x, options),
);
