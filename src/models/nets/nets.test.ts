import { describe, expect, it } from "vitest";
import { netOfOneImage } from "../../../test/net-of-one-image.ts";
import { countModel, nodesIn, numberOf } from "../../measure/profile/index.ts";
import { type NetOptions, nets } from "./index.ts";

/** Outputs of the normalised layers of MobileNet's twin: the stem's and those of 13 convolutions. */
const channelsOfTwin = 32 + 64 + 2 * 128 + 2 * 256 + 6 * 512 + 2 * 1024;

/** Trainable parameters and multiply-accumulates of one image. */
function countsOf(
  name: string,
  options: Omit<NetOptions, "operators"> = {},
): readonly [parameters: number, macs: number | null] {
  const model = netOfOneImage(name, options);
  const { parameters, totals, uncounted, faults } = countModel(model);
  expect(uncounted).toEqual([]);
  expect(faults).toEqual([]);
  return [parameters.trainable, totals.macs && numberOf(totals.macs)];
}

describe("published counts", () => {
  it("counts LeNets", () => {
    // The textbook network: 61,706 parameters (dense C3, 10 linear outputs).
    expect(countsOf("lenet-5")).toEqual([61_706, 416_520]);
    // Han et al. 2015 (Deep Compression), table 1: LeNet-5 431 K, LeNet-300-100 267 K.
    expect(countsOf("lenet-caffe")).toEqual([431_080, 2_293_000]);
    expect(countsOf("lenet-300-100")).toEqual([266_610, 266_200]);
    // The perceptron of the training measurements: 0.67 million parameters.
    expect(countsOf("mlp")[0]).toBe(669_706);
  });

  it("counts VGG", () => {
    // Simonyan and Zisserman 2014, table 2: 138 and 144 million.
    expect(countsOf("vgg-16")).toEqual([138_357_544, 15_470_264_320]);
    expect(countsOf("vgg-19")).toEqual([143_667_240, 19_632_062_464]);
  });

  // Howard et al. 2017, tables 6 and 7: 569, 325, 149, 41 million mult-adds and 4.2, 2.6, 1.3, 0.5 million
  // parameters; 418, 290, 186 at lower resolutions; 76 for 0.5-160.
  it.each([
    [1, 224, 4_231_976, 568_740_352],
    [0.75, 224, 2_585_560, 325_400_448],
    [0.5, 224, 1_331_592, 149_497_088],
    [0.25, 224, 470_072, 41_030_272],
    [1, 192, 4_231_976, 418_121_728],
    [1, 160, 4_231_976, 290_675_200],
    [1, 128, 4_231_976, 186_400_768],
    [0.5, 160, 1_331_592, 76_524_800],
  ])("counts MobileNet of alpha %d at %d pixels", (alpha, size, parameters, macs) => {
    expect(countsOf("mobilenet-v1", { alpha, rho: size / 224 })).toEqual([parameters, macs]);
  });

  it("counts MobileNet's twin of full convolutions", () => {
    // Howard et al. 2017, table 4: 4866 million mult-adds, 29.3 million parameters.
    const [parameters, macs] = countsOf("mobilenet-v1-full");
    expect(macs).toBe(4_867_293_184);
    // 29,282,120 in kernels, matrix and bias; scale and shift of 14 normalised layers beside them.
    expect(parameters).toBe(29_282_120 + 2 * channelsOfTwin);
  });

  it("counts SqueezeNet", () => {
    // Iandola et al. 2016, table 1: 1,248,424 parameters.
    expect(countsOf("squeezenet-1.0")).toEqual([1_248_424, 861_339_936]);
    expect(countsOf("squeezenet-1.0", { size: 224 })).toEqual([1_248_424, 847_596_576]);
    expect(countsOf("squeezenet-1.1")).toEqual([1_235_496, 387_747_520]);
    expect(countsOf("squeezenet-1.1", { size: 224 })).toEqual([1_235_496, 349_151_936]);
  });

  it("counts GoogLeNet of the paper and of torchvision", () => {
    // Szegedy et al. 2014: 5 x 5 branches and biases; torchvision 0.15 `googlenet`, aux_logits=False.
    expect(countsOf("googlenet")).toEqual([6_998_552, 1_582_671_872]);
    expect(countsOf("googlenet-bn")).toEqual([6_624_904, 1_498_376_192]);
  });

  it("counts MobileNetV2", () => {
    // torchvision 0.15 `mobilenet_v2`: num_params 3,504,872, 0.301 GMACs; Sandler et al. 2018, table 4: 300 M.
    expect(countsOf("mobilenet-v2")).toEqual([3_504_872, 300_774_272]);
  });

  it("counts ResNet-20", () => {
    // He et al. 2016, table 6: 0.27 million parameters. 269,722 and 40,551,040 without projections; those
    // of 16 to 32 and 32 to 64 channels, and their normalisation, come on top.
    const projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64;
    expect(countsOf("resnet-20")).toEqual([
      269_722 + projections,
      40_551_040 + 16 * 32 * 16 ** 2 + 32 * 64 * 8 ** 2,
    ]);
  });
});

