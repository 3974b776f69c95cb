// Training less: low-rank additions to a model that knows a near task, and small images first.

import type { TensorValue } from "../../src/engine/index.ts";
import { type Dataset, mapColumn } from "../../src/models/data/index.ts";
import { withInitializers } from "../../src/models/train/graph-surgery.ts";
import { constantRate, mergeLora, withLora } from "../../src/models/train/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import { type Cost, net, rowsFor, test, testAccuracy, trainTo } from "./setting.ts";

/** The near task: the same clothes three pixels lower and to the right, at half the contrast. */
function moved(dataset: Dataset): Dataset {
  const column = dataset.columns.find(({ name }) => name === "image");
  if (column === undefined) throw new Error("images are needed");
  return mapColumn(dataset, "image", {
    column,
    map: (batch) => {
      const values = batch.data as Float32Array;
      const data = values.map((_, at) => {
        const [y, x] = [Math.floor((at % 784) / 28), at % 28];
        return y < 3 || x < 3 ? 0 : 0.5 * (values[at - 3 * 28 - 3] as number);
      });
      return { ...batch, data };
    },
  });
}

const ADAPT_NET = "lenet-300-100";
export const ADAPT_TARGET = 0.76;
const knowing = new Map<number, Promise<Model>>();

/** The model that one has already: trained on the clothes as they are. Not part of the price. */
function given(seed: number): Promise<Model> {
  const known = knowing.get(seed);
  if (known !== undefined) return known;
  const rows = rowsFor(seed + 50, 3000);
  const model = trainTo(net(ADAPT_NET, seed), { ...rows, target: 2, seed, epochs: 6 }).then(
    (r) => r.model,
  );
  knowing.set(seed, model);
  return model;
}

const adaptOptions = (seed: number) => {
  const { train, validation } = rowsFor(seed, 1000);
  return {
    ...{ train: moved(train), validation: moved(validation) },
    ...{ target: ADAPT_TARGET, seed, epochs: 25 },
  };
};

const judged = async (cost: Cost, model: Model): Promise<Cost> => ({
  ...cost,
  test: await testAccuracy(model, moved(test)),
});

export async function fromScratch(seed: number): Promise<Cost> {
  const { cost, model } = await trainTo(net(ADAPT_NET, seed), adaptOptions(seed));
  return judged(cost, model);
}

export async function fineTuned(seed: number): Promise<Cost> {
  const { cost, model } = await trainTo(await given(seed), adaptOptions(seed));
  return judged(cost, model);
}

export async function lowRank(seed: number): Promise<Cost> {
  const base = await given(seed);
  const lora = withLora(base, { rank: 8, seed });
  const options = {
    ...{ ...adaptOptions(seed), parameters: lora.parameters },
    // Few numbers take larger steps; at the common rate it is far slower.
    schedule: () => constantRate(0.01),
  };
  const { cost, model } = await trainTo(lora.model, options);
  return judged(cost, mergeLora(base, model, lora));
}

const SIZE_NET = "resnet-8";
const SIZE_OPTIONS = { alpha: 0.5 };
const SIZE_ROWS = 1200;
export const SIZE_TARGET = 0.72;

export async function wholeSize(seed: number): Promise<Cost> {
  const options = { ...rowsFor(seed, SIZE_ROWS), target: SIZE_TARGET, seed, epochs: 10 };
  return (await trainTo(net(SIZE_NET, seed, SIZE_OPTIONS), options)).cost;
}

/** Some epochs on images of half the size, at a quarter of the work; then as before. */
export async function smallFirst(seed: number): Promise<Cost> {
  const { train, validation } = rowsFor(seed, SIZE_ROWS);
  const small = net(SIZE_NET, seed, { ...SIZE_OPTIONS, size: 14 });
  const first = await trainTo(small, {
    ...{ train: halved(train), validation: halved(validation), target: 2, seed, epochs: 3 },
    judge: null,
  });
  const grown = withWeightsOf(net(SIZE_NET, seed, SIZE_OPTIONS), first.model);
  const options = { train, validation, target: SIZE_TARGET, seed, epochs: 9 };
  return (await trainTo(grown, { ...options, spentS: first.cost.allS })).cost;
}

function withWeightsOf(model: Model, from: Model): Model {
  const tensors = from.graph?.initializers ?? [];
  return withInitializers(model, new Map(tensors.map((tensor) => [tensor.name ?? "", tensor])));
}

/** Means of 2 x 2 pixels. */
function halved(dataset: Dataset): Dataset {
  return mapColumn(dataset, "image", {
    column: { name: "image", dataType: "float32", shape: [1, 14, 14] },
    map: ({ dims, data }): TensorValue => {
      const values = data as Float32Array;
      const rows = dims[0] ?? 0;
      const out = Float32Array.from({ length: rows * 196 }, (_, at) => {
        const [sample, y, x] = [Math.floor(at / 196), Math.floor((at % 196) / 14), at % 14];
        const corner = sample * 784 + 56 * y + 2 * x;
        const four = [corner, corner + 1, corner + 28, corner + 29];
        return four.reduce((sum, place) => sum + (values[place] as number), 0) / 4;
      });
      return { dataType: "float32", dims: [rows, 1, 14, 14], data: out };
    },
  });
}
