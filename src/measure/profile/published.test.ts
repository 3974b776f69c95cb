import { describe, expect, it } from "vitest";
import {
  caffeLenet,
  fireModule,
  googlenet,
  lenet5,
  lenet300,
  mobilenet,
  squeezenet,
  vgg,
} from "../../../test/nets/classic.ts";
import { model, node } from "../../../test/small-model.ts";
import type { Model } from "../../onnx/index.ts";
import { countModel, type FlopConvention, nodesIn, numberOf } from "./index.ts";

/** Trainable parameters and multiply-accumulates. */
function countsOf(of: Model): readonly [parameters: number, macs: number | null] {
  const { parameters, totals, uncounted } = countModel(of);
  expect(uncounted).toEqual([]);
  return [parameters.trainable, totals.macs && numberOf(totals.macs)];
}

const flopsOf = (of: Model, convention: FlopConvention, operator: string): number =>
  [...nodesIn(countModel(of, { convention }).entries)]
    .filter((cost) => cost.operator === operator)
    .reduce((sum, { flops }) => sum + Number(flops), 0);

describe("published counts", () => {
  it("counts LeNets", () => {
    // The textbook network: 61,706 parameters (dense C3, 10 linear outputs).
    expect(countsOf(lenet5())).toEqual([61_706, 416_520]);
    // Han et al. 2015 (Deep Compression), table 1: LeNet-5 431 K, LeNet-300-100 267 K.
    expect(countsOf(caffeLenet())[0]).toBe(431_080);
    expect(countsOf(lenet300())).toEqual([266_610, 266_200]);
  });

  it("counts VGG", () => {
    // Simonyan and Zisserman 2014, table 2: 138 and 144 million.
    expect(countsOf(vgg([2, 2, 3, 3, 3]))).toEqual([138_357_544, 15_470_264_320]);
    expect(countsOf(vgg([2, 2, 4, 4, 4]))).toEqual([143_667_240, 19_632_062_464]);
  });

  it("counts SqueezeNet and its fire modules", () => {
    // Iandola et al. 2016, table 1: fire2 has 11,920 parameters, fire9 197,184, the net 1,248,424.
    expect(countsOf(fireModule(96, 16, 64))[0]).toBe(11_920);
    expect(countsOf(fireModule(512, 64, 256))[0]).toBe(197_184);
    expect(countsOf(squeezenet("1.0", 227))).toEqual([1_248_424, 861_339_936]);
    expect(countsOf(squeezenet("1.0", 224))).toEqual([1_248_424, 847_596_576]);
    expect(countsOf(squeezenet("1.1", 227))).toEqual([1_235_496, 387_747_520]);
    expect(countsOf(squeezenet("1.1", 224))).toEqual([1_235_496, 349_151_936]);
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
  ])("counts MobileNet of width %d at %d", (width, size, parameters, macs) => {
    expect(countsOf(mobilenet(width, size))).toEqual([parameters, macs]);
  });

  it("counts MobileNet's twin of full convolutions", () => {
    // Howard et al. 2017, table 4: 4866 million mult-adds, 29.3 million parameters.
    const [parameters, macs] = countsOf(mobilenet(1, 224, "full"));
    expect(macs).toBe(4_867_293_184);
    expect(parameters / 1e6).toBeCloseTo(29.3, 1);
  });

  it("keeps running statistics apart from what is trained", () => {
    const { parameters } = countModel(mobilenet(1, 224));
    // Two statistics a channel behind each of the 27 convolutions.
    expect(parameters.buffer).toBe(21_888);
    expect(parameters.total).toBe(4_231_976 + 21_888);
  });

  it("counts GoogLeNet of the paper and of torchvision", () => {
    // Szegedy et al. 2014: 5 x 5 branches and biases; torchvision 0.15 `googlenet`, aux_logits=False.
    expect(countsOf(googlenet("paper"))).toEqual([6_998_552, 1_582_671_872]);
    expect(countsOf(googlenet("torchvision"))).toEqual([6_624_904, 1_498_376_192]);
  });

  it("counts LSTM and GRU with all time steps", () => {
    // thop 0.1 prints 3,379,200 and 2,540,800 for 64 to 64 units over 100 steps: it counts additions and
    // products on gates and states as multiply-accumulates too, and no sigmoid or tanh.
    for (const [type, gates, published, functions] of [
      ["LSTM", 4, 3_379_200, 5],
      ["GRU", 3, 2_540_800, 3],
    ] as const) {
      const recurrent = model({
        inputs: {
          x: [100, 1, 64],
          w: [1, gates * 64, 64],
          r: [1, gates * 64, 64],
          b: [1, 2 * gates * 64],
        },
        nodes: [node(type, [["x", "w", "r", "b"], ["y"]], { hidden_size: 64 })],
      });
      const { totals } = countModel(recurrent);
      const macs = Number(totals.macs?.least);
      expect(macs).toBe(100 * gates * 64 * (64 + 64));
      const onElements = Number(totals.flops?.least) - 2 * macs;
      expect(macs + onElements - functions * 64 * 100).toBe(published);
    }
  });

  it("agrees with tfprof: two FLOPs a multiply-accumulate", () => {
    // forresti/SqueezeNet, SqueezeNet_v1.1/README.md: 1.72 GFLOPS an image.
    const net = squeezenet("1.0", 227);
    const biases = flopsOf(net, "default", "Conv") - 2 * 861_339_936;
    expect(flopsOf(net, "tfprof", "Conv") - biases).toBe(1_722_679_872);
    const mobile = mobilenet(1, 224);
    const products = flopsOf(mobile, "tfprof", "Conv") + flopsOf(mobile, "tfprof", "Gemm") - 1000;
    expect(products).toBe(2 * 568_740_352);
    expect(flopsOf(mobile, "toolkit", "Conv")).toBe(flopsOf(mobile, "tfprof", "Conv"));
  });
});
