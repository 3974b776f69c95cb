import { beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { randomNet } from "../../../../test/nets/random-net.ts";
import { operators } from "../../../../test/operators.ts";
import { createRandom } from "../../../core/index.ts";
import {
  createSession,
  profileModel,
  type Session,
  type TensorValue,
} from "../../../engine/index.ts";
import { type Model, modelBuilder } from "../../../onnx/index.ts";
import { type Dataset, memoryDataset } from "../../data/index.ts";
import { predict } from "../../train/index.ts";
import { cutPoints } from "./cut-points.ts";
import { exitModel } from "./if-model.ts";
import { minimise } from "./lbfgs.ts";
import { fitLogistic, fitTemperature, softmaxLoss } from "./logistic.ts";
import type { ExitDesign } from "./segments.ts";
import { exitStages, runStages } from "./stages.ts";
import { chooseThresholds, expectedCost, type HeadRecord, NEVER } from "./thresholds.ts";
import { type TrainedExits, trainExits } from "./train-exits.ts";

describe("L-BFGS", () => {
  test("finds the bottom of Rosenbrock's valley", () => {
    const found = minimise(
      (point) => {
        const [x = 0, y = 0] = point;
        return {
          value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
          gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
        };
      },
      Float64Array.of(-1.2, 1),
    );
    expect(found.x[0]).toBeCloseTo(1, 5);
    expect(found.x[1]).toBeCloseTo(1, 5);
    expect(found.iterations).toBeLessThan(80);
  });

  test("needs few steps on a quadratic", () => {
    const curvatures = Float64Array.from({ length: 30 }, (_, i) => 1 + i);
    const found = minimise(
      (x) => ({
        value: x.reduce((sum, v, i) => sum + ((curvatures[i] ?? 0) * (v - i) ** 2) / 2, 0),
        gradient: x.map((v, i) => (curvatures[i] ?? 0) * (v - i)),
      }),
      new Float64Array(30),
    );
    found.x.forEach((v, i) => {
      expect(v).toBeCloseTo(i, 4);
    });
  });
});

/** Points around centres, some of them far out. */
function points(count: number, seed: number, classes = 3, width = 4) {
  const random = createRandom(seed);
  const features = new Float64Array(count * width);
  const labels = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const label = row % classes;
    labels[row] = label;
    const noise = row % 4 === 0 ? 1.4 : 0.4;
    for (let j = 0; j < width; j++) {
      features[row * width + j] = 3 + 10 ** j * (Math.sin(2 * label + j) + noise * random.normal());
    }
  }
  return { features, labels, classes };
}

describe("logistic regression", () => {
  test("has no slope left at its answer, whatever the scales of the features", () => {
    const samples = points(300, 1);
    const ridge = 0.01;
    const { weights, bias } = fitLogistic(samples, { ridge, tolerance: 1e-8 });
    // The penalty is on features of unit variance: its gradient on a weight is ridge w variance.
    const [count, width] = [300, 4];
    const slopes = new Float64Array(width * 3 + 3);
    for (let row = 0; row < count; row++) {
      const x = samples.features.subarray(row * width, (row + 1) * width);
      const scores = bias.map(
        (b, k) => b + x.reduce((sum, v, j) => sum + v * (weights[j * 3 + k] ?? 0), 0),
      );
      softmaxLoss(scores, samples.labels[row] ?? 0);
      for (let k = 0; k < 3; k++) {
        for (let j = 0; j < width; j++) {
          slopes[j * 3 + k] = (slopes[j * 3 + k] ?? 0) + ((scores[k] ?? 0) * (x[j] ?? 0)) / count;
        }
        slopes[width * 3 + k] = (slopes[width * 3 + k] ?? 0) + (scores[k] ?? 0) / count;
      }
    }
    for (let j = 0; j < width; j++) {
      const column = Array.from(
        { length: count },
        (_, row) => samples.features[row * width + j] ?? 0,
      );
      const mean = column.reduce((sum, v) => sum + v, 0) / count;
      const variance = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / count;
      for (let k = 0; k < 3; k++) {
        const slope = (slopes[j * 3 + k] ?? 0) + ridge * variance * (weights[j * 3 + k] ?? 0);
        expect(Math.abs(slope) / Math.sqrt(variance)).toBeLessThan(1e-6);
      }
    }
    for (let k = 0; k < 3; k++) expect(Math.abs(slopes[width * 3 + k] ?? 1)).toBeLessThan(1e-6);
  });

  test("refuses labels that are no classes", () => {
    expect(() => fitLogistic({ ...points(9, 1), classes: 2 })).toThrow(/label 2/);
  });

  test("a temperature undoes a factor on calibrated scores", () => {
    const random = createRandom(5);
    const scores = Float64Array.from({ length: 6000 }, () => 2 * random.normal());
    const labels = Int32Array.from({ length: 2000 }, (_, row) => {
      // Drawn from the softmax of the scores themselves: these are calibrated.
      const own = scores.slice(3 * row, 3 * row + 3).map(Math.exp);
      const drawn = random.uniform() * own.reduce((a, b) => a + b, 0);
      const [first = 0, second = 0] = own;
      return [first, first + second].filter((edge) => drawn >= edge).length;
    });
    expect(
      fitTemperature(
        scores.map((s) => 3 * s),
        labels,
        3,
      ),
    ).toBeCloseTo(3, 0);
  });
});

