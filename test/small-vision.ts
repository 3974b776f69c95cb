// A small convolutional network and pictures that it tells apart, for tests of making models smaller.

import { createRandom } from "../src/core/index.ts";
import { type FilledColumn, memoryDataset } from "../src/models/data/index.ts";
import { type Model, type ModelBuilder, modelBuilder } from "../src/onnx/index.ts";
import { operators } from "./operators.ts";

const SIZE = 12;
const CLASSES = 4;
const WIDTH = 32;

/** `image` [batch, 1, 12, 12] to `scores` [batch, 4] by three convolutions; its weights are drawn. */
export function smallVisionNet(seed = 5): Model {
  const random = createRandom(seed);
  const g = modelBuilder({ operators, name: "small vision net" });
  const drawn = (of: ModelBuilder, dims: readonly number[], scale = 1): string => {
    const fan = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const count = dims.reduce((product, dim) => product * dim, 1);
    const values = Array.from(
      { length: count },
      () => scale * random.normal() * Math.sqrt(2 / fan),
    );
    return of.constant("float32", { dims, values });
  };
  const conv = (x: string, from: number, to: number): string =>
    g.op("Relu", [
      g.op("Conv", [x, drawn(g, [to, from, 3, 3]), drawn(g, [to], 0.1)], { pads: [1, 1, 1, 1] }),
    ]);
  let x = g.input("image", "float32", ["batch", 1, SIZE, SIZE]);
  x = conv(x, 1, WIDTH);
  // A factor that a simplifier folds into the convolution before it.
  x = g.op("Mul", [x, g.constant("float32", { dims: [], values: [0.5] })]);
  x = conv(conv(x, WIDTH, WIDTH), WIDTH, WIDTH);
  // Where something is matters more than how much of it there is, so that classes differ.
  const pooled = g.op("MaxPool", [x], { kernel_shape: [4, 4], strides: [4, 4] });
  // A row of the last layer adds up to nothing over the places of a channel: what all pictures have in
  // common cancels, and the classes occur about equally often.
  const values = Array.from({ length: 9 * WIDTH * CLASSES }, () => 0);
  for (let channel = 0; channel < WIDTH; channel++) {
    for (let c = 0; c < CLASSES; c++) {
      const own = Array.from({ length: 9 }, () => random.normal());
      const centre = own.reduce((sum, value) => sum + value, 0) / 9;
      for (let place = 0; place < 9; place++) {
        values[(channel * 9 + place) * CLASSES + c] = (own[place] ?? 0) - centre;
      }
    }
  }
  const last = g.constant("float32", { dims: [9 * WIDTH, CLASSES], values });
  g.output(g.op("Gemm", [g.op("Flatten", [pooled]), last]), {
    name: "scores",
  });
  return g.finish();
}

/** Pictures of waves of four kinds with noise; labels are given by `labelOf`, where there are any. */
export function smallPictures(count: number, labels: readonly number[] | null, seed = 5) {
  const random = createRandom(seed);
  const plane = SIZE * SIZE;
  const data = new Float32Array(count * plane);
  for (let row = 0; row < count; row++) {
    const [fx, fy] = [random.integer(4), random.integer(4)];
    for (let at = 0; at < plane; at++) {
      const wave = Math.sin((fx * (at % SIZE) + fy * Math.floor(at / SIZE)) * 0.6);
      data[row * plane + at] = wave + 0.3 * random.normal();
    }
  }
  const image: FilledColumn = { name: "image", dataType: "float32", shape: [1, SIZE, SIZE], data };
  if (labels === null) return memoryDataset("pictures", [image]);
  const label: FilledColumn = {
    ...{ name: "label", dataType: "int64", shape: [] },
    data: BigInt64Array.from(labels, BigInt),
  };
  return memoryDataset("pictures", [image, label]);
}
