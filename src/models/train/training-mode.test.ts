import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { createSession, type TensorValue } from "../../engine/index.ts";
import { extendModel, type Model, modelBuilder } from "../../onnx/index.ts";
import { differentiate } from "./differentiate.ts";
import { trainingMode } from "./training-mode.ts";

const floats = (dims: readonly number[], data: readonly number[]): TensorValue => ({
  dataType: "float32",
  dims,
  data: Float32Array.from(data),
});

/** Two layers on one input with equal stored statistics: what ONNX Runtime would merge. */
function twoLayers(batch = 4): Model {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [batch, 2]);
  const vector = (name: string, values: readonly number[]) =>
    g.constant("float32", { name, dims: [2], values });
  const layer = (input: string, name: string): string =>
    g.op(
      { type: "BatchNormalization", name },
      [
        input,
        vector(`${name}/scale`, [1, 2]),
        vector(`${name}/bias`, [0.5, 0]),
        vector(`${name}/mean`, [0, 0]),
        vector(`${name}/variance`, [1, 1]),
      ],
      { momentum: 0.75 },
    );
  const a = layer(x, "a");
  const b = layer(x, "b");
  g.output(layer(g.op("Add", [a, g.op("Mul", [b, x])]), "c"), { name: "y" });
  return g.finish();
}

async function run(model: Model, wanted: Readonly<Record<string, string>>) {
  const g = extendModel(model, { operators });
  for (const [name, value] of Object.entries(wanted)) g.output(value, { name });
  return createSession(g.finish(), { threads: 1 });
}

describe("batch statistics", () => {
  const data = [1, 5, 2, -1, 3, 0.5, 6, 2];
  const column = (at: number): readonly number[] => data.filter((_, index) => index % 2 === at);
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b) / list.length;
  const squares = (list: readonly number[]): number =>
    list.reduce((sum, value) => sum + (value - mean(list)) ** 2, 0);

  test("running means and unbiased variances follow, layer by layer, whatever came before", async () => {
    const { model, statistics } = trainingMode(twoLayers(), { operators, seed: 1 });
    expect([...statistics.keys()]).toEqual(
      ["a", "b", "c"].flatMap((name) => [`${name}/mean`, `${name}/variance`]),
    );
    const next = [...statistics].map(([name, value]) => [`next/${name}`, value] as const);
    const session = await run(model, Object.fromEntries(next));
    // A step that went wrong leaves nothing behind in ONNX Runtime's constants.
    const faulty = data.map(() => Number.NaN);
    const after: Record<string, readonly number[]> = {};
    for (const values of [data, faulty, data]) {
      const outputs = await session.run({ x: floats([4, 2], values) });
      for (const [name, value] of Object.entries(outputs))
        after[name] = Array.from(value.data, Number);
    }
    await session.close();
    for (const layer of ["a", "b"]) {
      for (const at of [0, 1]) {
        expect(after[`next/${layer}/mean`]?.[at]).toBeCloseTo(0.25 * mean(column(at)), 5);
        const unbiased = squares(column(at)) / 3;
        expect(after[`next/${layer}/variance`]?.[at]).toBeCloseTo(0.75 + 0.25 * unbiased, 5);
      }
    }
    // The last layer reads a + b x, with a = b = scale z + bias.
    const inner = [0, 1].map((at) => {
      const list = column(at);
      const deviation = Math.sqrt(squares(list) / 4 + 1e-5);
      const a = list.map((value) => ((at + 1) * (value - mean(list))) / deviation + (at ? 0 : 0.5));
      return a.map((value, index) => value + value * (list[index] ?? 0));
    });
    for (const at of [0, 1]) {
      expect(after["next/c/mean"]?.[at]).toBeCloseTo(0.25 * mean(inner[at] ?? []), 4);
      const unbiased = squares(inner[at] ?? []) / 3;
      expect(after["next/c/variance"]?.[at]).toBeCloseTo(0.75 + 0.25 * unbiased, 3);
    }
  });

  test("a layer whose scale is frozen keeps its stored statistics", () => {
    const parameters = new Set(["a/scale", "c/scale"]);
    const { model, statistics } = trainingMode(twoLayers(), { operators, seed: 1, parameters });
    expect([...statistics.keys()]).toEqual(["a/mean", "a/variance", "c/mean", "c/variance"]);
    expect(model.graph?.nodes.find(({ name }) => name === "b")).toEqual(
      twoLayers().graph?.nodes.find(({ name }) => name === "b"),
    );
  });

  test("one value a channel has no variance, and the layer is named", () => {
    expect(() => trainingMode(twoLayers(1), { operators, seed: 1 })).toThrow(/"a" has one value/);
  });
});

describe("Dropout", () => {
  function withDropout(): Model {
    const g = modelBuilder({ operators });
    const x = g.input("x", "float32", [1000]);
    const ratio = g.constant("float32", { dims: [], values: [0.25] });
    g.output(g.op("Dropout", [x, ratio]), { name: "y" });
    return g.finish();
  }
  const ones = floats(
    [1000],
    Array.from({ length: 1000 }, () => 1),
  );
  const twice = async (seed: number): Promise<readonly (readonly number[])[]> => {
    const { model } = trainingMode(withDropout(), { operators, seed });
    const session = await createSession(model, { threads: 1 });
    const runs = [await session.run({ x: ones }), await session.run({ x: ones })];
    await session.close();
    return runs.map(({ y }) => Array.from(y?.data ?? [], Number));
  };

  test("drops the share that it says, anew in every run, and the same from the same seed", async () => {
    const [first, again, other] = [await twice(5), await twice(5), await twice(6)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    const kept = first[0]?.filter((value) => value !== 0) ?? [];
    for (const value of kept) expect(value).toBeCloseTo(4 / 3, 5);
    // Within four standard deviations of 750.
    expect(Math.abs(kept.length - 750)).toBeLessThan(4 * Math.sqrt(1000 * 0.25 * 0.75));
  });

  test("the gradient passes where a value was kept, as scaled", async () => {
    const { model } = trainingMode(withDropout(), { operators, seed: 3 });
    const g = extendModel(model, { operators });
    const axes = g.constant("int64", { dims: [0], values: [] });
    const loss = g.op("ReduceSum", [g.op("Mul", ["y", "y"]), axes], { keepdims: 0 });
    g.output(loss, { name: "loss" });
    const both = differentiate(g.finish(), { operators, loss: "loss", parameters: ["x"] });
    const session = await run(both.model, { dx: both.gradients.get("x") ?? "" });
    const { y, dx } = await session.run({ x: ones });
    await session.close();
    // d/dx of (x/0.75)^2 is 2 x / 0.75^2 where x was kept, y = x / 0.75.
    Array.from(y?.data ?? [], Number).forEach((value, at) => {
      expect(Number(dx?.data[at])).toBeCloseTo((2 * value) / 0.75, 5);
    });
  });
});
