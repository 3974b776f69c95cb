// LeNets, VGG, SqueezeNet, MobileNetV1 and GoogLeNet as their papers and reference implementations
// define them.

import type { Model } from "../../src/onnx/index.ts";
import { type ConvOptions, type Features, imageNet, type Layers } from "./image-net.ts";

/** LeCun et al. 1998 with dense C3 and a linear output: the "modern" LeNet-5. */
export const lenet5 = (): Model =>
  imageNet([1, 28], (layers, image) => {
    const c1 = layers.conv(image, 6, { kernel: 5, pad: 2 });
    const c3 = layers.conv(layers.averagePool(c1, { kernel: 2, stride: 2 }), 16, { kernel: 5 });
    const s4 = layers.averagePool(c3, { kernel: 2, stride: 2 });
    const f6 = layers.dense(layers.dense(s4, 400, 120, true), 120, 84, true);
    return layers.dense(f6, 84, 10);
  });

/** Caffe's LeNet: 20-50-500-10 without padding. */
export const caffeLenet = (): Model =>
  imageNet([1, 28], (layers, image) => {
    const c1 = layers.conv(image, 20, { kernel: 5, relu: false });
    const c2 = layers.conv(layers.maxPool(c1, { kernel: 2, stride: 2 }), 50, {
      kernel: 5,
      relu: false,
    });
    const s2 = layers.maxPool(c2, { kernel: 2, stride: 2 });
    return layers.dense(layers.dense(s2, 800, 500, true), 500, 10);
  });

/** LeNet-300-100. */
export const lenet300 = (): Model =>
  imageNet([1, 28], (layers, image) =>
    layers.dense(layers.dense(layers.dense(image, 784, 300, true), 300, 100, true), 100, 10),
  );

/** Simonyan and Zisserman 2014, table 1: convolutions a block, D is VGG-16, E is VGG-19. */
export const vgg = (blocks: readonly number[]): Model =>
  imageNet([3, 224], (layers, image) => {
    let x = image;
    for (const [index, count] of blocks.entries()) {
      const filters = [64, 128, 256, 512, 512][index] ?? 512;
      for (let at = 0; at < count; at++) x = layers.conv(x, filters, { kernel: 3, pad: 1 });
      x = layers.maxPool(x, { kernel: 2, stride: 2 });
    }
    const hidden = layers.dense(layers.dense(x, 25_088, 4096, true), 4096, 4096, true);
    return layers.dense(hidden, 4096, 1000);
  });

/** Iandola et al. 2016: squeeze, then expand by 1x1 and 3x3. */
function fire(layers: Layers, x: Features, squeeze: number, expand: number): Features {
  const s = layers.conv(x, squeeze, { kernel: 1 });
  const ones = layers.conv(s, expand, { kernel: 1 });
  return layers.concat(ones, layers.conv(s, expand, { kernel: 3, pad: 1 }));
}

/** One fire module on its own. */
export const fireModule = (channels: number, squeeze: number, expand: number): Model =>
  imageNet([channels, 13], (layers, image) => fire(layers, image, squeeze, expand));

const FIRES = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
] as const;

/** SqueezeNet 1.0 and 1.1 (forresti/SqueezeNet, deploy.prototxt). Caffe's pools round up. */
export const squeezenet = (version: "1.0" | "1.1", size: number): Model =>
  imageNet([3, size], (layers, image) => {
    const pool = { kernel: 3, stride: 2, ceil: true };
    // Pools stand behind these many fire modules.
    const pooledAfter = version === "1.0" ? [0, 3, 7] : [0, 2, 4];
    const first = version === "1.0" ? { filters: 96, kernel: 7 } : { filters: 64, kernel: 3 };
    let x = layers.conv(image, first.filters, { kernel: first.kernel, stride: 2 });
    for (const [index, [squeeze, expand]] of FIRES.entries()) {
      if (pooledAfter.includes(index)) x = layers.maxPool(x, pool);
      x = fire(layers, x, squeeze, expand);
    }
    // The prototxt of 1.0 pads its 1 x 1 classifier.
    return layers.globalPool(layers.conv(x, 1000, { kernel: 1, pad: version === "1.0" ? 1 : 0 }));
  });

const SEPARABLE = [
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
] as const;

/** Howard et al. 2017, table 1, with width multiplier and resolution. */
export const mobilenet = (
  width: number,
  size: number,
  twin: "separable" | "full" = "separable",
): Model =>
  imageNet([3, size], (layers, image) => {
    const wide = (filters: number): number => filters * width;
    let x = layers.conv(image, wide(32), { kernel: 3, stride: 2, pad: 1, after: "norm" });
    for (const [filters, stride] of SEPARABLE) {
      if (twin === "full") {
        x = layers.conv(x, wide(filters), { kernel: 3, stride, pad: 1, after: "norm" });
        continue;
      }
      const depthwise = { kernel: 3, stride, pad: 1, group: x.channels, after: "norm" } as const;
      x = layers.conv(x, x.channels, depthwise);
      x = layers.conv(x, wide(filters), { kernel: 1, after: "norm" });
    }
    return layers.dense(layers.globalPool(x), wide(1024), 1000);
  });

/** #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj of table 1 (Szegedy et al. 2014). */
const INCEPTIONS = [
  [64, 96, 128, 16, 32, 32],
  [128, 128, 192, 32, 96, 64],
  [192, 96, 208, 16, 48, 64],
  [160, 112, 224, 24, 64, 64],
  [128, 128, 256, 24, 64, 64],
  [112, 144, 288, 32, 64, 64],
  [256, 160, 320, 32, 128, 128],
  [256, 160, 320, 32, 128, 128],
  [384, 192, 384, 48, 128, 128],
] as const;

/** The paper's network, as in Caffe; or torchvision's: 3x3 in place of 5x5, normalised, no biases. */
export const googlenet = (kind: "paper" | "torchvision"): Model =>
  imageNet([3, 224], (layers, image) => {
    const after = kind === "paper" ? "bias" : "norm";
    const conv = (x: Features, filters: number, options: ConvOptions): Features =>
      layers.conv(x, filters, { ...options, after });
    const half = { kernel: 3, stride: 2, ceil: true };
    let x = conv(image, 64, { kernel: 7, stride: 2, pad: 3 });
    x = conv(layers.maxPool(x, half), 64, { kernel: 1 });
    x = layers.maxPool(conv(x, 192, { kernel: 3, pad: 1 }), half);
    const large = kind === "paper" ? { kernel: 5, pad: 2 } : { kernel: 3, pad: 1 };
    for (const [index, [one, reduce3, three, reduce5, five, projection]] of INCEPTIONS.entries()) {
      if (index === 2 || index === 7) x = layers.maxPool(x, half);
      const pooled = layers.maxPool(x, { kernel: 3, stride: 1, pad: 1 });
      x = layers.concat(
        conv(x, one, { kernel: 1 }),
        conv(conv(x, reduce3, { kernel: 1 }), three, { kernel: 3, pad: 1 }),
        conv(conv(x, reduce5, { kernel: 1 }), five, large),
        conv(pooled, projection, { kernel: 1 }),
      );
    }
    return layers.dense(layers.globalPool(x), 1024, 1000);
  });
