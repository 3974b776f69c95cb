// SqueezeNet (Iandola et al. 2016): fire modules, no dense layer.

import {
  classifier,
  conv,
  convBlock,
  dropout,
  type Features,
  fire,
  globalAveragePool,
  type LayerScope,
  maxPool,
  relu,
  spatialOf,
  unshrunk,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "Iandola et al. 2016, arXiv 1602.07360";

/** Squeeze and expand filters of a fire module. */
type Row = readonly [squeeze: number, expand: number];

const FIRES: readonly Row[] = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
];

interface Version {
  readonly first: { readonly filters: number; readonly kernel: number };
  /** Pools stand before these fire modules, counted from 0. */
  readonly pools: readonly number[];
  /** Zeros around the classifier's input. */
  readonly padding: number;
}

const squeezenet = (number: string, { first, pools, padding }: Version): Net =>
  net({
    name: `squeezenet-${number}`,
    description: `SqueezeNet ${number}: eight fire modules`,
    source: `${PAPER}; forresti/SqueezeNet, SqueezeNet_v${number}/deploy.prototxt`,
    input: { channels: 3, size: 227 },
    classes: 1000,
    layers(at, image, classes) {
      let x = relu(at, conv(at, image, { ...first, stride: 2, name: "conv1" }));
      for (const [index, [squeeze, expand]] of FIRES.entries()) {
        // Caffe's pools round up.
        if (pools.includes(index)) x = maxPool(at, x, { kernel: 3, stride: 2, rounding: "up" });
        x = fire(at, x, { squeeze, expand, name: `fire${index + 2}` });
      }
      return scores(at, dropout(at, x, 0.5), { classes, padding });
    },
  });

/** A map for each class, and its mean. */
function scores(
  at: LayerScope,
  x: Features,
  { classes, padding }: { readonly classes: number; readonly padding: number },
): Features {
  const options = { filters: classes, kernel: 1, padding, name: "classifier" };
  return globalAveragePool(at, relu(at, conv(unshrunk(at), x, options)));
}

/** The prototxt of 1.0 pads its 1 x 1 classifier; that of 1.1 does not. */
export const squeezenet10 = squeezenet("1.0", {
  first: { filters: 96, kernel: 7 },
  pools: [0, 3, 7],
  padding: 1,
});
export const squeezenet11 = squeezenet("1.1", {
  first: { filters: 64, kernel: 3 },
  pools: [0, 2, 4],
  padding: 0,
});

const SMALL_FIRES: readonly Row[] = [
  [8, 32],
  [16, 64],
  [24, 96],
];

export const smallSqueezenet: Net = net({
  name: "squeezenet-small",
  description: "SqueezeNet for 28, 32 or 64 pixels: three pairs of normalised fire modules",
  source: `after ${PAPER}`,
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    const stride = firstStride(spatialOf(image)[0] ?? 1);
    const first = { filters: 32, kernel: 3, padding: 1, stride, name: "conv1" };
    let x = convBlock(at, image, first);
    for (const [squeeze, expand] of SMALL_FIRES) {
      const module = { squeeze, expand, norm: "batch" } as const;
      x = maxPool(at, x, { kernel: 3, stride: 2, padding: 1 });
      x = fire(at, fire(at, x, module), module);
    }
    return classifier(at, globalAveragePool(at, x), classes);
  },
});
