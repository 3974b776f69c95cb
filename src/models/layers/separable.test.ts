import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import {
  distance,
  layerModel,
  outputOf,
  weightsOf,
  withWeights,
} from "../../../test/layer-model.ts";
import { randomFloats } from "../../../test/onnx-runtime.ts";
import { countModel } from "../../measure/profile/index.ts";
import type { Model } from "../../onnx/index.ts";
import { conv, fire, separableConv } from "./index.ts";

const PLAIN = { norm: "none", activation: "identity" } as const;

/** [filters, channels, kernel, stride] */
const cases = [
  [6, 4, 3, 1],
  [5, 3, 5, 2],
  [1, 4, 3, 1],
  [7, 4, 1, 1],
] as const;

const parametersOf = (model: Model): number => countModel(model).parameters.trainable;
const macsOf = (model: Model, shape: readonly number[]): number =>
  Number(countModel(model, { inputs: { x: [1, ...shape] } }).totals.macs?.least);

describe.skipIf(nativeMissing)("depthwise-separable convolution", () => {
  it.each(cases)(
    "with %d filters over %d channels, kernel %d, is a full one of product kernel",
    async (filters, channels, kernel, stride) => {
      const shape = [channels, 9, 8];
      const separable = layerModel(shape, (at, x) =>
        separableConv(at, x, { filters, kernel, stride, ...PLAIN }),
      );
      const weights = weightsOf(separable);
      const depthwise = weights["separable/depthwise/conv/weight"] ?? [];
      const pointwise = weights["separable/pointwise/conv/weight"] ?? [];
      const area = kernel ** 2;
      // W[o,i,y,x] = P[o,i] D[i,y,x]
      const product = pointwise.flatMap((p, at) =>
        depthwise.slice((at % channels) * area, ((at % channels) + 1) * area).map((d) => p * d),
      );
      const full = withWeights(
        layerModel(shape, (at, x) => conv(at, x, { filters, kernel, stride, padding: "same" })),
        { "conv/weight": product },
      );
      const x = randomFloats([2, ...shape], 5);
      expect(distance(await outputOf(separable, x), await outputOf(full, x))).toBeLessThan(1e-5);
    },
  );
});

// Howard et al. 2017, section 3.1: K^2 M + M N weights, 1/N + 1/K^2 of the full convolution's cost.
it.each(cases)(
  "with %d filters over %d channels, kernel %d, costs 1/N + 1/K^2",
  (filters, channels, kernel, stride) => {
    const shape = [channels, 9, 8];
    const separable = layerModel(shape, (at, x) =>
      separableConv(at, x, { filters, kernel, stride, ...PLAIN }),
    );
    const full = layerModel(shape, (at, x) =>
      conv(at, x, { filters, kernel, stride, padding: "same" }),
    );
    const biases = channels + filters;
    expect(parametersOf(separable) - biases).toBe(kernel ** 2 * channels + channels * filters);
    const ratio = macsOf(separable, shape) / macsOf(full, shape);
    expect(ratio).toBeCloseTo(1 / filters + 1 / kernel ** 2, 12);
  },
);

// Iandola et al. 2016, table 1: fire2 has 11,920 parameters, fire9 197,184.
it.each([
  [96, 16, 64, 11_920],
  [512, 64, 256, 197_184],
])("counts a fire module of %d channels", (channels, squeeze, expand, parameters) => {
  const model = layerModel([channels, 13, 13], (at, x) => fire(at, x, { squeeze, expand }));
  expect(parametersOf(model)).toBe(parameters);
});

it.skipIf(nativeMissing)("expands in a fire module as one 3x3 convolution would", async () => {
  const [squeeze, expand] = [3, 4];
  const model = layerModel([6, 5, 5], (at, x) => fire(at, x, { squeeze, expand }));
  const weights = weightsOf(model);
  // A 1x1 kernel is a 3x3 one with zeros around it.
  const ones = (weights["fire/expand1x1/conv/weight"] ?? []).flatMap((w) => [
    0,
    0,
    0,
    0,
    w,
    0,
    0,
    0,
    0,
  ]);
  const wide = layerModel([6, 5, 5], (at, x) => {
    const few = conv(at, x, { filters: squeeze, kernel: 1, name: "squeeze" });
    const positive = { ...few, value: at.graph.op("Relu", [few.value]) };
    const y = conv(at, positive, { filters: 2 * expand, kernel: 3, padding: 1, name: "expand" });
    return { ...y, value: at.graph.op("Relu", [y.value]) };
  });
  const same = withWeights(wide, {
    "squeeze/weight": weights["fire/squeeze1x1/conv/weight"] ?? [],
    "expand/weight": [...ones, ...(weights["fire/expand3x3/conv/weight"] ?? [])],
  });
  const x = randomFloats([2, 6, 5, 5], 3);
  expect(distance(await outputOf(model, x), await outputOf(same, x))).toBeLessThan(1e-5);
});
