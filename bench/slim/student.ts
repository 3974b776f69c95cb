// A net that is made to be small, as a student of a larger one: it halves the picture where the larger net
// still has all its pixels, since there its work is, and has channels in the blocks of 16 that ONNX Runtime's
// kernels take.

import {
  classifier,
  conv,
  dense,
  type LayerScope,
  maxPool,
  relu,
  within,
} from "../../src/models/layers/index.ts";
import { type Net, net } from "../../src/models/nets/net.ts";

type Features = Parameters<typeof conv>[1];

/** 3 x 3 convolutions that end at 7 x 7 or 8 x 8, without normalisation, and one dense layer. */
export const student: Net = net({
  name: "student",
  description: "3 x 3 convolutions, the first ones with a stride of 2, and one dense layer",
  source: "bench/slim",
  input: { channels: 3, size: 32 },
  classes: 10,
  layers(at, image, classes) {
    const side = Number(image.shape.at(-1));
    let x = layer(at, image, { filters: 16, stride: 2, name: "stem" });
    if (side > 32) x = layer(at, x, { filters: 32, stride: 2, name: "second" });
    x = layer(at, x, { filters: 32, stride: 1, name: "third" });
    x = maxPool(at, x, { kernel: 2 });
    x = layer(at, x, { filters: 64, stride: 1, name: "fourth" });
    x = maxPool(at, x, { kernel: 2 });
    return classifier(at, relu(at, dense(at, x, { units: 64, name: "dense" })), classes);
  },
});

const layer = (
  at: LayerScope,
  x: Features,
  options: { readonly filters: number; readonly stride: number; readonly name: string },
): Features =>
  relu(
    within(at, options.name),
    conv(within(at, options.name), x, { ...options, kernel: 3, padding: 1 }),
  );
