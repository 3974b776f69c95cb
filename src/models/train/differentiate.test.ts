import { describe, test } from "vitest";
import { checkGradients, type GradientCase } from "../../../test/gradient-check.ts";

const cases: Readonly<Record<string, GradientCase>> = {
  "Add, broadcast": {
    inputs: { a: { dims: [2, 3, 4] }, b: { dims: [3, 1] } },
    build: (g) => g.op("Add", ["a", "b"]),
  },
  "Mul with itself": { inputs: { a: { dims: [5] } }, build: (g) => g.op("Mul", ["a", "a"]) },
  MatMul: {
    inputs: { a: { dims: [2, 3, 4] }, b: { dims: [4, 5] } },
    build: (g) => g.op("MatMul", ["a", "b"]),
  },
  Conv: {
    inputs: { x: { dims: [2, 4, 7, 6] }, w: { dims: [6, 2, 3, 2] }, b: { dims: [6] } },
    build: (g) =>
      g.op("Conv", ["x", "w", "b"], {
        group: 2,
        strides: [2, 1],
        pads: [1, 0, 2, 1],
        dilations: [1, 2],
      }),
  },
  MaxPool: {
    inputs: { x: { dims: [2, 2, 7, 6], values: "apart" } },
    build: (g) =>
      g.op("MaxPool", ["x"], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0] }),
  },
  "BatchNormalization, training": {
    inputs: { x: { dims: [4, 3, 2, 2] }, scale: { dims: [3] }, bias: { dims: [3] } },
    build: (g, type) => {
      const [y = ""] = g.ops(
        "BatchNormalization",
        [
          "x",
          "scale",
          "bias",
          g.constant(type, { dims: [3], values: [0, 0, 0] }),
          g.constant(type, { dims: [3], values: [1, 1, 1] }),
        ],
        { outputs: 3, attributes: { training_mode: 1, momentum: 0 } },
      );
      return y;
    },
  },
};

describe("gradients are the slopes that finite differences find", () => {
  test.each(Object.entries(cases))("%s", (_, of) => checkGradients(of));
});