describe("thresholds", () => {
  const random = createRandom(3);
  const head = (cost: number): HeadRecord => {
    const confidence = Float64Array.from({ length: 400 }, () => random.uniform());
    return {
      cost,
      confidence,
      right: Uint8Array.from(confidence, (c) => (random.uniform() < c ? 1 : 0)),
    };
  };
  const heads = [head(1), head(3)];
  const last = {
    cost: 9,
    right: Uint8Array.from({ length: 400 }, (_, i) => (i % 20 === 0 ? 0 : 1)),
  };

  test("cost less the more accuracy may be lost, and never fall below the floor", () => {
    const plans = [0.95, 0.9, 0.8, 0].map((floor) => ({
      floor,
      plan: chooseThresholds(heads, last, ({ accuracy }) => accuracy >= floor),
    }));
    for (const { floor, plan } of plans) {
      expect(plan.accuracy).toBeGreaterThanOrEqual(floor);
      expect(plan.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      expect(plan.cost).toBe(expectedCost(plan.shares, [1, 3, 9]));
    }
    const costs = plans.map(({ plan }) => plan.cost);
    expect(costs.toSorted((a, b) => b - a)).toEqual(costs);
    expect(costs[3]).toBe(1);
  });

  test("stay out of reach where nothing may be lost that heads would lose", () => {
    const blind = { ...heads[0], right: new Uint8Array(400) } as HeadRecord;
    const plan = chooseThresholds([blind], last, ({ accuracy }) => accuracy >= 0.95);
    expect(plan).toMatchObject({ thresholds: [NEVER], cost: 9, shares: [0, 1] });
  });
});

describe("cut points", () => {
  test("are where one value carries all", () => {
    const net = randomNet({ blocks: ["conv", "residual", "concat"], head: "flatten", seed: 1 });
    const cuts = cutPoints(net).map(({ value }) => value);
    // Conv, normalisation and activation of the first two layers; the sum of the residual, not inside.
    expect(cuts.slice(0, 6)).toEqual([
      "conv1",
      "batchnormalization1",
      "relu1",
      "conv2",
      "batchnormalization2",
      "relu2",
    ]);
    expect(cuts).toContain("add1");
    expect(cuts).not.toContain("relu3");
    expect(cuts).not.toContain("y");
  });
});

/** Images of one of three stripes, a quarter of them noisy; the class follows from few pixels. */
function stripes(count: number, seed: number): Dataset {
  const random = createRandom(seed);
  const pixels = new Float32Array(count * 64);
  const labels = new BigInt64Array(count);
  for (let row = 0; row < count; row++) {
    const label = random.integer(3);
    labels[row] = BigInt(label);
    const noise = random.uniform() < 0.25 ? 1.1 : 0.3;
    for (let at = 0; at < 64; at++) {
      const [y, x] = [Math.floor(at / 8), at % 8];
      const phase = [x, y, x + y][label] ?? 0;
      pixels[row * 64 + at] = Math.sin(1.5 * phase) + noise * random.normal();
    }
  }
  return memoryDataset("stripes", [
    { name: "image", dataType: "float32", shape: [1, 8, 8], data: pixels },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
}

/** Three convolutions of random weights; the last layer fitted, so that the whole is a good classifier. */
async function backbone(train: Dataset, end: "scores" | "probabilities"): Promise<Model> {
  const build = (last: { weights: Float64Array; bias: Float64Array } | null): Model => {
    const random = createRandom(9);
    const graph = modelBuilder({ operators });
    const weight = (dims: readonly number[]): string => {
      const fan = dims.slice(1).reduce((a, b) => a * b, 1);
      const values = Float32Array.from(
        { length: dims.reduce((a, b) => a * b, 1) },
        () => random.normal() / Math.sqrt(fan / 2),
      );
      return graph.constant("float32", { dims, values });
    };
    let x = graph.input("image", "float32", ["batch", 1, 8, 8]);
    for (const [from, to] of [
      [1, 8],
      [8, 16],
      [16, 32],
    ] as const) {
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
      x = graph.op("Relu", [graph.op("Conv", [x, weight([to, from, 3, 3])], attributes)]);
    }
    x = graph.op("Flatten", [graph.op("GlobalAveragePool", [x])]);
    if (last !== null) {
      const weights = graph.constant("float32", { dims: [32, 3], values: last.weights });
      const bias = graph.constant("float32", { dims: [3], values: last.bias });
      x = graph.op("Gemm", [x, weights, bias]);
      if (end === "probabilities") x = graph.op("Softmax", [x]);
    }
    graph.output(x, { name: "scores" });
    return graph.finish();
  };
  const features = await predict(build(null), train, { thread: "caller" });
  const { data } = (await train.batch(Array.from({ length: train.length }, (_, i) => i))).get(
    "label",
  ) as TensorValue;
  const fitted = fitLogistic({
    features: Float64Array.from(features.data as Float32Array),
    labels: Int32Array.from(data as BigInt64Array, Number),
    classes: 3,
  });
  return build(fitted);
}

describe.skipIf(nativeMissing !== null).each(["scores", "probabilities"] as const)(
  "early exit of a model that gives %s",
  (end) => {
    const [train, calibrate, choose] = [stripes(300, 1), stripes(150, 2), stripes(200, 3)];
    let model: Model;
    let exits: TrainedExits;
    beforeAll(async () => {
      model = await backbone(train, end);
      const at = ["relu1", "relu2"];
      exits = await trainExits(model, { at, train, calibrate, choose, maxDrop: 0.02 });
    });

    const scoresOf = async (of: Model, row: number): Promise<Float32Array> => {
      const session = await createSession(of);
      try {
        const image = (await choose.batch([row])).get("image") as TensorValue;
        return (await session.run({ image }))["scores"]?.data as Float32Array;
      } finally {
        await session.close();
      }
    };

    test("saves work within the accuracy that may be lost", () => {
      expect(exits.baseAccuracy).toBeGreaterThan(0.8);
      expect(exits.plan.accuracy).toBeGreaterThanOrEqual(exits.baseAccuracy - 0.02);
      expect(exits.plan.cost).toBeLessThan(0.8 * exits.baseCost);
      // The worst case pays for the heads as well.
      expect(exits.costs.reduce((sum, cost) => sum + cost, 0)).toBeGreaterThan(exits.baseCost);
    });

    test("is the original bit for bit where no confidence suffices", async () => {
      const never = exitModel({ ...exits, thresholds: [NEVER, NEVER] }, operators);
      for (const row of [0, 1, 2]) {
        expect(await scoresOf(never, row)).toEqual(await scoresOf(model, row));
      }
    });

    test("leaves at the first head where any confidence suffices, and runs nothing behind it", async () => {
      const always = exitModel({ ...exits, thresholds: [-1, -1] }, operators);
      const image = (await choose.batch([0])).get("image") as TensorValue;
      const convolutions = async (of: Model): Promise<number> =>
        (await profileModel(of, { image }, { runs: 1, warmUp: 0 })).nodes.filter(({ operator }) =>
          operator.includes("Conv"),
        ).length;
      expect(await convolutions(always)).toBe(1);
      expect(
        await convolutions(exitModel({ ...exits, thresholds: [NEVER, NEVER] }, operators)),
      ).toBe(3);
      const [stage] = exitStages(exits);
      const session = await createSession(stage?.model as Model);
      const head = (await session.run({ image }))[stage?.scores ?? ""]?.data;
      await session.close();
      expect(await scoresOf(always, 0)).toEqual(head);
    });

    test("costs in stages what the formula says, and gives what the If model gives", async () => {
      const stages = exitStages(exits);
      const sessions: Session[] = [];
      for (const stage of stages) sessions.push(await createSession(stage.model));
      const spent = stages.map(() => 0);
      const runners = sessions.map((session, at) => ({
        run: (feeds: Readonly<Record<string, TensorValue>>) => {
          spent[at] = (spent[at] ?? 0) + (Object.values(feeds)[0]?.dims[0] ?? 0);
          return session.run(feeds);
        },
      }));
      const image = (await choose.batch(Array.from({ length: choose.length }, (_, i) => i))).get(
        "image",
      ) as TensorValue;
      const result = await runStages(stages, runners, { image });
      for (const session of sessions) await session.close();
      const shares = stages.map(
        (_, exit) => result.exits.filter((at) => at === exit).length / choose.length,
      );
      expect(shares).toEqual(exits.plan.shares);
      // Rows that each stage saw, times its cost, over the rows: the mean cost that was really paid.
      const paid =
        spent.reduce((sum, rows, at) => sum + rows * (exits.costs[at] ?? 0), 0) / choose.length;
      expect(paid).toBeCloseTo(exits.plan.cost, 6);
      const design: ExitDesign = exits;
      const one = exitModel(design, operators);
      for (const row of [0, 7, 50, 120, 199]) {
        const [alone, inBatch] = [await scoresOf(one, row), result.scores.data as Float32Array];
        alone.forEach((score, k) => {
          expect(score).toBeCloseTo(inBatch[3 * row + k] ?? Number.NaN, 4);
        });
      }
    });
  },
);

test("early exit says which values can be cut", async () => {
  const model = randomNet({ blocks: ["residual"], head: "flatten", seed: 1 });
  const data = stripes(4, 1);
  await expect(
    trainExits(model, { at: ["relu2"], train: data, calibrate: data, choose: data }),
  ).rejects.toThrow(/"relu2" is no cut in order; cuts are: conv1/);
});
