// A small dense network and data that it can learn, for tests of training.

import { createRandom } from "../src/core/index.ts";
import { type Model, modelBuilder } from "../src/onnx/index.ts";
import { operators } from "./operators.ts";

const [FEATURES, HIDDEN, CLASSES] = [4, 8, 3];

/** `x` [batch, 4] to `scores` [batch, 3] over one hidden layer; weights are drawn from the seed. */
export function smallNet(seed = 1): Model {
  const random = createRandom(seed);
  const g = modelBuilder({ operators, name: "small net" });
  const weights = (name: string, dims: readonly number[], scale: number): string =>
    g.initializer(name, {
      ...{ dims: dims.map(BigInt), dataType: "float32", metadata: [] },
      data: {
        kind: "float32",
        values: Float32Array.from(
          { length: dims.reduce((product, dim) => product * dim, 1) },
          () => scale * random.normal(),
        ),
      },
    });
  const x = g.input("x", "float32", ["batch", FEATURES]);
  const first = [
    weights("hidden/weight", [FEATURES, HIDDEN], 0.5),
    weights("hidden/bias", [HIDDEN], 0),
  ];
  const hidden = g.op("Relu", [g.op("Gemm", [x, ...first])]);
  const second = [
    weights("scores/weight", [HIDDEN, CLASSES], 0.5),
    weights("scores/bias", [CLASSES], 0),
  ];
  g.output(g.op("Gemm", [hidden, ...second]), { name: "scores" });
  return g.finish();
}

/** Its parameters. */
export const smallParameters = ["hidden/weight", "hidden/bias", "scores/weight", "scores/bias"];

/** Points around three centres, with the number of each point's centre. */
export function smallData(
  rows: number,
  seed = 2,
): { readonly x: Float32Array; readonly labels: BigInt64Array } {
  const random = createRandom(seed);
  const labels = BigInt64Array.from({ length: rows }, () => BigInt(random.integer(CLASSES)));
  const x = Float32Array.from({ length: rows * FEATURES }, (_, at) => {
    const label = Number(labels[Math.floor(at / FEATURES)]);
    return (at % FEATURES === label ? 2 : 0) + random.normal();
  });
  return { x, labels };
}
