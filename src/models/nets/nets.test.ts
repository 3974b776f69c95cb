import { describe, expect, it } from "vitest";
import { operators } from "../../../test/operators.ts";
import { countModel, numberOf } from "../../measure/profile/index.ts";
import { type NetOptions, netNamed } from "./index.ts";

/** Trainable parameters and multiply-accumulates. */
function countsOf(name: string, options: Omit<NetOptions, "operators"> = {}) {
  const { input, build } = netNamed(name);
  const { rho = 1, size = Math.round(rho * input.size) } = options;
  const { parameters, totals, uncounted, faults } = countModel(build({ operators, ...options }), {
    inputs: { image: [1, input.channels, size, size] },
  });
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
});
