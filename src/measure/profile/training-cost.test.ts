import { describe, expect, it } from "vitest";
import { netOfOneImage } from "../../../test/net-of-one-image.ts";
import { floats, single } from "../../../test/small-model.ts";
import { countModel } from "./count-model.ts";
import { sparsityOf } from "./sparsity.ts";
import { trainingCost } from "./training-cost.ts";

describe("training cost", () => {
  it("is three forward passes and the optimiser's operations on what is trained", () => {
    const counted = countModel(netOfOneImage("lenet-300-100"));
    const forward = Number(counted.totals.flops?.least);
    const cost = trainingCost(counted, "adam");
    expect(cost?.update).toBe(10 * 266_610);
    expect(cost?.total).toEqual({ least: 3 * forward + 2_666_100, most: 3 * forward + 2_666_100 });
    expect(trainingCost(counted, "SGD")?.update).toBe(266_610);
  });

  it("multiplies the forward work by the batch and the update not", () => {
    const counted = countModel(
      single("MatMul", { x: ["batch", 2], w: floats([1, 2, 3, 4], [2, 2]) }),
    );
    expect(trainingCost(counted, "Momentum")?.total.most).toMatchObject({ key: "24*batch + 12*" });
  });

  it("refuses an optimiser whose operations are not known", () => {
    expect(() => trainingCost(countModel(netOfOneImage("lenet-300-100")), "Adamm")).toThrow(
      "not known",
    );
  });
});

describe("sparsity", () => {
  it("counts zeros of parameters, not of sizes", () => {
    const counted = countModel(single("MatMul", { x: [1, 2], w: floats([0, -0, 3, 4], [2, 2]) }));
    expect(sparsityOf(counted.tensors)).toMatchObject({ elements: 4, zeros: 2 });
  });
});
