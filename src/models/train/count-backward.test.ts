import { describe, expect, it } from "vitest";
import { operators } from "../../../test/operators.ts";
import { countModel, nodesIn, numberOf } from "../../measure/profile/index.ts";
import { type Model, modelBuilder } from "../../onnx/index.ts";
import { netNamed } from "../nets/index.ts";
import { countBackward } from "./count-backward.ts";

/** Multiply-accumulates of one image forward, those of the first layer, and all backward. */
function counts(name: string) {
  const net = netNamed(name);
  const model = net.build({ operators });
  const inputs = { image: [1, net.input.channels, net.input.size, net.input.size] };
  const forward = countModel(model, { inputs });
  const layers = [...nodesIn(forward.entries)].filter(({ macs }) => Number(macs) > 0);
  const backward = countBackward(model, { operators, inputs });
  if (backward.status === "refused") throw new Error(backward.reason);
  return {
    all: numberOf(forward.totals.macs ?? { least: 0, most: 0 }),
    first: Number(layers[0]?.macs),
    backward: numberOf(backward.totals.macs ?? { least: 0, most: 0 }),
    parameters: backward.parameters,
  };
}

describe("the backward pass counted from its graph", () => {
  // A layer takes the forward work for its input's gradient and once more for its weights'; images
  // have no gradient.
  it.each(["lenet-300-100", "lenet-5", "mobilenet-v1", "googlenet-small", "squeezenet-1.1"])(
    "%s takes twice the forward products, the gradient of the image apart",
    (name) => {
      const { all, first, backward } = counts(name);
      expect(backward).toBe(2 * Number(all) - first);
    },
  );

  it("of a dense net is what the sizes say", () => {
    // 784-300-100-10: dW of all layers, dX of the second and third.
    expect(counts("lenet-300-100")).toEqual({
      all: 784 * 300 + 300 * 100 + 100 * 10,
      first: 784 * 300,
      backward: 784 * 300 + 2 * (300 * 100 + 100 * 10),
      parameters: 6,
    });
  });
});

describe("what cannot be counted says why", () => {
  function withTopK(): Model {
    const g = modelBuilder({ operators });
    const x = g.input("x", "float32", ["batch", 4]);
    const w = g.constant("float32", { name: "w", dims: [4, 4], values: Array(16).fill(0.5) });
    const k = g.constant("int64", { dims: [1], values: [2] });
    const y = g.op({ type: "MatMul", name: "dense" }, [x, w]);
    const [best = ""] = g.ops({ type: "TopK", name: "best" }, [y, k], { outputs: 2 });
    g.output(best, { name: "y" });
    return g.finish();
  }

  it("an operator without a gradient", () => {
    const refused = countBackward(withTopK(), { operators, inputs: { x: [2, 4] } });
    expect(refused).toMatchObject({
      status: "refused",
      reason: expect.stringMatching(/node "best" \(TopK\)/),
    });
  });
  it("sizes that are left open", () => {
    const refused = countBackward(withTopK(), { operators, inputs: { x: ["batch", 4] } });
    expect(refused).toMatchObject({
      status: "refused",
      reason: expect.stringMatching(/sizes of input "x" are open/),
    });
  });
});
