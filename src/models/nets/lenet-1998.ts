// LeNet-5 as published (LeCun, Bottou, Bengio, Haffner 1998, section II.B): partly connected C3, pools
// with a coefficient and a bias, scaled hyperbolic tangents, outputs that are distances to pictures of
// the digits.

import {
  activation,
  averagePool,
  channelsOf,
  concat,
  conv,
  dense,
  type Features,
  flatten,
  type LayerScope,
  ones,
  spatialOf,
  weight,
  within,
  zeros,
} from "../layers/index.ts";
import { DIGITS } from "./digit-codes.ts";
import { type Net, net } from "./net.ts";

/** Table I: the maps of S2 that each map of C3 reads, those that read equally many together. */
const TABLE: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [3, 4, 5],
    [0, 4, 5],
    [0, 1, 5],
  ],
  [
    [0, 1, 2, 3],
    [1, 2, 3, 4],
    [2, 3, 4, 5],
    [0, 3, 4, 5],
    [0, 1, 4, 5],
    [0, 1, 2, 5],
  ],
  [
    [0, 1, 3, 4],
    [1, 2, 4, 5],
    [0, 2, 3, 5],
  ],
  [[0, 1, 2, 3, 4, 5]],
];

/** Pixels a side that the network sees; smaller images are put in the middle. */
const FIELD = 32;

export const lenet5Of1998: Net = net({
  name: "lenet-5-1998",
  description: "LeNet-5 as published in 1998: partial connections, trained pools, RBF outputs",
  source: "LeCun et al. 1998, Proc. IEEE 86(11), section II.B",
  input: { channels: 1, size: FIELD },
  classes: 10,
  without: ["alpha", "rho", "classes"],
  // Of the distributions to choose from the nearest to the paper's, uniform within 2.4 / fan in.
  initialiser: "lecun-uniform",
  layers(at, image) {
    const padding = Math.max(0, Math.ceil((FIELD - (spatialOf(image)[0] ?? FIELD)) / 2));
    const c1 = tanh(at, conv(at, image, { filters: 6, kernel: 5, padding, name: "c1" }));
    const s2 = subsample(within(at, "s2"), c1);
    const c3 = tanh(at, partialConv(within(at, "c3"), s2));
    const s4 = subsample(within(at, "s4"), c3);
    const c5 = tanh(at, conv(at, s4, { filters: 120, kernel: 5, name: "c5" }));
    const f6 = tanh(at, dense(at, flatten(at, c5), { units: 84, name: "f6" }));
    return nearness(within(at, "rbf"), f6);
  },
});

const tanh = (at: LayerScope, x: Features): Features => activation(at, x, "scaled-tanh");

/** Means of 2 x 2, times a trained coefficient, plus a trained bias, for each map. */
function subsample(at: LayerScope, x: Features): Features {
  const { value, shape } = averagePool(at, x, { kernel: 2 });
  const dims = [channelsOf(x), 1, 1];
  const scaled = at.graph.op("Mul", [
    value,
    weight(at, "coefficient", { dims, initialiser: ones }),
  ]);
  const moved = at.graph.op("Add", [scaled, weight(at, "bias", { dims, initialiser: zeros })]);
  return tanh(at, { value: moved, shape });
}

/** One convolution for each row of the table: as many groups as maps, each with the maps it reads. */
function partialConv(at: LayerScope, x: Features): Features {
  const maps = TABLE.map((rows, index) => {
    const picked = rows.flat();
    const indices = at.graph.constant("int64", { dims: [picked.length], values: picked });
    const value = at.graph.op("Gather", [x.value, indices], { axis: 1 });
    const read = { value, shape: [picked.length, ...spatialOf(x)] };
    const options = { filters: rows.length, groups: rows.length, kernel: 5 };
    return conv(at, read, { ...options, name: `maps${index + 1}` });
  });
  return concat(at, ...maps);
}

/**
 * Minus the squared distance to the code of each class (equation 7), so that the nearest class has the
 * largest score. The codes are bits, which training leaves alone.
 */
function nearness(at: LayerScope, x: Features): Features {
  const bits = DIGITS.flatMap((rows) =>
    Array.from(rows.join(""), (pixel) => Number(pixel === "#")),
  );
  const codes = at.graph.op("Where", [
    at.graph.constant("bool", { name: "codes", dims: [DIGITS.length, 84], values: bits }),
    at.graph.constant("float32", { dims: [], values: [1] }),
    at.graph.constant("float32", { dims: [], values: [-1] }),
  ]);
  const axis = at.graph.constant("int64", { dims: [1], values: [1] });
  const each = at.graph.op("Unsqueeze", [x.value, axis]);
  const apart = at.graph.op("Sub", [each, codes]);
  const last = at.graph.constant("int64", { dims: [1], values: [2] });
  const squared = at.graph.op("Mul", [apart, apart]);
  const distance = at.graph.op("ReduceSum", [squared, last], { keepdims: false });
  return { value: at.graph.op("Neg", [distance]), shape: [DIGITS.length] };
}
