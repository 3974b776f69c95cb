import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { smallData, smallNet } from "../../../test/small-net.ts";
import { createRandom } from "../../core/index.ts";
import { createSession, type Feed } from "../../engine/index.ts";
import { checkModel, elementCount, type Model, modelBuilder, tensorOf } from "../../onnx/index.ts";
import { withInitializers } from "./graph-surgery.ts";
import { type Lora, mergeLora, withLora } from "./lora.ts";
import { crossEntropy } from "./losses/index.ts";
import { adamW } from "./optimizers/index.ts";
import { createTrainer } from "./trainer.ts";

async function run(model: Model, feeds: Readonly<Record<string, Feed>>): Promise<number[]> {
  const session = await createSession(model, { threads: 1, optimisation: "none" });
  const outputs = await session.run(feeds);
  await session.close();
  return Array.from(Object.values(outputs)[0]?.data as Float32Array);
}

const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? Number.NaN))));

/** A convolution, a MatMul, and a Gemm with transB and alpha, one after the other. */
function mixed(): Model {
  const random = createRandom(5);
  const g = modelBuilder({ operators });
  const weight = (name: string, dims: readonly number[]): string => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: size }, () => 0.3 * random.normal());
    return g.initializer(name, tensorOf("float32", { dims, values }));
  };
  const x = g.input("x", "float32", ["batch", 2, 5, 5]);
  const conv = g.op("Conv", [x, weight("conv", [4, 2, 3, 3])], { strides: [2, 2] });
  const flat = g.op("Flatten", [g.op("Relu", [conv])]);
  const product = g.op("Relu", [g.op("MatMul", [flat, weight("product", [16, 6])])]);
  const gemm = [product, weight("gemm", [3, 6]), weight("bias", [3])];
  g.output(g.op("Gemm", gemm, { transB: 1, alpha: 0.5 }), { name: "y" });
  return g.finish();
}
const image = {
  x: {
    dataType: "float32",
    dims: [3, 2, 5, 5],
    data: Float32Array.from({ length: 150 }, (_, at) => Math.sin(at)),
  },
} as const;

/** The model with numbers of chance in place of the zeros. */
function learnt({ model, adapters }: Lora): Model {
  const random = createRandom(9);
  const tensors = adapters.map(({ up }) => {
    const before = model.graph?.initializers.find(({ name }) => name === up);
    const dims = before?.dims ?? [];
    const values = Float32Array.from(
      { length: before === undefined ? 0 : elementCount(before) },
      () => 0.2 * random.normal(),
    );
    return [up, tensorOf("float32", { dims, values })] as const;
  });
  return withInitializers(model, new Map(tensors));
}

describe.skipIf(nativeMissing !== null)("low-rank adaptation", () => {
  test("computes what the base does before the first step", async () => {
    const lora = withLora(mixed(), { rank: 2, alpha: 8, seed: 1 });
    expect(lora.adapters.map(({ weight }) => weight)).toEqual(["conv", "product", "gemm"]);
    expect(checkModel(lora.model, operators)).toEqual([]);
    expect(await run(lora.model, image)).toEqual(await run(mixed(), image));
  });

  test("computes the same merged as unmerged, whatever was learnt", async () => {
    const lora = withLora(mixed(), { rank: 2, alpha: 8, seed: 1 });
    const trained = learnt(lora);
    const merged = mergeLora(mixed(), trained, lora);
    expect(merged.graph?.nodes).toEqual(mixed().graph?.nodes);
    const [apartFromBase, apartFromTrained] = [
      apart(await run(trained, image), await run(mixed(), image)),
      apart(await run(trained, image), await run(merged, image)),
    ];
    expect(apartFromBase).toBeGreaterThan(0.01);
    expect(apartFromTrained).toBeLessThan(1e-5);
  });

  test("trains the additions alone, and what it learns survives the merge", async () => {
    const { x, labels } = smallData(12);
    const lora = withLora(smallNet(), { rank: 2, seed: 3 });
    const trainer = await createTrainer(lora.model, {
      ...{ operators, loss: crossEntropy(), optimizer: adamW(), inputs: { x: [12, 4] } },
      ...{ parameters: lora.parameters, thread: "caller", engine: { threads: 1 } },
    });
    const losses: number[] = [];
    for (let step = 0; step < 40; step++) {
      losses.push((await trainer.step([{ x, labels }], 0.05)).loss);
    }
    const trained = trainer.model();
    await trainer.close();
    expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
    const of = (model: Model, name: string) =>
      model.graph?.initializers.find((tensor) => tensor.name === name);
    expect(of(trained, "hidden/weight")).toEqual(of(smallNet(), "hidden/weight"));
    const merged = mergeLora(smallNet(), trained, lora);
    expect(apart(await run(merged, { x }), await run(trained, { x }))).toBeLessThan(1e-5);
  });
});

// Hu et al. 2021: r (d_in + d_out) numbers a matrix; GPT-2 medium's queries and values at r = 4 are
// 24 x 2 x 4 x (1024 + 1024) = 393,216.
test("adds r (inputs + outputs) numbers a matrix", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(1000), (rank, seed) => {
      const { model, parameters } = withLora(smallNet(), { rank, seed });
      const added = (model.graph?.initializers ?? []).filter(({ name = "" }) =>
        parameters.includes(name),
      );
      const numbers = added.reduce((sum, tensor) => sum + elementCount(tensor), 0);
      expect(numbers).toBe(rank * (4 + 8) + rank * (8 + 3));
    }),
    { numRuns: 10 },
  );
  expect(24 * 2 * 4 * (1024 + 1024)).toBe(393_216);
});
