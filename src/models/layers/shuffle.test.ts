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
import { channelShuffle, conv, shuffleUnit } from "./index.ts";

describe.skipIf(nativeMissing)("channel shuffle", () => {
  it.each([
    [12, 3],
    [12, 4],
    [12, 1],
    [6, 6],
  ])("of %d channels in %d groups is undone by the other factor", async (channels, groups) => {
    const model = layerModel([channels, 3, 2], (at, x) =>
      channelShuffle(at, channelShuffle(at, x, groups), channels / groups),
    );
    const x = randomFloats([2, channels, 3, 2], 1);
    expect(await outputOf(model, x)).toEqual(Array.from(x.data as Float32Array));
  });

  it("deals channels out in turn", async () => {
    const model = layerModel([6, 1], (at, x) => channelShuffle(at, x, 3));
    // Zhang et al. 2017, figure 1c: the first of each group, then the second of each.
    expect(await outputOf(model, floats([1, 6, 1], [0, 1, 2, 3, 4, 5]))).toEqual([
      0, 2, 4, 1, 3, 5,
    ]);
  });
});

describe.skipIf(nativeMissing)("group convolution", () => {
  const [channels, filters, groups] = [6, 9, 3];

  it("is a full one whose kernel is zero between groups", async () => {
    const grouped = layerModel([channels, 5, 5], (at, x) =>
      conv(at, x, { filters, groups, kernel: 3 }),
    );
    const kernel = weightsOf(grouped)["conv/weight"] ?? [];
    const width = channels / groups;
    const full = Array.from({ length: filters * channels * 9 }, (_, index) => {
      const [filter, channel] = [
        Math.floor(index / (channels * 9)),
        Math.floor(index / 9) % channels,
      ];
      const group = Math.floor(filter / (filters / groups));
      if (Math.floor(channel / width) !== group) return 0;
      return kernel[(filter * width + (channel % width)) * 9 + (index % 9)] ?? Number.NaN;
    });
    const same = withWeights(
      layerModel([channels, 5, 5], (at, x) => conv(at, x, { filters, kernel: 3 })),
      { "conv/weight": full },
    );
    const x = randomFloats([2, channels, 5, 5], 4);
    expect(distance(await outputOf(grouped, x), await outputOf(same, x))).toBeLessThan(1e-5);
  });

  it("sees other groups once channels are shuffled", async () => {
    const twice = (shuffled: "shuffled" | "as they are") =>
      layerModel([channels, 1, 1], (at, x) => {
        const y = conv(at, x, { filters: channels, groups, kernel: 1 });
        const mixed = shuffled === "shuffled" ? channelShuffle(at, y, groups) : y;
        return conv(at, mixed, { filters: channels, groups, kernel: 1 });
      });
    // How many outputs change with the first input.
    const reach = async (shuffled: "shuffled" | "as they are"): Promise<number> => {
      const [zero = [], one = []] = await Promise.all(
        [0, 1].map((first) =>
          outputOf(twice(shuffled), floats([1, channels, 1, 1], [first, 1, 1, 1, 1, 1])),
        ),
      );
      return zero.filter((value, index) => value !== one[index]).length;
    };
    expect(await reach("as they are")).toBe(2);
    expect(await reach("shuffled")).toBe(4);
  });
});

it("refuses groups that do not divide, and says where", () => {
  const build = (groups: number) => () =>
    layerModel([6, 4, 4], (at, x) => conv(at, x, { filters: 8, groups, kernel: 1, name: "mix" }));
  expect(build(4)).toThrow(/4 groups of 6 channels and 8 filters \(at mix\)/);
  expect(() => layerModel([6, 4, 4], (at, x) => channelShuffle(at, x, 4))).toThrow(
    /6 channels in 4/,
  );
});

it("halves the image beside a pool in a shuffle unit of stride 2", () => {
  layerModel([24, 8, 8], (at, x) => {
    const y = shuffleUnit(at, x, { filters: 60, groups: 3, stride: 2 });
    expect(y.shape).toEqual([60, 4, 4]);
    expect(shuffleUnit(at, y, { filters: 60, groups: 3 }).shape).toEqual([60, 4, 4]);
    return y;
  });
});
