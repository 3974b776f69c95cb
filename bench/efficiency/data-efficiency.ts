// Choosing data: a coreset, pruning by EL2N, a curriculum, active learning; each against all rows in any order.

import { createRandom } from "../../src/core/index.ts";
import type { TensorValue } from "../../src/engine/index.ts";
import { type Dataset, readColumn, readLabels, subset } from "../../src/models/data/index.ts";
import { predict } from "../../src/models/train/index.ts";
import {
  byDifficulty,
  curriculum,
  el2n,
  highest,
  kCentre,
  learnActively,
  margin,
  rootPacing,
  uncertainties,
} from "../../src/models/train/select/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import { type Cost, ENGINE, net, rowsFor, timed, trainTo } from "./setting.ts";

const ROWS = 3000;
export const TARGET = 0.83;
const NET = "lenet-5";
/** Cannot be reached: trains for all epochs. */
const NEVER = 2;

export async function plain(seed: number): Promise<Cost> {
  const rows = rowsFor(seed, ROWS);
  return (await trainTo(net(NET, seed), { ...rows, target: TARGET, seed })).cost;
}

/** As many rows as the coreset has, drawn evenly: what a choice must beat. */
export async function fewerAtRandom(seed: number): Promise<Cost> {
  const rows = rowsFor(seed, ROWS / 2);
  return (await trainTo(net(NET, seed), { ...rows, target: TARGET, seed, epochs: 16 })).cost;
}

export async function coreset(seed: number): Promise<Cost> {
  const { train, validation } = rowsFor(seed, ROWS);
  const { result: rows, cpuS } = await timed(async () => {
    const features = projected(await readColumn(train, "image"), 32, seed);
    return kCentre(features, ROWS / 2).rows;
  });
  const chosen = subset(train, rows);
  const options = { train: chosen, validation, target: TARGET, seed, epochs: 16, spentS: cpuS };
  return (await trainTo(net(NET, seed), options)).cost;
}

/** Random projection, which keeps distances (Johnson & Lindenstrauss 1984) at a fraction of the cost. */
function projected({ dims, data }: TensorValue, width: number, seed: number): TensorValue {
  const rows = dims[0] ?? 0;
  const size = data.length / rows;
  const random = createRandom(seed);
  const matrix = Float32Array.from({ length: width * size }, () => random.normal() / width ** 0.5);
  const values = data as Float32Array;
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let at = 0; at < size; at++) {
        sum += (values[row * size + at] as number) * (matrix[column * size + at] as number);
      }
      out[row * width + column] = sum;
    }
  }
  return { dataType: "float32", dims: [rows, width], data: out };
}

/** EL2N of all training rows after some epochs of a model of its own, which is part of the price. */
async function difficulty(train: Dataset, validation: Dataset, seed: number, epochs: number) {
  return timed(async () => {
    const start = { train, validation, target: NEVER, seed: seed + 100, epochs };
    const { model } = await trainTo(net(NET, seed + 100), start);
    return el2n(await predict(model, train, ENGINE), await readLabels(train));
  });
}

export async function pruned(seed: number): Promise<Cost> {
  const { train, validation } = rowsFor(seed, ROWS);
  const { result: scores, cpuS } = await difficulty(train, validation, seed, 2);
  const kept = subset(train, highest(scores, 0.7 * ROWS));
  const options = { train: kept, validation, target: TARGET, seed, epochs: 17, spentS: cpuS };
  return (await trainTo(net(NET, seed), options)).cost;
}

export async function easyFirst(seed: number): Promise<Cost> {
  const { train, validation } = rowsFor(seed, ROWS);
  const { result: scores, cpuS } = await difficulty(train, validation, seed, 1);
  const order = curriculum(byDifficulty(scores), { duration: 4, pacing: rootPacing(0.3) });
  const options = { train, validation, target: TARGET, seed, order, spentS: cpuS };
  return (await trainTo(net(NET, seed), options)).cost;
}

/** Labels bought by margin, or at random; each round goes on from the model before. */
const buying =
  (byMargin: boolean) =>
  async (seed: number): Promise<Cost> => {
    const { train, validation } = rowsFor(seed, ROWS);
    const start = process.cpuUsage();
    const random = createRandom(seed);
    let last: Awaited<ReturnType<typeof trainTo>> | null = null;
    const { labelled } = await learnActively<Model>({
      ...{ pool: ROWS, first: 600, perRound: 300, rounds: 8, seed },
      train: async (rows) => {
        const begun = last?.model ?? net(NET, seed);
        const few = { train: subset(train, rows), validation, target: TARGET, seed, epochs: 3 };
        last = await trainTo(begun, few);
        return last.model;
      },
      worth: async (model, rows) =>
        byMargin
          ? uncertainties(await predict(model, subset(train, rows), ENGINE), margin)
          : rows.map(() => random.uniform()),
      judge: async () => last?.cost.cpuS != null,
    });
    const { user, system } = process.cpuUsage(start);
    const allS = (user + system) / 1e6;
    const found = last as Awaited<ReturnType<typeof trainTo>> | null;
    const reached = found?.cost.cpuS != null;
    return {
      cpuS: reached ? allS : null,
      ...{ allS, test: found?.cost.test ?? Number.NaN, labels: labelled.length },
    };
  };

export const activeLearning = buying(true);
export const passiveLearning = buying(false);
