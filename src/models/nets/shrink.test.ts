import { expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { distance, weightsOf, withWeights } from "../../../test/layer-model.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import type { Model } from "../../onnx/index.ts";
import { shrunk, shrunkSize, widthOf } from "../layers/index.ts";
import { netNamed } from "./index.ts";

const dimsOf = (model: Model): ReadonlyMap<string, readonly number[]> =>
  new Map(model.graph?.initializers.map(({ name = "", dims }) => [name, dims.map(Number)]));

/** The first entries along every axis: `W[:o, :i]`. */
function corner(
  values: readonly number[],
  from: readonly number[],
  to: readonly number[],
): readonly number[] {
  const size = to.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, index) => {
    let [rest, place, stride] = [index, 0, 1];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      place += (rest % (to[axis] ?? 1)) * stride;
      rest = Math.floor(rest / (to[axis] ?? 1));
      stride *= from[axis] ?? 1;
    }
    return values[place] ?? Number.NaN;
  });
}

// Channels beyond the narrow net's are silenced in the wide one by scale and shift 0; then the wide net
// computes what the narrow one does with the corner of each of its weights.
it.skipIf(nativeMissing).each(["mobilenet-v1-small", "resnet-8"])(
  "a narrow %s is a corner of the wide one",
  async (name) => {
    const wide = netNamed(name).build({ operators });
    const narrow = netNamed(name).build({ operators, alpha: 0.5 });
    const [from, to] = [dimsOf(wide), dimsOf(narrow)];
    expect([...to.keys()]).toEqual([...from.keys()]);
    const weights = weightsOf(wide);
    const corners: Record<string, readonly number[]> = {};
    const silenced: Record<string, readonly number[]> = {};
    for (const [weight, values] of Object.entries(weights)) {
      const [whole = [], part = []] = [from.get(weight), to.get(weight)];
      corners[weight] = corner(values, whole, part);
      if (/norm\/(scale|bias)$/.test(weight)) {
        silenced[weight] = values.map((value, index) => (index < (part[0] ?? 0) ? value : 0));
      }
    }
    const image = randomFloats([2, 3, 32, 32], 2);
    const [small, large] = await Promise.all(
      [withWeights(narrow, corners), withWeights(wide, silenced)].map(async (model) => {
        const { scores } = await runModel(model, { image });
        return Array.from((scores?.data ?? []) as ArrayLike<number>);
      }),
    );
    expect(distance(small ?? [], large ?? [])).toBeLessThan(1e-4);
  },
);

it("rounds channels to what divides, and never far below", () => {
  // tf-slim, nets/mobilenet: _make_divisible of MobileNetV2's channels at 0.35, 0.5, 0.75, 1.4.
  const eights = (alpha: number, channels: number) => shrunk(channels, widthOf(alpha, 8));
  expect([32, 16, 24, 64, 96].map((channels) => eights(0.5, channels))).toEqual([
    16, 8, 16, 32, 48,
  ]);
  expect([32, 16, 24, 96].map((channels) => eights(0.35, channels))).toEqual([16, 8, 8, 32]);
  expect([32, 24, 320].map((channels) => eights(1.4, channels))).toEqual([48, 32, 448]);
  expect(shrunk(10, widthOf(1, 8))).toBe(10);
  expect(shrunk(3, widthOf(0.25))).toBe(1);
});

it("gives MobileNet's four resolutions", () => {
  expect([1, 6 / 7, 5 / 7, 4 / 7].map((rho) => shrunkSize(224, rho))).toEqual([224, 192, 160, 128]);
});

it("refuses multipliers, options and names that make no sense", () => {
  const build = (name: string, options: object) => () =>
    netNamed(name).build({ operators, ...options });
  expect(build("mobilenet-v1", { alpha: 0 })).toThrow("a width multiplier of 0");
  expect(build("mobilenet-v1", { rho: -1 })).toThrow(/a resolution multiplier of -1/);
  expect(build("mobilenet-v1", { size: 3.5 })).toThrow("size of 3.5");
  expect(build("lenet-5-1998", { alpha: 0.5 })).toThrow('lenet-5-1998 has no option "alpha"');
  expect(build("vgg-16", { size: 16 })).toThrow(/a kernel that spans 2 does not fit 1/);
  expect(() => netNamed("mobilnet-v1")).toThrow('no network is called "mobilnet-v1"');
});

it("writes down what was chosen", () => {
  const { metadata } = netNamed("resnet-8").build({ operators, alpha: 0.5, seed: 7 });
  expect(JSON.parse(metadata[0]?.value ?? "")).toEqual({
    net: "resnet-8",
    alpha: 0.5,
    size: 32,
    channels: 3,
    classes: 10,
    initialiser: "he-normal",
    seed: 7,
  });
});
