import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime } from "../../../engine/index.ts";
import {
  elementsOf,
  encodeModel,
  type Model,
  modelBuilder,
  tensorOf,
} from "../../../onnx/index.ts";
import { allRows, type Dataset, memoryDataset } from "../../data/index.ts";
import { crossEntropy, withLoss } from "../../train/index.ts";
import { factorise } from "../factorise/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { prune } from "../prune/index.ts";
import { reconstructBlocks } from "./blocks.ts";
import { distil } from "./distil.ts";
import { meanGradients } from "./gradients.ts";
import { pruneInRounds } from "./iterate.ts";
import { type Match, matchedValue, matching } from "./matching.ts";
import { datasetOfFeeds, teach } from "./taught.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };
const options = { operators, seed: 1, threads: 1, epochs: 8, rate: 5e-3 };

function dataset(count: number, seed: number): Dataset {
  const data = randomFloats([count, 3, 6, 6], seed).data as Float32Array;
  const labels = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 5));
  return memoryDataset("noise", [
    { name: "x", dataType: "float32", shape: [3, 6, 6], data },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
}
const data = dataset(160, 1);

/** Two convolutions, a matrix, five logits. */
function network(): Model {
  const graph = modelBuilder({ operators });
  let seeds = 30;
  const weight = (dims: readonly number[]): string => {
    const fan = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const values = randomFloats(dims, ++seeds).data as Float32Array;
    return graph.constant("float32", { dims, values: values.map((v) => v / Math.sqrt(fan)) });
  };
  const pads = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  let x = graph.input("x", "float32", ["batch", 3, 6, 6]);
  x = graph.op("Relu", [graph.op("Conv", [x, weight([16, 3, 3, 3]), weight([16])], pads)]);
  x = graph.op("Relu", [graph.op("Conv", [x, weight([16, 16, 3, 3]), weight([16])], pads)]);
  x = graph.op("Flatten", [
    graph.op("AveragePool", [x], { kernel_shape: [3, 3], strides: [3, 3] }),
  ]);
  x = graph.op("Gemm", [x, weight([5, 64]), weight([5])], { transB: 1 });
  graph.output(x, { name: "y" });
  return graph.finish();
}
const teacher = network();

/** Squared difference of outputs on samples not seen, relative to the teacher's. */
async function errorOf(student: Model): Promise<number> {
  const x = randomFloats([40, 3, 6, 6], 999);
  const [a, b] = [await runModel(teacher, { x }), await runModel(student, { x })];
  const [left, right] = [a["y"]?.data as Float32Array, b["y"]?.data as Float32Array];
  const sum = left.reduce((total, value, i) => total + (value - (right[i] ?? 0)) ** 2, 0);
  return sum / left.reduce((total, value) => total + value ** 2, 0);
}

async function lossOf(
  student: Model,
  matches: readonly Match[],
  rows: readonly number[] = allRows(160),
): Promise<number> {
  const { dataset: taught, energies } = await teach(teacher, data, matches, { operators });
  const { withStaticDims, createSession } = await import("../../../engine/index.ts");
  const sized = withStaticDims(student, { shapes: { x: [rows.length, 3, 6, 6] } });
  const predictions = matches.map(matchedValue);
  const made = withLoss(sized, { operators, loss: matching(matches, { energies }), predictions });
  const batch = await taught.batch(rows);
  const session = await createSession(made.model, { threads: 1 });
  const x = batch.get("x");
  if (x === undefined) throw new Error("no input");
  const fed = made.targets.flatMap(({ role, input }) => {
    const value = batch.get(role);
    return value === undefined ? [] : [[input, value] as const];
  });
  const outputs = await session.run({ x, ...Object.fromEntries(fed) }, { outputs: [made.loss] });
  await session.close();
  return Number(outputs[made.loss]?.data[0]);
}

describe.skipIf(nativeMissing !== null)("matching", () => {
  const kinds = ["logits", "features", "attention"] as const;
  const valueOfKind = { logits: "y", features: "relu1", attention: "relu2" };

  test.each(kinds)(
    "of %s is nothing for the teacher itself, and something for others",
    async (kind) => {
      const match = { value: valueOfKind[kind], kind };
      expect(Math.abs(await lossOf(teacher, [match]))).toBeLessThan(1e-6);
      const { model: other } = await prune.apply(teacher, context, {
        ratio: 0.5,
        align: 1,
        only: kind === "features" ? [] : ["const1"],
      });
      if (kind !== "features") expect(await lossOf(other, [match])).toBeGreaterThan(1e-5);
    },
  );

  test("is the mean over all samples left out, though they are looked at in several runs", async () => {
    const { model: student } = await prune.apply(teacher, context, {
      ...{ ratio: 0.5, align: 1, only: ["const1"] },
    });
    const { before } = await distil(student, {
      ...{ ...options, teacher, data, heldOut: 0.5, epochs: 1 },
    });
    const all = await lossOf(student, [{ value: "y", kind: "logits" }], allRows(160).slice(80));
    expect(before).toBeCloseTo(all, 6);
    expect(before).toBeGreaterThan(1e-5);
  });

  test("of attention is that of unit maps of summed squares", async () => {
    // The student: the teacher with other weights in its second convolution.
    const graph = teacher.graph;
    if (graph === undefined) throw new Error("no graph");
    const changed = graph.initializers.map((tensor) =>
      tensor.name === "const3"
        ? tensorOf("float32", {
            name: "const3",
            dims: tensor.dims,
            values: randomFloats([16, 16, 3, 3], 5).data as Float32Array,
          })
        : tensor,
    );
    const student = { ...teacher, graph: { ...graph, initializers: changed } };
    const mapsOf = async (model: Model): Promise<readonly (readonly number[])[]> => {
      const inner = model.graph ?? graph;
      const exposed = { ...model, graph: { ...inner, outputs: [{ name: "relu2", metadata: [] }] } };
      const { Tensor } = await import("onnxruntime-node");
      const x = (await data.batch(Array.from({ length: 160 }, (_, i) => i))).get("x");
      const out = await runModel(exposed, {
        x: new Tensor("float32", x?.data as Float32Array, [160, 3, 6, 6]),
      });
      const values = out["relu2"]?.data as Float32Array;
      return Array.from({ length: 160 }, (_, row) => {
        const map = Array.from({ length: 36 }, (_, at) =>
          Array.from({ length: 16 }, (_, c) => (values[(row * 16 + c) * 36 + at] ?? 0) ** 2).reduce(
            (a, b) => a + b,
            0,
          ),
        );
        const length = Math.hypot(...map);
        return map.map((v) => v / length);
      });
    };
    const [a, b] = [(await mapsOf(teacher)).flat(), (await mapsOf(student)).flat()];
    const mean = a.reduce((sum, v, i) => sum + (v - (b[i] ?? 0)) ** 2, 0) / a.length;
    // Divided by the mean square of unit maps, which is one over their positions.
    expect(await lossOf(student, [{ value: "relu2", kind: "attention" }])).toBeCloseTo(
      36 * mean,
      4,
    );
  });
});

describe.skipIf(nativeMissing !== null)("distillation without labels", () => {
  test("brings a pruned student nearer to its teacher on samples it has not seen", async () => {
    const { model: student } = await prune.apply(teacher, context, { ratio: 0.5, align: 1 });
    const learned = await distil(student, { ...options, teacher, data });
    expect(learned.kept).toBe(true);
    expect(learned.after).toBeLessThan(0.7 * learned.before);
    expect(await errorOf(learned.model)).toBeLessThan(0.7 * (await errorOf(student)));
    expect(learned.model.graph?.nodes.length).toBe(student.graph?.nodes.length);
  });

  test("leaves the teacher as it is: nothing to learn is nothing kept", async () => {
    const learned = await distil(teacher, { ...options, epochs: 1, teacher, data });
    expect(learned.kept).toBe(false);
    expect(learned.model).toBe(teacher);
    expect(Math.abs(learned.before)).toBeLessThan(1e-6);
  });

  test("matches channels that are left, all channels through a projection, and attention", async () => {
    const pruned = await prune.apply(teacher, context, { ratio: 0.5, align: 1 });
    const kept = (value: string) => pruned.kept(value, 1);
    expect(kept("relu1")).toHaveLength(8);
    for (const matches of [
      [{ value: "relu2", kind: "features" }],
      [{ value: "relu2", kind: "features", project: true }],
      [
        { value: "relu2", kind: "attention" },
        { value: "y", kind: "logits", weight: 0.1 },
      ],
    ] as const) {
      const only = "project" in (matches[0] ?? {}) ? {} : { kept };
      const learned = await distil(pruned.model, {
        ...options,
        ...only,
        epochs: 3,
        teacher,
        data,
        matches,
      });
      expect(learned.after).toBeLessThan(learned.before);
      // The projection is gone.
      expect(learned.model.graph?.initializers.length).toBe(
        pruned.model.graph?.initializers.length,
      );
      expect(learned.model.graph?.nodes.length).toBe(pruned.model.graph?.nodes.length);
    }
  });

  test("takes calibration inputs for samples", async () => {
    const feeds = async function* (): AsyncGenerator<Feeds> {
      for (const seed of [1, 2]) {
        yield {
          x: {
            dataType: "float32",
            dims: [4, 3, 6, 6],
            data: randomFloats([4, 3, 6, 6], seed).data as Float32Array,
          },
        };
      }
    };
    const made = await datasetOfFeeds(feeds());
    expect([made.length, made.columns[0]?.shape]).toEqual([8, [3, 6, 6]]);
    await expect(datasetOfFeeds((async function* () {})())).rejects.toThrow(
      /no calibration inputs/,
    );
  });
});

describe.skipIf(nativeMissing !== null)("block by block", () => {
  test("a factorised student learns each block from what the ones before it give", async () => {
    const { model: student } = await factorise.apply(teacher, context, {
      rank: { rule: "share", share: 0.3 },
      align: 1,
    });
    const { model, blocks } = await reconstructBlocks(student, { ...options, teacher, data });
    expect(blocks.map(({ from, to }) => [from, to])).toEqual([
      ["x", "relu1"],
      ["relu1", "flatten1"],
      ["flatten1", "y"],
    ]);
    for (const { before, after, kept } of blocks) if (kept) expect(after).toBeLessThan(before);
    expect(blocks.filter(({ kept }) => kept).length).toBeGreaterThan(1);
    expect(await errorOf(model)).toBeLessThan(0.7 * (await errorOf(student)));
  });

  test("a pruned student learns the channels that are left", async () => {
    const pruned = await prune.apply(teacher, context, { ratio: 0.5, align: 1 });
    const kept = (value: string) => pruned.kept(value, 1);
    const { model, blocks } = await reconstructBlocks(pruned.model, {
      ...options,
      teacher,
      data,
      kept,
    });
    expect(blocks.length).toBeGreaterThan(1);
    expect(await errorOf(model)).toBeLessThan(await errorOf(pruned.model));
  });
});

test.skipIf(nativeMissing !== null)(
  "pruning in rounds ends as small as at once, and nearer to the teacher",
  async () => {
    const shared = { data, threads: 1, rate: 5e-3 };
    const once = await prune.apply(teacher, context, { ratio: 0.75, align: 1 });
    const { model, rounds } = await pruneInRounds(teacher, context, {
      ratio: 0.75,
      rounds: 2,
      prune: { align: 1 },
      distil: { ...shared, epochs: 5 },
    });
    expect(encodeModel(model).length).toBeLessThan(1.02 * encodeModel(once.model).length);
    expect(rounds.map(({ gone }) => gone)).toEqual([0.5, 0.75]);
    expect(await errorOf(model)).toBeLessThan(0.7 * (await errorOf(once.model)));
  },
);

test.skipIf(nativeMissing !== null)("mean gradients are those of finite differences", async () => {
  const few = dataset(16, 3);
  const gradients = await meanGradients(teacher, { operators, loss: crossEntropy(), data: few });
  const graph = teacher.graph;
  if (graph === undefined) throw new Error("no graph");
  const lossWith = async (name: string, at: number, by: number): Promise<number> => {
    const initializers = graph.initializers.map((tensor) => {
      if (tensor.name !== name) return tensor;
      const values = Float32Array.from(elementsOf(tensor) as Float32Array);
      values[at] = (values[at] ?? 0) + by;
      return tensorOf("float32", { name, dims: tensor.dims, values });
    });
    const changed = { ...teacher, graph: { ...graph, initializers } };
    const { Tensor } = await import("onnxruntime-node");
    const batch = await few.batch(Array.from({ length: 16 }, (_, i) => i));
    const x = new Tensor("float32", batch.get("x")?.data as Float32Array, [16, 3, 6, 6]);
    const logits = (await runModel(changed, { x }))["y"]?.data as Float32Array;
    return Array.from({ length: 16 }, (_, row) => {
      const own = [...logits.slice(5 * row, 5 * row + 5)];
      return Math.log(own.reduce((sum, v) => sum + Math.exp(v), 0)) - (own[row % 5] ?? 0);
    }).reduce((sum, v) => sum + v / 16, 0);
  };
  for (const [name, at] of [
    ["const1", 5],
    ["const5", 40],
  ] as const) {
    const slope = ((await lossWith(name, at, 0.02)) - (await lossWith(name, at, -0.02))) / 0.04;
    expect(gradients.get(name)?.[at]).toBeCloseTo(Math.abs(slope), 3);
  }
});
