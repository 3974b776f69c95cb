import { describe, expect, it } from "vitest";
import { netOfOneImage } from "../../../test/net-of-one-image.ts";
import { model, node } from "../../../test/small-model.ts";
import type { Model } from "../../onnx/index.ts";
import { countModel, type FlopConvention, nodesIn } from "./index.ts";

const flopsOf = (of: Model, convention: FlopConvention, operator: string): number =>
  [...nodesIn(countModel(of, { convention }).entries)]
    .filter((cost) => cost.operator === operator)
    .reduce((sum, { flops }) => sum + Number(flops), 0);

// Counts of whole networks: src/models/nets/nets.test.ts.
describe("published counts", () => {
  it("keeps running statistics apart from what is trained", () => {
    const { parameters } = countModel(netOfOneImage("mobilenet-v1"));
    // Two statistics a channel behind each of the 27 convolutions.
    expect(parameters.buffer).toBe(21_888);
    expect(parameters.total).toBe(4_231_976 + 21_888);
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
    const net = netOfOneImage("squeezenet-1.0");
    const biases = flopsOf(net, "default", "Conv") - 2 * 861_339_936;
    expect(flopsOf(net, "tfprof", "Conv") - biases).toBe(1_722_679_872);
    const mobile = netOfOneImage("mobilenet-v1");
    const products = flopsOf(mobile, "tfprof", "Conv") + flopsOf(mobile, "tfprof", "Gemm") - 1000;
    expect(products).toBe(2 * 568_740_352);
    expect(flopsOf(mobile, "toolkit", "Conv")).toBe(flopsOf(mobile, "tfprof", "Conv"));
  });
});
