// Residual networks for small images (He et al. 2016, section 4.2), with projections where they narrow.

import {
  classifier,
  convBlock,
  globalAveragePool,
  residualBlock,
  spatialOf,
  within,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

/** 6n + 2 layers: a convolution, three stages of n blocks, the classifier. */
const resnet = (n: number): Net =>
  net({
    name: `resnet-${6 * n + 2}`,
    description: `residual network with ${6 * n + 2} layers for small images`,
    source: "He et al. 2016, arXiv 1512.03385, section 4.2, with projection shortcuts",
    input: { channels: 3, size: 32 },
    classes: 10,
    layers(at, image, classes) {
      const stride = firstStride(spatialOf(image)[0] ?? 1);
      let x = convBlock(at, image, { filters: 16, kernel: 3, padding: 1, stride, name: "stem" });
      for (const [index, filters] of [16, 32, 64].entries()) {
        const stage = within(at, `stage${index + 1}`);
        for (let block = 0; block < n; block++) {
          x = residualBlock(stage, x, { filters, stride: index > 0 && block === 0 ? 2 : 1 });
        }
      }
      return classifier(at, globalAveragePool(at, x), classes);
    },
  });

export const resnet8 = resnet(1);
export const resnet20 = resnet(3);
