import { expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { type Model, modelBuilder } from "../../onnx/index.ts";
import { differentiate } from "./differentiate.ts";
import { type TunedLowerings, tuneLowerings, writtenBy } from "./tune-lowerings.ts";

/** Two equal depthwise convolutions and one of another size. */
function network(): Model {
  const g = modelBuilder({ operators });
  let y = g.input("x", "float32", [2, 3, 6, 6]);
  for (const [name, size] of [
    ["a", 3],
    ["b", 3],
    ["c", 1],
  ] as const) {
    const values = Array.from({ length: 3 * size * size }, (_, at) => Math.sin(at + size));
    const w = g.constant("float32", { name, dims: [3, 1, size, size], values });
    const pad = (size - 1) / 2;
    y = g.op("Conv", [y, w], { group: 3, pads: [pad, pad, pad, pad] });
  }
  g.output(g.op("ReduceMean", [y], { keepdims: 0 }), { name: "loss" });
  return g.finish();
}

const options = { operators, loss: "loss", parameters: ["a", "b", "c"] };

/** A store in memory. */
function memory(texts: Map<string, string>) {
  return {
    read: async (key: string) => texts.get(key) ?? null,
    write: async (key: string, text: string) => {
      texts.set(key, text);
    },
  };
}

const tuned = (texts: Map<string, string>, processor = "this one"): Promise<TunedLowerings> =>
  tuneLowerings(network(), {
    ...options,
    engine: { threads: 1 },
    processor,
    store: memory(texts),
    budgetMs: 1,
  });

test("each size is timed once, in every way, and the answer is kept for this machine", async () => {
  const texts = new Map<string, string>();
  const first = await tuned(texts);
  // The first layer's input is no parameter: two gradients by inputs, two sizes of weights.
  expect(first.cases.map(({ family }) => family).sort()).toEqual([
    "conv-input-gradient",
    "conv-input-gradient",
    "conv-weight-gradient",
    "conv-weight-gradient",
  ]);
  for (const { family, milliseconds, fastest, known } of first.cases) {
    const ways = ["one-hot-columns", "swapped-axes", "per-sample", "diagonal"];
    const all = family === "conv-weight-gradient" ? ways : ["flipped-conv", "conv-transpose"];
    expect(Object.keys(milliseconds).sort()).toEqual(all.sort());
    expect(milliseconds[fastest ?? ""]).toBe(Math.min(...Object.values(milliseconds)));
    expect(known).toBe(false);
  }
  const again = await tuned(texts);
  expect(again.cases.every(({ known }) => known)).toBe(true);
  expect(again.cases.map(({ milliseconds }) => milliseconds)).toEqual(
    first.cases.map(({ milliseconds }) => milliseconds),
  );
  const elsewhere = await tuned(texts, "another one");
  expect(elsewhere.cases.some(({ known }) => known)).toBe(false);
});

test("both ways to find the maxima of a pool agree, so that both are timed", async () => {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [2, 1, 8, 8]);
  const w = g.constant("float32", { name: "w", dims: [3, 1, 3, 3], values: Array(27).fill(0.5) });
  const y = g.op("MaxPool", [g.op("Conv", [x, w])], { kernel_shape: [2, 2], strides: [2, 2] });
  g.output(g.op("ReduceMean", [y], { keepdims: 0 }), { name: "loss" });
  const { cases } = await tuneLowerings(g.finish(), {
    ...{ operators, loss: "loss", parameters: ["w"], processor: "this one", budgetMs: 1 },
    engine: { threads: 1 },
  });
  const [pool] = cases.filter(({ family }) => family === "max-pool-gradient");
  expect(Object.keys(pool?.milliseconds ?? {}).sort()).toEqual(["compared", "placed"]);
});

test("kept text that is no answer is timed again, and the choice is what is written", async () => {
  const texts = new Map<string, string>();
  await tuned(texts);
  for (const key of texts.keys()) texts.set(key, '{"one-hot-columns": "fast"}');
  expect((await tuned(texts)).cases.some(({ known }) => known)).toBe(false);

  for (const key of texts.keys()) {
    texts.set(key, JSON.stringify({ "conv-transpose": 1, "swapped-axes": 1 }));
  }
  const { model } = differentiate(network(), { ...options, lowerings: await tuned(texts) });
  const types = model.graph?.nodes.slice(4).map(({ opType }) => opType) ?? [];
  expect(types.filter((type) => type === "ConvTranspose")).toHaveLength(2);

  const { ways } = await tuned(texts);
  const kept = JSON.parse(JSON.stringify(ways));
  const again = differentiate(network(), { ...options, lowerings: writtenBy(kept) });
  expect(again.model.graph?.nodes.slice(4).map(({ opType }) => opType)).toEqual(types);
});
