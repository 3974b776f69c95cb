// Layers against their formulas, computed by hand.

import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import {
  distance,
  floats,
  layerModel,
  outputOf,
  weightsOf,
  withWeights,
} from "../../../test/layer-model.ts";
import { randomFloats } from "../../../test/onnx-runtime.ts";
import {
  activation,
  activationNames,
  add,
  averagePool,
  batchNorm,
  concat,
  conv,
  dense,
  dropout,
  globalAveragePool,
  globalMaxPool,
  inception,
  invertedResidual,
  layerNorm,
  localResponseNorm,
  lowRankConv,
  lowRankDense,
  maxPool,
  residual,
  residualBlock,
  squeezeExcite,
} from "./index.ts";

const valuesOf = (x: ReturnType<typeof randomFloats>): readonly number[] =>
  Array.from(x.data as Float32Array);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** Abramowitz and Stegun 1964, 7.1.26: within 1.5e-7. */
const erf = (x: number): number => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const sum = series.reduce((total, coefficient) => (total + coefficient) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-(x ** 2)));
};

describe.skipIf(nativeMissing)("activations", () => {
  const formulas: Readonly<Record<(typeof activationNames)[number], (x: number) => number>> = {
    identity: (x) => x,
    relu: (x) => Math.max(x, 0),
    relu6: (x) => Math.min(Math.max(x, 0), 6),
    "leaky-relu": (x) => (x < 0 ? 0.01 * x : x),
    tanh: Math.tanh,
    "scaled-tanh": (x) => 1.7159 * Math.tanh((2 / 3) * x),
    sigmoid,
    "hard-sigmoid": (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
    "hard-swish": (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    silu: (x) => x * sigmoid(x),
    gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  };
  const points = [-8, -3, -1, -0.5, 0, 0.5, 1, 2.5, 3, 7];

  it.each(activationNames)("%s is its formula", async (name) => {
    const model = layerModel([points.length], (at, x) => activation(at, x, name));
    const found = await outputOf(model, floats([1, points.length], points));
    expect(distance(found, points.map(formulas[name]))).toBeLessThan(1e-5);
  });

  it("has the fixed points that LeCun et al. chose", () => {
    expect(formulas["scaled-tanh"](1)).toBeCloseTo(1, 4);
    expect(formulas["scaled-tanh"](-1)).toBeCloseTo(-1, 4);
  });
});

describe.skipIf(nativeMissing)("normalisation", () => {
  const x = randomFloats([2, 3, 2, 2], 9);
  const values = valuesOf(x);

  it("scales and shifts by running statistics", async () => {
    const statistics = {
      "norm/scale": [1, 2, 3],
      "norm/bias": [0.5, 0, -0.5],
      "norm/mean": [0.1, 0.2, 0.3],
      "norm/variance": [1, 4, 9],
    };
    const model = withWeights(
      layerModel([3, 2, 2], (at, y) => batchNorm(at, y)),
      statistics,
    );
    const expected = values.map((value, index) => {
      const channel = Math.floor(index / 4) % 3;
      const of = (name: keyof typeof statistics): number => statistics[name][channel] ?? 0;
      const deviation = Math.sqrt(of("norm/variance") + 1e-5);
      return (of("norm/scale") * (value - of("norm/mean"))) / deviation + of("norm/bias");
    });
    expect(distance(await outputOf(model, x), expected)).toBeLessThan(1e-5);
  });

  it("does nothing to features before training, but for epsilon", async () => {
    const model = layerModel([3, 2, 2], (at, y) => batchNorm(at, y, { epsilon: 0 }));
    expect(distance(await outputOf(model, x), values)).toBe(0);
  });

  it("centres and scales the last axes of each sample", async () => {
    const found = await outputOf(
      layerModel([3, 2, 2], (at, y) => layerNorm(at, y, { axes: 3 })),
      x,
    );
    for (const sample of [found.slice(0, 12), found.slice(12)]) {
      const mean = sample.reduce((sum, value) => sum + value, 0) / 12;
      const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 12;
      expect(mean).toBeCloseTo(0, 5);
      expect(variance).toBeCloseTo(1, 3);
    }
  });

  it("divides by the responses of neighbouring channels", async () => {
    const model = layerModel([3, 2, 2], (at, y) =>
      localResponseNorm(at, y, { size: 3, alpha: 0.6, beta: 0.5 }),
    );
    const expected = values.map((value, index) => {
      const channel = Math.floor(index / 4) % 3;
      const near = [-1, 0, 1].filter((step) => channel + step >= 0 && channel + step < 3);
      const squares = near.reduce((sum, step) => sum + (values[index + 4 * step] ?? 0) ** 2, 0);
      return value / Math.sqrt(1 + (0.6 / 3) * squares);
    });
    expect(distance(await outputOf(model, x), expected)).toBeLessThan(1e-5);
  });
});

describe.skipIf(nativeMissing)("pools", () => {
  const x = floats([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it("round as Caffe does where they are told to", async () => {
    const down = layerModel([1, 3, 3], (at, y) => maxPool(at, y, { kernel: 2 }));
    const up = layerModel([1, 3, 3], (at, y) => maxPool(at, y, { kernel: 2, rounding: "up" }));
    expect(await outputOf(down, x)).toEqual([5]);
    expect(await outputOf(up, x)).toEqual([5, 6, 8, 9]);
  });

  it("leave padding out of means", async () => {
    const model = layerModel([1, 3, 3], (at, y) =>
      averagePool(at, y, { kernel: 3, stride: 2, padding: 1 }),
    );
    expect(await outputOf(model, x)).toEqual([3, 4, 6, 7]);
  });

  it("take all positions at once", async () => {
    expect(await outputOf(layerModel([1, 3, 3], globalAveragePool), x)).toEqual([5]);
    expect(await outputOf(layerModel([1, 3, 3], globalMaxPool), x)).toEqual([9]);
  });
});

describe.skipIf(nativeMissing)("convolutions", () => {
  it("with dilation are those of a kernel with zeros between", async () => {
    const dilated = layerModel([2, 7, 7], (at, x) =>
      conv(at, x, { filters: 3, kernel: 2, dilation: 3 }),
    );
    const sparse = (weightsOf(dilated)["conv/weight"] ?? []).flatMap((_, index, kernel) =>
      index % 4 === 0
        ? Array.from({ length: 16 }, (__, place) => {
            const [row, column] = [Math.floor(place / 4), place % 4];
            return row % 3 === 0 && column % 3 === 0
              ? (kernel[index + 2 * (row / 3) + column / 3] ?? 0)
              : 0;
          })
        : [],
    );
    const full = withWeights(
      layerModel([2, 7, 7], (at, x) => conv(at, x, { filters: 3, kernel: 4 })),
      { "conv/weight": sparse },
    );
    const x = randomFloats([2, 2, 7, 7], 2);
    expect(distance(await outputOf(dilated, x), await outputOf(full, x))).toBeLessThan(1e-5);
  });

  it("in one dimension are those of an image of one row", async () => {
    const line = layerModel([3, 9], (at, x) =>
      conv(at, x, { filters: 4, kernel: 3, stride: 2, padding: 1 }),
    );
    const image = withWeights(
      layerModel([3, 1, 9], (at, x) =>
        conv(at, x, { filters: 4, kernel: [1, 3], stride: 2, padding: [0, 1] }),
      ),
      { "conv/weight": weightsOf(line)["conv/weight"] ?? [] },
    );
    const values = valuesOf(randomFloats([2, 3, 9], 8));
    const found = await outputOf(line, floats([2, 3, 9], values));
    expect(distance(found, await outputOf(image, floats([2, 3, 1, 9], values)))).toBe(0);
  });
});

describe.skipIf(nativeMissing)("blocks", () => {
  const x = randomFloats([2, 4, 5, 5], 6);
  const values = valuesOf(x);
  const zero = (model: ReturnType<typeof layerModel>, name: string) =>
    withWeights(model, { [name]: (weightsOf(model)[name] ?? []).map(() => 0) });

  it("of residuals are the identity where the branch gives nothing", async () => {
    const plain = layerModel([4, 5, 5], (at, y) =>
      residual(at, y, (z) => conv(at, z, { filters: 4, kernel: 3, padding: 1 })),
    );
    expect(await outputOf(zero(plain, "conv/weight"), x)).toEqual(values);
    const inverted = layerModel([4, 5, 5], (at, y) => invertedResidual(at, y, { filters: 4 }));
    expect(await outputOf(zero(inverted, "block/project/norm/scale"), x)).toEqual(values);
    const basic = layerModel([4, 5, 5], (at, y) => residualBlock(at, y, { filters: 4 }));
    const positive = values.map((value) => Math.max(value, 0));
    expect(await outputOf(zero(basic, "block/conv2/norm/scale"), x)).toEqual(positive);
  });

  it("project the shortcut only where the shape changes", () => {
    const names = (filters: number, stride: number) =>
      Object.keys(
        weightsOf(layerModel([4, 6, 6], (at, y) => residualBlock(at, y, { filters, stride }))),
      );
    const projects = (of: readonly string[]) => of.includes("block/shortcut/conv/weight");
    expect([names(4, 1), names(8, 1), names(4, 2)].map(projects)).toEqual([false, true, true]);
  });

  it("weigh channels by the gate of their means", async () => {
    const model = layerModel([4, 5, 5], (at, y) => squeezeExcite(at, y, { reduction: 2 }));
    const weights = weightsOf(model);
    const [w1 = [], w2 = []] = [weights["se/reduce/weight"], weights["se/expand/weight"]];
    const expected = [0, 1].flatMap((sample) => {
      const channels = [0, 1, 2, 3].map((c) =>
        values.slice((4 * sample + c) * 25, (4 * sample + c + 1) * 25),
      );
      const means = channels.map((of) => of.reduce((sum, value) => sum + value, 0) / 25);
      const dot = (row: readonly number[], by: readonly number[]): number =>
        row.reduce((sum, value, index) => sum + value * (by[index] ?? 0), 0);
      const few = [0, 1].map((unit) => Math.max(0, dot(w1.slice(4 * unit, 4 * unit + 4), means)));
      return channels.flatMap((of, c) => {
        const gate = sigmoid(dot(w2.slice(2 * c, 2 * c + 2), few));
        return of.map((value) => value * gate);
      });
    });
    expect(distance(await outputOf(model, x), expected)).toBeLessThan(1e-5);
  });

  it("set the branches of an inception side by side", async () => {
    const row = { one: 2, three: [2, 3], five: [1, 2], pool: 1, norm: "none" } as const;
    const model = layerModel([4, 5, 5], (at, y) => inception(at, y, row));
    const found = await outputOf(model, x);
    expect(found.length).toBe(2 * (2 + 3 + 2 + 1) * 25);
    const weights = weightsOf(model);
    const branch = withWeights(
      layerModel([4, 5, 5], (at, y) => {
        const pooled = maxPool(at, y, { kernel: 3, stride: 1, padding: 1 });
        return activation(at, conv(at, pooled, { filters: 1, kernel: 1 }), "relu");
      }),
      { "conv/weight": weights["inception/pool_proj/conv/weight"] ?? [] },
    );
    const pooled = [found.slice(7 * 25, 8 * 25), found.slice(15 * 25)].flat();
    expect(distance(pooled, await outputOf(branch, x))).toBeLessThan(1e-5);
  });

  it("pass features on through dropout when nothing is trained", async () => {
    expect(
      await outputOf(
        layerModel([4, 5, 5], (at, y) => dropout(at, y, 0.5)),
        x,
      ),
    ).toEqual(values);
  });

  it("refuse shapes that do not match", () => {
    const half = (sum: typeof add | typeof concat) => () =>
      layerModel([4, 6, 6], (at, y) => sum(at, y, maxPool(at, y, { kernel: 2 })));
    expect(half(add)).toThrow(/\[4, 6, 6\] and \[4, 3, 3\] \(at add\)/);
    expect(half(concat)).toThrow(/at concat/);
  });
});

describe.skipIf(nativeMissing)("low rank by architecture", () => {
  it("is the dense layer of the product matrix", async () => {
    const [inputs, rank, units] = [7, 2, 5];
    const low = layerModel([inputs], (at, x) => lowRankDense(at, x, { rank, units }));
    const weights = weightsOf(low);
    const [v = [], u = []] = [weights["low_rank/v/weight"], weights["low_rank/u/weight"]];
    expect(v.length + u.length).toBe(rank * (inputs + units));
    const product = Array.from({ length: units * inputs }, (_, index) => {
      const [unit, input] = [Math.floor(index / inputs), index % inputs];
      return [0, 1].reduce(
        (sum, k) => sum + (u[unit * rank + k] ?? 0) * (v[k * inputs + input] ?? 0),
        0,
      );
    });
    const full = withWeights(
      layerModel([inputs], (at, x) => dense(at, x, { units })),
      { "dense/weight": product },
    );
    const x = randomFloats([3, inputs], 1);
    expect(distance(await outputOf(low, x), await outputOf(full, x))).toBeLessThan(1e-5);
  });

  it("is the convolution of the kernel that the two lines make", async () => {
    const [C, F, K, rank] = [2, 3, 3, 4];
    const low = layerModel([C, 6, 6], (at, x) =>
      lowRankConv(at, x, { rank, filters: F, kernel: K }),
    );
    const weights = weightsOf(low);
    const vertical = weights["low_rank/vertical/weight"] ?? [];
    const horizontal = weights["low_rank/horizontal/weight"] ?? [];
    const kernel = Array.from({ length: F * C * K * K }, (_, index) => {
      const [f, c] = [Math.floor(index / (C * K * K)), Math.floor(index / (K * K)) % C];
      const [y, x] = [Math.floor(index / K) % K, index % K];
      let sum = 0;
      for (let r = 0; r < rank; r++) {
        sum += (horizontal[(f * rank + r) * K + x] ?? 0) * (vertical[(r * C + c) * K + y] ?? 0);
      }
      return sum;
    });
    const full = withWeights(
      layerModel([C, 6, 6], (at, x) => conv(at, x, { filters: F, kernel: K, padding: "same" })),
      { "conv/weight": kernel },
    );
    const x = randomFloats([2, C, 6, 6], 1);
    expect(distance(await outputOf(low, x), await outputOf(full, x))).toBeLessThan(1e-5);
  });
});
