import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { smallData, smallNet, smallParameters } from "../../../test/small-net.ts";
import { createRandom } from "../../core/index.ts";
import { createSession, type Feed } from "../../engine/index.ts";
import { countModel, numberOf } from "../../measure/profile/index.ts";
import { checkModel, type Model, modelBuilder, tensorOf } from "../../onnx/index.ts";
import { memoryDataset } from "../data/index.ts";
import { netNamed } from "../nets/index.ts";
import { crossEntropy, distillation } from "./losses/index.ts";
import { adamW, sgd } from "./optimizers/index.ts";
import { onSmallerImages, stackLayers } from "./progressive.ts";
import { constantRate } from "./schedule.ts";
import { fitInStages } from "./stages.ts";
import { withTeacher } from "./teacher.ts";
import { createTrainer } from "./trainer.ts";

async function run(model: Model, feeds: Readonly<Record<string, Feed>>): Promise<number[]> {
  const session = await createSession(model, { threads: 1 });
  const outputs = await session.run(feeds);
  await session.close();
  return Array.from(Object.values(outputs)[0]?.data as Float32Array);
}

const weightsOf = (model: Model) =>
  new Map(model.graph?.initializers.map((tensor) => [tensor.name, tensor]));

/** y = relu(... relu(x W0) W1 ...). */
function tower(layers: number, seed: number): Model {
  const random = createRandom(seed);
  const g = modelBuilder({ operators });
  let x = g.input("x", "float32", ["batch", 3]);
  for (let layer = 0; layer < layers; layer++) {
    const values = Float32Array.from({ length: 9 }, () => random.normal());
    const w = g.initializer(`block${layer}/weight`, tensorOf("float32", { dims: [3, 3], values }));
    x = g.op("Relu", [g.op("MatMul", [x, w])]);
  }
  g.output(x, { name: "y" });
  return g.finish();
}

describe("progressive stacking", () => {
  const layer = /block(\d+)/;

  test.skipIf(nativeMissing !== null)("computes the shallow model twice over", async () => {
    const shallow = tower(2, 1);
    const deep = stackLayers(shallow, tower(4, 2), { layer, depth: 2 });
    const x = Float32Array.of(1, -2, 3);
    const once = await run(shallow, { x });
    expect(await run(deep, { x })).toEqual(await run(shallow, { x: Float32Array.from(once) }));
    const weights = weightsOf(deep);
    for (const at of [0, 1, 2, 3]) {
      expect(weights.get(`block${at}/weight`)?.data).toEqual(
        weightsOf(shallow).get(`block${at % 2}/weight`)?.data,
      );
    }
  });

  test("is refused where the models are not of one kind", () => {
    expect(() => stackLayers(smallNet(), tower(4, 2), { layer, depth: 2 })).toThrow(
      '"block0/weight" has no counterpart',
    );
  });
});

describe("progressive resizing", () => {
  const net = netNamed("mobilenet-v1-small").build({
    operators,
    size: 32,
    alpha: 0.25,
    classes: 3,
  });
  const small = onSmallerImages(net, "image", 2);

  test("takes a quarter of the operations of convolutions, and no parameter more", () => {
    expect(checkModel(small, operators)).toEqual([]);
    const count = (model: Model) => countModel(model, { inputs: { image: [1, 3, 32, 32] } });
    const macs = (model: Model): number => {
      const total = count(model).totals.macs;
      return (total === null ? null : numberOf(total)) ?? Number.NaN;
    };
    expect(count(small).parameters).toEqual(count(net).parameters);
    expect(macs(small) / macs(net)).toBeGreaterThan(0.2);
    expect(macs(small) / macs(net)).toBeLessThan(0.3);
  });

  test.skipIf(nativeMissing !== null)("computes what the model does on halved images", async () => {
    const random = createRandom(3);
    const data = Float32Array.from({ length: 3 * 32 * 32 }, () => random.normal());
    const halved = Float32Array.from({ length: 3 * 16 * 16 }, (_, at) => {
      const [plane, y, x] = [Math.floor(at / 256), Math.floor((at % 256) / 16), at % 16];
      const corner = plane * 1024 + 2 * y * 32 + 2 * x;
      return [0, 1, 32, 33].reduce((sum, step) => sum + (data[corner + step] ?? 0) / 4, 0);
    });
    const native = netNamed("mobilenet-v1-small").build({
      ...{ operators, size: 16, alpha: 0.25, classes: 3 },
    });
    const dims = (side: number) => [1, 3, side, side];
    const ours = await run(small, { image: { dataType: "float32", dims: dims(32), data } });
    const theirs = await run(native, {
      image: { dataType: "float32", dims: dims(16), data: halved },
    });
    for (const [at, value] of ours.entries())
      expect(value).toBeCloseTo(theirs[at] ?? Number.NaN, 4);
  });
});

test.skipIf(nativeMissing !== null)(
  "stages go on from each other and freeze what they should",
  async () => {
    const { x, labels } = smallData(48);
    const train = memoryDataset("points", [
      { name: "x", dataType: "float32", shape: [4], data: x },
      { name: "label", dataType: "int64", shape: [], data: labels },
    ]);
    const head = ["scores/weight", "scores/bias"];
    const { model, stages } = await fitInStages(
      smallNet(),
      [{ epochs: 2, parameters: head }, { epochs: 2 }],
      {
        ...{ operators, train, loss: crossEntropy(), optimizer: adamW(), batchSize: 12, seed: 1 },
        ...{ schedule: () => constantRate(0.05), parameters: smallParameters },
        ...{ thread: "caller", engine: { threads: 1 } },
      },
    );
    const [first, second] = stages.map((stage) => weightsOf(stage.model));
    const hidden = "hidden/weight";
    expect(first?.get(hidden)).toEqual(weightsOf(smallNet()).get(hidden));
    expect(second?.get(hidden)).not.toEqual(first?.get(hidden));
    expect(weightsOf(model)).toEqual(second);
    expect(stages[1]?.history[0]?.loss).toBeLessThan(stages[0]?.history[0]?.loss ?? 0);
  },
);

describe.skipIf(nativeMissing !== null)("a teacher in the student's graph", () => {
  const { x } = smallData(12);
  const distil = (student: Model, teacher: Model) => {
    const made = withTeacher(student, teacher);
    return createTrainer(made.model, {
      ...{ operators, inputs: { x: [12, 4] }, parameters: smallParameters },
      loss: distillation({ temperature: 2, teacher: made.teacher }),
      ...{ optimizer: sgd({ momentum: 0.9 }), thread: "caller", engine: { threads: 1 } },
    });
  };

  test("has nothing to teach a student that equals it", async () => {
    const trainer = await distil(smallNet(1), smallNet(1));
    const { loss } = await trainer.step([{ x }], 1);
    const { arrays } = trainer.state();
    await trainer.close();
    expect(Math.abs(loss)).toBeLessThan(1e-6);
    for (const name of smallParameters) {
      const gradient = arrays.get(`velocity/${name}`) ?? new Float32Array([1]);
      expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
    }
  });

  test("teaches another student without labels, and stays as it was", async () => {
    const trainer = await distil(smallNet(1), smallNet(2));
    const losses: number[] = [];
    for (let step = 0; step < 60; step++) losses.push((await trainer.step([{ x }], 0.1)).loss);
    const weights = weightsOf(trainer.model());
    await trainer.close();
    expect(losses.at(-1)).toBeLessThan(0.2 * (losses[0] ?? 0));
    expect(weights.get("teacher/hidden/weight")?.data).toEqual(
      weightsOf(smallNet(2)).get("hidden/weight")?.data,
    );
  });
});