// LeCun et al. 1998, section II.B: trainable parameters of each layer and its connections, biases
// included; 60,000 and 340,908 in all, with the 840 connections of the outputs.
describe("LeNet-5 as published", () => {
  const layers = [
    ["c1", 156, 122_304],
    ["s2", 12, 5_880],
    ["c3", 1_516, 151_600],
    ["s4", 32, 2_000],
    ["c5", 48_120, 48_120],
    ["f6", 10_164, 10_164],
  ] as const;
  const { entries, parameters, totals } = countModel(netOfOneImage("lenet-5-1998"));

  it("has the parameters of each layer, and no other", () => {
    expect(parameters.trainable).toBe(60_000);
    for (const [layer, trainable] of layers) {
      const inside = [...nodesIn(entries)].filter(({ name }) => name.startsWith(`${layer}/`));
      expect(inside.reduce((sum, cost) => sum + cost.parameters.trainable, 0)).toBe(trainable);
    }
  });

  it("has the connections of each layer", () => {
    const maps = { c1: 6 * 28 ** 2, c3: 16 * 10 ** 2, c5: 120, f6: 84 };
    const connections = layers.map(([layer]) => {
      // Pools add up four values and a bias; they have no multiply-accumulates.
      if (layer === "s2") return 6 * 14 ** 2 * 5;
      if (layer === "s4") return 16 * 5 ** 2 * 5;
      const inside = [...nodesIn(entries)].filter(({ name }) => name.startsWith(`${layer}/`));
      const macs = inside.reduce((sum, cost) => sum + Number(cost.macs ?? 0), 0);
      // And one bias for each unit.
      return macs + maps[layer];
    });
    expect(connections).toEqual(layers.map(([, , published]) => published));
    expect(connections.reduce((sum, of) => sum + of, 0) + 10 * 84).toBe(340_908);
    expect(totals.macs && numberOf(totals.macs)).toBe(
      122_304 + 151_600 + 48_120 + 10_164 - Object.values(maps).reduce((sum, of) => sum + of, 0),
    );
  });
});

// Howard et al. 2017, section 3.3: cost falls with about the square of alpha; less, because the first
// layer, the depthwise ones and the classifier fall with alpha itself.
it("follows MobileNet's scaling law", () => {
  const [parameters, macs] = countsOf("mobilenet-v1");
  const [half, halfMacs] = countsOf("mobilenet-v1", { alpha: 0.5 });
  expect(Math.log2(parameters / half)).toBeCloseTo(1.67, 2);
  expect(Math.log2((macs ?? 0) / (halfMacs ?? 1))).toBeCloseTo(1.93, 2);
});

it.each(nets.filter(({ options }) => options.includes("alpha")).map(({ name }) => name))(
  "shrinks %s by alpha and rho",
  (name) => {
    const [parameters, macs] = countsOf(name);
    const [half, halfMacs] = countsOf(name, { alpha: 0.5 });
    // Between linear and quadratic, but for what does not shrink.
    expect(parameters / half).toBeGreaterThan(1.3);
    expect(parameters / half).toBeLessThan(4.2);
    expect((macs ?? 0) / (halfMacs ?? 0)).toBeGreaterThan(1.3);
    const [same, fewer] = countsOf(name, { rho: 0.75 });
    expect(fewer).toBeLessThan(macs ?? 0);
    if (name.startsWith("mobilenet")) expect(same).toBe(parameters);
  },
);
