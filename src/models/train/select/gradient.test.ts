import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { smallData, smallNet } from "../../../../test/small-net.ts";
import { createRandom } from "../../../core/index.ts";
import { createSession, type TensorValue } from "../../../engine/index.ts";
import { type Model, modelBuilder } from "../../../onnx/index.ts";
import {
  type Dataset,
  memoryDataset,
  readColumn,
  readLabels,
  rowsByLabel,
  subset,
} from "../../data/index.ts";
import { accuracy } from "../../data/metrics/index.ts";
import { evaluate } from "../evaluate.ts";
import { fit as fitModel } from "../fit.ts";
import { crossEntropy } from "../losses/index.ts";
import { adamW } from "../optimizers/index.ts";
import { constantRate } from "../schedule.ts";
import { condense } from "./condense.ts";
import { gradientNorms } from "./gradient-norm.ts";
import { el2n } from "./importance.ts";

function points(rows: number, seed: number): Dataset {
  const { x, labels } = smallData(rows, seed);
  return memoryDataset("points", [
    { name: "x", dataType: "float32", shape: [4], data: x },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
}

/** x W + b, whose gradient is (p - y) times x with a 1. */
function linear(): Model {
  const random = createRandom(4);
  const g = modelBuilder({ operators, name: "linear" });
  const drawn = (name: string, dims: readonly number[]) =>
    g.initializer(name, {
      ...{ dims: dims.map(BigInt), dataType: "float32", metadata: [] },
      data: {
        kind: "float32",
        values: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal()),
      },
    });
  const x = g.input("x", "float32", ["batch", 4]);
  g.output(g.op("Gemm", [x, drawn("w", [4, 3]), drawn("b", [3])]), { name: "scores" });
  return g.finish();
}

async function logitsOf(model: Model, dataset: Dataset): Promise<TensorValue> {
  const session = await createSession(model, { threads: 1 });
  try {
    const { scores } = await session.run({ x: await readColumn(dataset, "x") });
    return scores as TensorValue;
  } finally {
    await session.close();
  }
}

describe.skipIf(nativeMissing !== null)("gradients of samples", () => {
  test("for a linear model GraNd is EL2N times the length of the input with a 1", async () => {
    const dataset = points(30, 5);
    const model = linear();
    const norms = await gradientNorms(model, dataset, { operators, loss: crossEntropy() });
    const errors = el2n(await logitsOf(model, dataset), await readLabels(dataset));
    const { data } = await readColumn(dataset, "x");
    norms.forEach((norm, row) => {
      const x = Array.from((data as Float32Array).subarray(4 * row, 4 * row + 4));
      expect(norm).toBeCloseTo((errors[row] ?? 0) * Math.hypot(1, ...x), 4);
    });
    const some = await gradientNorms(model, dataset, {
      operators,
      loss: crossEntropy(),
      rows: [7, 2],
      only: ["b"],
    });
    expect(some[0]).toBeCloseTo(errors[7] ?? 0, 5);
    expect(some[1]).toBeCloseTo(errors[2] ?? 0, 5);
  });

  test("condensed samples give nearer gradients, and teach more than as many real ones", async () => {
    const data = points(300, 6);
    const test = points(400, 7);
    const { dataset, distances } = await condense(data, {
      ...{ operators, loss: crossEntropy(), net: smallNet, perClass: 1, seed: 1 },
      ...{ rounds: 150, rate: 0.1, realBatch: 64 },
    });
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(distances.slice(-20))).toBeLessThan(0.7 * mean(distances.slice(0, 20)));
    expect(dataset.length).toBe(3);
    expect([...(await readLabels(dataset))].sort()).toEqual([0, 1, 2]);

    const learnt = async (train: Dataset, seed: number) => {
      const { model } = await fitModel(smallNet(seed), {
        ...{ operators, train, loss: crossEntropy(), optimizer: adamW(), seed },
        ...{ schedule: () => constantRate(0.02), epochs: 60, batchSize: 3 },
        ...{ engine: { threads: 1 }, thread: "caller" as const },
      });
      const settings = { metric: accuracy, engine: { threads: 1 }, thread: "caller" as const };
      return (await evaluate(model, test, settings)).value;
    };
    const groups = [...rowsByLabel(await readLabels(data)).values()];
    const seeds = [101, 102, 103, 104];
    const own = await Promise.all(seeds.map((seed) => learnt(dataset, seed)));
    const real = await Promise.all(
      seeds.map((seed, at) =>
        learnt(
          subset(
            data,
            groups.map((rows) => rows[at] as number),
          ),
          seed,
        ),
      ),
    );
    expect(mean(own)).toBeGreaterThan(mean(real) + 0.05);
  });
});
