// GoogLeNet (Szegedy et al. 2014) without its auxiliary classifiers: as in the paper and Caffe, and as
// torchvision has it.

import {
  type BlockStyle,
  classifier,
  convBlock,
  dropout,
  globalAveragePool,
  type InceptionOptions,
  inception,
  localResponseNorm,
  maxPool,
  spatialOf,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "Szegedy et al. 2014, arXiv 1409.4842, table 1";

type Row = Pick<InceptionOptions, "one" | "three" | "five" | "pool"> & { readonly name: string };

const INCEPTIONS: readonly Row[] = [
  { name: "3a", one: 64, three: [96, 128], five: [16, 32], pool: 32 },
  { name: "3b", one: 128, three: [128, 192], five: [32, 96], pool: 64 },
  { name: "4a", one: 192, three: [96, 208], five: [16, 48], pool: 64 },
  { name: "4b", one: 160, three: [112, 224], five: [24, 64], pool: 64 },
  { name: "4c", one: 128, three: [128, 256], five: [24, 64], pool: 64 },
  { name: "4d", one: 112, three: [144, 288], five: [32, 64], pool: 64 },
  { name: "4e", one: 256, three: [160, 320], five: [32, 128], pool: 128 },
  { name: "5a", one: 256, three: [160, 320], five: [32, 128], pool: 128 },
  { name: "5b", one: 384, three: [192, 384], five: [48, 128], pool: 128 },
];

const HALVED = { kernel: 3, stride: 2, rounding: "up" } as const;

interface Variant extends BlockStyle {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  /** Kernel of the third branch. */
  readonly large: 3 | 5;
  /** Whether neighbouring channels are normalised behind the first pool and the second convolution. */
  readonly responseNorm: boolean;
  readonly dropout: number;
}

function googlenet(variant: Variant): Net {
  const { name, description, source, large, responseNorm, dropout: rate, ...style } = variant;
  return net({
    name,
    description,
    source,
    input: { channels: 3, size: 224 },
    classes: 1000,
    layers(at, image, classes) {
      const wide = { ...style, filters: 64, kernel: 7, stride: 2, padding: 3, name: "conv1" };
      let x = maxPool(at, convBlock(at, image, wide), HALVED);
      if (responseNorm) x = localResponseNorm(at, x);
      x = convBlock(at, x, { ...style, filters: 64, kernel: 1, name: "conv2_reduce" });
      x = convBlock(at, x, { ...style, filters: 192, kernel: 3, padding: 1, name: "conv2" });
      if (responseNorm) x = localResponseNorm(at, x);
      x = maxPool(at, x, HALVED);
      for (const row of INCEPTIONS) {
        if (row.name === "4a" || row.name === "5a") x = maxPool(at, x, HALVED);
        x = inception(at, x, { ...style, ...row, large, name: `inception_${row.name}` });
      }
      return classifier(at, dropout(at, globalAveragePool(at, x), rate), classes);
    },
  });
}

export const paperGooglenet = googlenet({
  name: "googlenet",
  description: "GoogLeNet of the paper: nine inception blocks with 5x5 branches and biases",
  source: `${PAPER}; BVLC/caffe, models/bvlc_googlenet`,
  large: 5,
  norm: "none",
  responseNorm: true,
  dropout: 0.4,
});

export const normalisedGooglenet = googlenet({
  name: "googlenet-bn",
  description: "GoogLeNet of torchvision: batch normalisation, 3x3 in place of 5x5",
  source: "pytorch/vision, torchvision/models/googlenet.py",
  large: 3,
  norm: "batch",
  epsilon: 1e-3,
  responseNorm: false,
  dropout: 0.2,
});

const SMALL_INCEPTIONS: readonly Row[] = [
  { name: "a", one: 16, three: [16, 32], five: [4, 8], pool: 8 },
  { name: "b", one: 32, three: [24, 48], five: [6, 16], pool: 16 },
  { name: "c", one: 48, three: [32, 64], five: [8, 24], pool: 24 },
];

export const smallGooglenet: Net = net({
  name: "googlenet-small",
  description: "GoogLeNet for 28, 32 or 64 pixels: three normalised inception blocks",
  source: `after ${PAPER}`,
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    const stride = firstStride(spatialOf(image)[0] ?? 1);
    let x = convBlock(at, image, { filters: 32, kernel: 3, padding: 1, stride, name: "conv1" });
    for (const row of SMALL_INCEPTIONS) {
      x = maxPool(at, x, { kernel: 3, stride: 2, padding: 1 });
      x = inception(at, x, { ...row, name: `inception_${row.name}` });
    }
    return classifier(at, dropout(at, globalAveragePool(at, x), 0.2), classes);
  },
});
