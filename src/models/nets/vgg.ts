// VGG (Simonyan and Zisserman 2014): blocks of 3 x 3 convolutions between maximum pools.

import {
  classifier,
  conv,
  convBlock,
  dense,
  dropout,
  type Features,
  type LayerScope,
  maxPool,
  relu,
  spatialOf,
  within,
} from "../layers/index.ts";
import { halvings } from "./halvings.ts";
import { type Net, net } from "./net.ts";

const PAPER = "Simonyan and Zisserman 2014, arXiv 1409.1556, table 1";
const FILTERS = [64, 128, 256, 512, 512];

/** A configuration of table 1 by how many convolutions its blocks have. */
const vgg = (name: string, depth: number, convolutions: readonly number[]): Net =>
  net({
    name,
    description: `VGG with ${depth} layers: ${depth - 3} convolutions of 3 x 3 and 3 dense`,
    source: PAPER,
    input: { channels: 3, size: 224 },
    classes: 1000,
    layers(at, image, classes) {
      let x = image;
      for (const [index, count] of convolutions.entries()) {
        const block = within(at, `block${index + 1}`);
        const options = { filters: FILTERS[index] ?? 512, kernel: 3, padding: 1 };
        for (let layer = 0; layer < count; layer++) x = relu(block, conv(block, x, options));
        x = maxPool(block, x, { kernel: 2 });
      }
      for (const name of ["fc6", "fc7"]) x = hidden(at, x, { units: 4096, name });
      return classifier(at, x, classes);
    },
  });

function hidden(
  at: LayerScope,
  x: Features,
  {
    rate = 0.5,
    ...options
  }: { readonly units: number; readonly name: string; readonly rate?: number },
): Features {
  return dropout(at, relu(at, dense(at, x, options)), rate);
}

/** Configuration D. */
export const vgg16 = vgg("vgg-16", 16, [2, 2, 3, 3, 3]);
/** Configuration E. */
export const vgg19 = vgg("vgg-19", 19, [2, 2, 4, 4, 4]);

const SMALL_FILTERS = [16, 32, 64, 64];

/** The same pattern for images of 8 to 64 pixels. */
export const smallVgg: Net = net({
  name: "vgg-small",
  description:
    "VGG for 28, 32 or 64 pixels: pairs of normalised 3 x 3 convolutions, one dense layer",
  source: `after ${PAPER}`,
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    let x = image;
    for (let index = 0; index < halvings(spatialOf(image)[0] ?? 1); index++) {
      const block = within(at, `block${index + 1}`);
      const options = { filters: SMALL_FILTERS[index] ?? 64, kernel: 3, padding: 1, name: "conv" };
      x = convBlock(block, convBlock(block, x, options), options);
      x = maxPool(block, x, { kernel: 2 });
    }
    // A half, as in the paper, is much to lose of few units, and beside normalised layers.
    const last = hidden(at, x, { units: 128, name: "dense", rate: 0.2 });
    return classifier(at, last, classes);
  },
});
