import { describe, expect, test } from "vitest";
import { checkGradients, type GradientCase } from "../../../../test/gradient-check.ts";
import { operators } from "../../../../test/operators.ts";
import { createSession } from "../../../engine/index.ts";
import { extendModel, type GraphBuilder, modelBuilder } from "../../../onnx/index.ts";
import { differentiate } from "../differentiate.ts";

describe("normalisation", () => {
  const scaled = (dims: readonly number[], channels: number) => ({
    x: { dims },
    scale: { dims: [channels] },
    bias: { dims: [channels] },
  });
  const stored = (g: GraphBuilder, type: "float32" | "float64") => [
    g.constant(type, { dims: [3], values: [0.5, -1, 0] }),
    g.constant(type, { dims: [3], values: [0.5, 2, 1] }),
  ];
  const cases: Readonly<Record<string, GradientCase>> = {
    "by the batch's statistics": {
      inputs: scaled([4, 3, 2, 2], 3),
      build(g, type) {
        const operands = ["x", "scale", "bias", ...stored(g, type as "float32")];
        const attributes = { training_mode: 1, momentum: 0 };
        return g.ops("BatchNormalization", operands, { outputs: 3, attributes })[0] ?? "";
      },
    },
    "by the batch's statistics, their moments by scalar products": {
      inputs: scaled([4, 3, 2, 2], 3),
      build(g, type) {
        const operands = ["x", "scale", "bias", ...stored(g, type as "float32")];
        const attributes = { training_mode: 1, momentum: 0 };
        return g.ops("BatchNormalization", operands, { outputs: 3, attributes })[0] ?? "";
      },
      lowerings: { fastest: () => "dots" },
    },
    "by the batch's statistics, which are not handed on": {
      inputs: scaled([5, 3], 3),
      build(g, type) {
        const operands = ["x", "scale", "bias", ...stored(g, type as "float32")];
        return (
          g.ops("BatchNormalization", operands, {
            outputs: 3,
            attributes: { training_mode: 1, epsilon: 0.1 },
          })[0] ?? ""
        );
      },
    },
    "by stored statistics": {
      inputs: scaled([2, 3, 3], 3),
      build: (g, type) =>
        g.op("BatchNormalization", ["x", "scale", "bias", ...stored(g, type as "float32")]),
    },
    "behind a convolution whose result is used once more": {
      inputs: {
        x: { dims: [2, 2, 3, 3] },
        w: { dims: [3, 2, 2, 2] },
        b: { dims: [3] },
        scale: { dims: [3] },
        bias: { dims: [3] },
      },
      build(g, type) {
        const y = g.op("Conv", ["x", "w", "b"]);
        const operands = ["scale", "bias", ...stored(g, type as "float32")];
        const by = (input: string) => g.op("BatchNormalization", [input, ...operands]);
        return [by(y), by(g.op("Neg", [y])), g.op("Mul", [by(y), by(g.op("Conv", ["x", "w"]))])];
      },
      step: 0.02,
    },
    "of layers": {
      inputs: scaled([2, 3, 4], 4),
      build: (g) => g.op("LayerNormalization", ["x", "scale", "bias"], { epsilon: 0.01 }),
      step: 0.02,
    },
    "of layers, over two axes, without a bias": {
      inputs: { x: { dims: [2, 3, 4] }, scale: { dims: [3, 4] } },
      build: (g) => g.op("LayerNormalization", ["x", "scale"], { axis: 1 }),
      step: 0.02,
    },
    "by the root mean square": {
      inputs: { x: { dims: [2, 3, 4] }, scale: { dims: [4] } },
      build: (g) => g.op("RMSNormalization", ["x", "scale"], { axis: -1 }),
      opset: 23,
      step: 0.02,
    },
    "of instances": {
      inputs: scaled([2, 3, 2, 3], 3),
      build: (g) => g.op("InstanceNormalization", ["x", "scale", "bias"]),
      step: 0.02,
    },
    "of groups": {
      inputs: scaled([2, 4, 2, 2], 4),
      build: (g) =>
        g.op("GroupNormalization", ["x", "scale", "bias"], { num_groups: 2, epsilon: 0.1 }),
      // Its float64 kernel computes in float32 inside.
      single: true,
    },
    "across channels": {
      inputs: { x: { dims: [1, 6, 2, 2] } },
      build: (g) => g.op("LRN", ["x"], { size: 5, alpha: 0.5, beta: 0.6, bias: 1.5 }),
      step: 0.02,
    },
  };
  test.each(Object.entries(cases))("%s", (_, of) => checkGradients(of));
});

