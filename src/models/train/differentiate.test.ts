import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { checkModel, type GraphBuilder, type Model, modelBuilder } from "../../onnx/index.ts";
import { type DifferentiateOptions, differentiate } from "./differentiate.ts";

/** A model of one input x [4, 3] whose loss is built from it. */
function modelOf(build: (g: GraphBuilder) => string, opset = 21): Model {
  const g = modelBuilder({ operators, opsets: { "": opset } });
  g.input("x", "float32", ["batch", 3]);
  for (const name of ["w1", "w2"]) {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, name === "w1" ? 9 : 10];
    g.constant("float32", { name, dims: [3, 3], values });
  }
  g.output(build(g), { name: "loss" });
  return g.finish();
}

const mean = (g: GraphBuilder, value: string): string =>
  g.op("ReduceMean", [value], { keepdims: 0 });

const twoLayers = (g: GraphBuilder): string => {
  const hidden = g.op("Relu", [g.op({ type: "MatMul", name: "first" }, ["x", "w1"])]);
  return mean(g, g.op({ type: "MatMul", name: "second" }, [hidden, "w2"]));
};

const gradient = (model: Model, options: Partial<DifferentiateOptions> = {}) =>
  differentiate(model, {
    operators,
    loss: "loss",
    parameters: ["w1", "w2"],
    shapes: { inputs: { x: [4, 3] } },
    ...options,
  });

describe("what is written", () => {
  test("the forward pass stays as it was, gradients are values behind it", () => {
    const model = modelOf(twoLayers);
    const { model: both, gradients } = gradient(model);
    expect(both.graph?.nodes.slice(0, model.graph?.nodes.length)).toEqual(model.graph?.nodes);
    expect(both.graph?.outputs).toEqual(model.graph?.outputs);
    expect([...gradients.keys()]).toEqual(["w1", "w2"]);
    expect([...gradients.values()].every((name) => name.startsWith("gradient/"))).toBe(true);
    expect(checkModel(both, operators).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("the sizes that it is written for stand in its inputs", () => {
    const { model } = gradient(modelOf(twoLayers));
    expect(model.graph?.inputs[0]?.type).toMatchObject({ shape: [{ value: 4n }, { value: 3n }] });
  });

  test("a frozen layer costs nothing, and what only it needs is not written", () => {
    const model = modelOf(twoLayers);
    const names = ({ model: { graph } }: { readonly model: Model }): readonly string[] =>
      (graph?.nodes ?? []).map(({ name = "" }) => name).filter((name) => /^gradient/.test(name));
    const last = names(gradient(model, { parameters: ["w2"] }));
    expect(last.some((name) => name.startsWith("gradient/first"))).toBe(false);
    expect(last.length).toBeLessThan(names(gradient(model)).length);
    const { graph } = gradient(model, { parameters: ["w2"] }).model;
    const read = new Set(graph?.nodes.flatMap(({ inputs }) => inputs));
    expect(graph?.initializers.filter(({ name = "" }) => !read.has(name))).toEqual([]);
  });

  test("a pool tells its places only where a gradient reads them: where its windows overlap", () => {
    const g = modelBuilder({ operators });
    const x = g.input("x", "float32", [1, 1, 4, 4]);
    const w = g.constant("float32", { name: "w", dims: [1, 1, 1, 1], values: [2] });
    const pool = (value: string, step = 1): string =>
      g.op("MaxPool", [value], { kernel_shape: [2, 2], strides: [step, step] });
    const read = g.op("Sub", [pool(g.op("Conv", [x, w])), pool(x)]);
    const mosaic = g.op("ReduceMean", [pool(g.op("Conv", [x, w]), 2)], { keepdims: 0 });
    g.output(g.op("Add", [g.op("ReduceMean", [read], { keepdims: 0 }), mosaic]), { name: "loss" });
    g.output(pool(g.op("Exp", [g.op("Conv", [x, w])])), { name: "other" });
    const { model } = differentiate(g.finish(), { operators, loss: "loss", parameters: ["w"] });
    // The last is how the mosaic is compared: ONNX Runtime makes it one with the pool of the forward pass.
    const pools = model.graph?.nodes.filter(({ opType }) => opType === "MaxPool") ?? [];
    expect(pools.map(({ outputs }) => outputs.length)).toEqual([2, 1, 1, 1, 1]);
  });
});

describe("mistakes are named", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "a parameter that is not there",
      () => gradient(modelOf(twoLayers), { parameters: ["w3"] }),
      /no parameter "w3"/,
    ],
    [
      "a loss of several elements",
      () =>
        gradient(
          modelOf((g) => g.op("MatMul", ["x", "w1"])),
          { parameters: ["w1"] },
        ),
      /loss "loss" is float32 \[4, 3\]/,
    ],
    [
      "a parameter without influence",
      () => gradient(modelOf((g) => mean(g, g.op("MatMul", ["x", "w1"])))),
      /does not depend on "w2"/,
    ],
    [
      "sizes that are left open",
      () => gradient(modelOf(twoLayers), { shapes: {} }),
      /sizes of ".*" are not fixed: \[batch, 3\]/,
    ],
    ["an old opset", () => gradient(modelOf(twoLayers, 17)), /opset 18 or newer, not 17/],
    [
      "a parameter that a branch reads from outside",
      () =>
        gradient(
          modelOf((g) => {
            const yes = g.constant("bool", { dims: [], values: [1] });
            const branch = (type: string) =>
              g.subGraph(type, (body) => body.output(body.op(type, ["w1"])));
            const attributes = { then_branch: branch("Neg"), else_branch: branch("Abs") };
            const [chosen = ""] = g.ops({ type: "If", name: "choice" }, [yes], {
              outputs: 1,
              attributes,
            });
            return mean(g, chosen);
          }),
          { parameters: ["w1"] },
        ),
      /node "choice" \(If\) cannot be differentiated/,
    ],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });

  test("rounded values have no slope, so that nothing before them has influence", () => {
    const rounded = modelOf((g) => mean(g, g.op("Round", [g.op("MatMul", ["x", "w1"])])));
    expect(() => gradient(rounded, { parameters: ["w1"] })).toThrow(/does not depend on "w1"/);
  });
});
