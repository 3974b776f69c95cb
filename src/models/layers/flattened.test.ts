import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { gradientsOf } from "../../../test/layer-gradients.ts";
import { distance, floats, layerModel, outputOf, withWeights } from "../../../test/layer-model.ts";
import { createRandom } from "../../core/index.ts";
import { countModel } from "../../measure/profile/index.ts";
import { conv, flattenedConv, type LineOptions } from "./index.ts";

// jhjin/flattened-cnn, example.lua: batch, planes, image and kernel as there.
const [BATCH, C, F, SIZE, K] = [3, 4, 5, 5, 3];
const random = createRandom(11);
const normals = (count: number): readonly number[] =>
  Array.from({ length: count }, () => random.normal());
const z = normals(F * C);
const y = normals(F * K);
const x = normals(F * K);
const b = normals(F);
const input = floats([BATCH, C, SIZE, SIZE], normals(BATCH * C * SIZE ** 2));
const at = (list: readonly number[], index: number): number => list[index] ?? Number.NaN;

/** `compose_filter`: z[f,c] y[f,:] outer x[f,:]. */
const zyx = Array.from({ length: F * C * K * K }, (_, index) => {
  const [filter, plane] = [Math.floor(index / (C * K * K)), Math.floor(index / (K * K)) % C];
  const [row, column] = [Math.floor(index / K) % K, index % K];
  return at(z, filter * C + plane) * at(y, filter * K + row) * at(x, filter * K + column);
});

const full = (padding: LineOptions["padding"] = 0) =>
  withWeights(
    layerModel([C, SIZE, SIZE], (scope, of) => conv(scope, of, { filters: F, kernel: K, padding })),
    { "conv/weight": zyx, "conv/bias": b },
  );
const low = (padding: LineOptions["padding"] = 0) =>
  withWeights(
    layerModel([C, SIZE, SIZE], (scope, of) =>
      flattenedConv(scope, of, { filters: F, kernel: K, padding }),
    ),
    {
      "flattened/lateral/weight": z,
      "flattened/vertical/weight": y,
      "flattened/horizontal/weight": x,
      "flattened/horizontal/bias": b,
    },
  );

describe.skipIf(nativeMissing)("flattened convolution, as its authors test it", () => {
  it.each(["valid", "same", "full", 1] as const)(
    "gives what the rank-1 kernel gives, padding %s",
    async (padding) => {
      expect(
        distance(await outputOf(low(padding), input), await outputOf(full(padding), input)),
      ).toBeLessThan(1e-4);
    },
  );

  it("sends back what the rank-1 kernel sends back", async () => {
    // The test's gradient at the output is the output plus 0.1.
    const ofFull = await gradientsOf(full(), input, ["x", "conv/weight", "conv/bias"]);
    const ofLow = await gradientsOf(low(), input, [
      "x",
      "flattened/lateral/weight",
      "flattened/vertical/weight",
      "flattened/horizontal/weight",
      "flattened/horizontal/bias",
    ]);
    const inputs = [ofLow["x"] ?? [], ofFull["x"] ?? []] as const;
    expect(distance(...inputs)).toBeLessThan(1e-3 * Math.max(...inputs[1].map(Math.abs)));
    expect(
      distance(ofLow["flattened/horizontal/bias"] ?? [], ofFull["conv/bias"] ?? []),
    ).toBeLessThan(1e-3);
    // By the chain rule, dz[f,c] = sum over y, x of dW[f,c,y,x] y[f,y] x[f,x], and likewise for y and x.
    const expected = { z: z.map(() => 0), y: y.map(() => 0), x: x.map(() => 0) };
    for (const [index, slope] of (ofFull["conv/weight"] ?? []).entries()) {
      const [filter, plane] = [Math.floor(index / (C * K * K)), Math.floor(index / (K * K)) % C];
      const places = {
        z: filter * C + plane,
        y: filter * K + (Math.floor(index / K) % K),
        x: filter * K + (index % K),
      };
      const [dz, dy, dx] = [at(z, places.z), at(y, places.y), at(x, places.x)];
      expected.z[places.z] = at(expected.z, places.z) + slope * dy * dx;
      expected.y[places.y] = at(expected.y, places.y) + slope * dz * dx;
      expected.x[places.x] = at(expected.x, places.x) + slope * dz * dy;
    }
    for (const [name, slopes] of [
      ["lateral", expected.z],
      ["vertical", expected.y],
      ["horizontal", expected.x],
    ] as const) {
      const found = ofLow[`flattened/${name}/weight`] ?? [];
      expect(distance(found, slopes)).toBeLessThan(1e-4 * Math.max(...slopes.map(Math.abs)));
    }
  });
});

// Jin et al. 2014, section 3: C F + F K + F K weights a stage in place of C F K^2.
it("has C + 2 K weights a filter in each stage", () => {
  const model = layerModel([C, 9, 9], (scope, of) =>
    flattenedConv(scope, of, { filters: F, kernel: K, stages: 2, bias: false, padding: "same" }),
  );
  const { parameters, totals } = countModel(model, { inputs: { x: [1, C, 9, 9] } });
  const weights = F * (C + 2 * K) + F * (F + 2 * K);
  expect(parameters.trainable).toBe(weights);
  expect(Number(totals.macs?.least)).toBe(weights * 9 * 9);
});