describe("recurrent layers", () => {
  const [steps, samples, size, units] = [3, 2, 2, 2];
  const layer = (
    type: "LSTM" | "GRU",
    attributes: Readonly<Record<string, string | number>>,
    outputs: readonly number[],
  ): GradientCase => {
    const gates = type === "LSTM" ? 4 : 3;
    const directions = attributes["direction"] === "bidirectional" ? 2 : 1;
    const start = { h: { dims: [directions, samples, units] } };
    return {
      inputs: {
        x: { dims: [steps, samples, size] },
        w: { dims: [directions, gates * units, size] },
        r: { dims: [directions, gates * units, units] },
        b: { dims: [directions, 2 * gates * units] },
        ...start,
        ...(type === "LSTM" ? { c: start.h } : {}),
      },
      build(g) {
        const operands = ["x", "w", "r", "b", "", "h", ...(type === "LSTM" ? ["c"] : [])];
        const all = g.ops(type, operands, {
          outputs: type === "LSTM" ? 3 : 2,
          attributes: { hidden_size: units, ...attributes },
        });
        return outputs.map((at) => all[at] ?? "");
      },
      step: 0.04,
    };
  };
  test.each([
    ["LSTM", {}, [0, 1, 2]],
    ["LSTM", { direction: "reverse" }, [0]],
    ["LSTM", { direction: "bidirectional" }, [0, 2]],
    ["LSTM", {}, [1]],
    ["GRU", {}, [0, 1]],
    ["GRU", { linear_before_reset: 1 }, [0]],
    ["GRU", { direction: "bidirectional", linear_before_reset: 1 }, [1]],
    ["GRU", { direction: "reverse" }, [0]],
  ] as const)("%s %j, outputs %j", (type, attributes, outputs) =>
    checkGradients(layer(type, attributes, outputs)),
  );

  test("clipped cells have no rule, and the error says so", async () => {
    const clipped = layer("LSTM", {}, [0]);
    await expect(
      checkGradients({
        ...clipped,
        build: (graph) =>
          graph.op("LSTM", ["x", "w", "r"], {
            hidden_size: units,
            clip: { kind: "float", value: 1 },
          }),
      }),
    ).rejects.toThrow(/it has clip/);
  });
});

describe("quantisation passes the gradient where it did not cut", () => {
  // Esser et al., Learned Step Size Quantization, 2020, equation 3, for the scale.
  test("values within range, the scale by what rounding lost", async () => {
    const values = [-3, -0.52, 0.1, 0.26, 0.74, 40, -40];
    const g = modelBuilder({ operators });
    const x = g.input("x", "float32", [values.length]);
    const scale = g.input("scale", "float32", []);
    const zero = g.constant("int8", { dims: [], values: [4] });
    const q = g.op("QuantizeLinear", [x, scale, zero]);
    const y = g.op("DequantizeLinear", [q, scale, zero]);
    const axes = g.constant("int64", { dims: [0], values: [] });
    g.output(g.op("ReduceSum", [y, axes], { keepdims: 0 }), { name: "loss" });
    const both = differentiate(g.finish(), {
      operators,
      loss: "loss",
      parameters: ["x", "scale"],
    });
    const all = extendModel(both.model, { operators });
    for (const [name, value] of both.gradients) all.output(value, { name: `d/${name}` });
    const session = await createSession(all.finish(), { threads: 1 });
    const step = 0.25;
    const result = await session.run({
      x: { dataType: "float32", dims: [values.length], data: Float32Array.from(values) },
      scale: { dataType: "float32", dims: [], data: Float32Array.of(step) },
    });
    await session.close();
    expect(Array.from(result["d/x"]?.data ?? [], Number)).toEqual([1, 1, 1, 1, 1, 0, 0]);
    const slopes = values.map((value) => {
      const ratio = value / step;
      if (ratio > 127 - 4) return 127 - 4;
      if (ratio < -128 - 4) return -128 - 4;
      return Math.round(ratio) - ratio;
    });
    const expected = slopes.reduce((sum, slope) => sum + slope, 0);
    expect(Number(result["d/scale"]?.data[0])).toBeCloseTo(expected, 4);
  });
});
