// ShuffleNet (Zhang et al. 2017) for small images: group convolutions whose channels are shuffled.

import {
  classifier,
  convBlock,
  globalAveragePool,
  shuffleUnit,
  spatialOf,
  within,
} from "../layers/index.ts";
import { firstStride } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const GROUPS = 3;
const STAGES = [
  { filters: 60, units: 3 },
  { filters: 120, units: 3 },
];

export const smallShufflenet: Net = net({
  name: "shufflenet-small",
  description: "ShuffleNet for 28, 32 or 64 pixels: two stages of three units, three groups",
  source: "after Zhang et al. 2017, arXiv 1707.01083, table 1",
  input: { channels: 3, size: 32 },
  classes: 10,
  divisor: GROUPS,
  layers(at, image, classes) {
    const stride = firstStride(spatialOf(image)[0] ?? 1);
    let x = convBlock(at, image, { filters: 24, kernel: 3, padding: 1, stride, name: "stem" });
    for (const [index, { filters, units }] of STAGES.entries()) {
      const stage = within(at, `stage${index + 1}`);
      for (let unit = 0; unit < units; unit++) {
        x = shuffleUnit(stage, x, { filters, groups: GROUPS, stride: unit === 0 ? 2 : 1 });
      }
    }
    return classifier(at, globalAveragePool(at, x), classes);
  },
});
