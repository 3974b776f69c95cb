import { expect, test } from "vitest";
import { operators } from "../../../../test/operators.ts";
import { smallData, smallNet } from "../../../../test/small-net.ts";
import { nativeRuntime } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { memoryDataset } from "../../data/index.ts";
import { constantRate, crossEntropy, fit as fitModel, sgd } from "../../train/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { simplify } from "../simplify/simplify.ts";
import { floatLeftovers } from "./check-islands.ts";
import { outputsOn, relativeError } from "./sensitivity.ts";
import { prepareStatic } from "./static.ts";
import { storeIntegers } from "./store-integers.ts";

const ROWS = 96;
const data = smallData(ROWS, 2);
const train = memoryDataset("points", [
  { name: "x", dataType: "float32", shape: [4], data: data.x },
  { name: "label", dataType: "int64", shape: [], classes: ["a", "b", "c"], data: data.labels },
]);
const feeds: Feeds = { x: { dataType: "float32", dims: [ROWS, 4], data: data.x } };
const context: PassContext = {
  operators,
  runtime: nativeRuntime(),
  seed: 1,
  async *calibration() {
    yield feeds;
  },
};

const trained = (model: Model, parameters: readonly string[]) =>
  fitModel(model, {
    operators,
    train,
    loss: crossEntropy(),
    optimizer: sgd({ momentum: 0.9 }),
    schedule: () => constantRate(0.05),
    epochs: 6,
    batchSize: 16,
    seed: 1,
    engine: { threads: 1 },
    thread: "caller",
    parameters,
  });

test("a network learns through its grids, and what it learnt runs in 8 bits", async () => {
  const { model: simple } = await simplify.apply(smallNet(), context, undefined);
  // Seven bits and one grid for a weight: coarse, so that there is something to learn.
  const options = { reduceRange: true, perChannel: false, biasCorrection: false } as const;
  const quantiser = await prepareStatic(simple, context, options);
  const { model, parameters } = quantiser.trainable([]);
  expect(parameters).toHaveLength(4);
  // Before training it computes what the model in 8 bits does, up to the rounding of biases.
  const errorBetween = async (a: Model, b: Model): Promise<number> => {
    const [[before], [after]] = [
      await outputsOn(a, [feeds], context),
      await outputsOn(b, [feeds], context),
    ];
    return relativeError(before ?? {}, after ?? {});
  };
  expect(await errorBetween(model, quantiser.build([]).model)).toBeLessThan(1e-4);

  const { model: learnt, history } = await trained(model, parameters);
  expect(history.at(-1)?.loss).toBeLessThan(0.7 * (history[0]?.loss ?? 0));
  const { model: small, changes } = await storeIntegers.apply(learnt, context);
  expect(changes).toHaveLength(2);
  const types = small.graph?.initializers.map(({ dataType }) => dataType) ?? [];
  expect(types.filter((type) => type === "int8").length).toBeGreaterThanOrEqual(2);
  expect(types.filter((type) => type === "int32")).toHaveLength(2);
  expect(await errorBetween(learnt, small)).toBeLessThan(1e-3);
  expect(await floatLeftovers(small, feeds, context)).toEqual([]);
});
