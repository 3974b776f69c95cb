// What all techniques of this benchmark share: the data, the loop that trains until the accuracy is reached,
// and how its cost is counted.

import { createNodeHost } from "../../src/core/host/node-host.ts";
import { createRandom, type Host } from "../../src/core/index.ts";
import {
  allRows,
  type Dataset,
  openDataset,
  shuffled,
  splitNamed,
  subset,
} from "../../src/models/data/index.ts";
import { accuracy } from "../../src/models/data/metrics/index.ts";
import { netNamed } from "../../src/models/nets/index.ts";
import {
  adamW,
  constantRate,
  crossEntropy,
  evaluate,
  type FitOptions,
  fit as fitModel,
} from "../../src/models/train/index.ts";
import { loadOperators, type Model } from "../../src/onnx/index.ts";
import { dataFile } from "../../test/shared-data.ts";
import { cpuMs } from "../engine/figures.ts";

const host: Host = { ...createNodeHost(), env: { GODWIT_DATA: dataFile("") } };
export const operators = await loadOperators(host);
const opened = await openDataset("fashion-10k", host);
const pool = splitNamed(opened, "train");

/** On the caller's thread and one core, so that CPU time is the work's own and nothing waits busily. */
export const ENGINE = { engine: { threads: 1 }, thread: "caller" } as const;

/** Rows for one seed: to train on, to stop by; the test rows are the same for all. */
export function rowsFor(seed: number, train: number, validation = 500) {
  const order = shuffled(allRows(pool.length), createRandom(seed));
  return {
    train: subset(pool, order.slice(0, train)),
    validation: subset(pool, order.slice(train, train + validation)),
  };
}

export const test = subset(splitNamed(opened, "test"), allRows(2000));

export const net = (name: string, seed: number, options: object = {}): Model =>
  netNamed(name).build({ operators, seed, size: 28, channels: 1, ...options });

/** What it took to reach the accuracy on validation rows; null when it was not reached. */
export interface Cost {
  /** Epochs of the last training, to the accuracy or to its end. */
  readonly epochs: number;
  readonly cpuS: number | null;
  /** CPU seconds in all, reached or not. */
  readonly allS: number;
  /** Of the model at the end, on test rows that nothing was chosen by. */
  readonly test: number;
  /** Labels that were bought. */
  readonly labels: number;
}

/** CPU seconds of work. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; cpuS: number }> {
  const start = process.cpuUsage();
  const result = await work();
  return { result, cpuS: cpuMs(start) / 1000 };
}

export const testAccuracy = async (model: Model, data: Dataset): Promise<number> =>
  (await evaluate(model, data, { metric: accuracy, ...ENGINE })).value;

/** How everything here is trained, where nothing else is said. */
export const fitOptions = (
  rows: Pick<FitOptions, "train"> & { readonly validation: Dataset },
  seed: number,
): FitOptions => ({
  ...{ operators, ...rows, seed, metric: accuracy, loss: crossEntropy(), optimizer: adamW() },
  ...{ schedule: () => constantRate(0.002), epochs: 12, batchSize: 32, ...ENGINE },
});

export interface TrainTo extends Partial<FitOptions> {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly target: number;
  readonly seed: number;
  /** CPU seconds that were spent before: on choosing, on a first stage. */
  readonly spentS?: number;
  /** Rows for the last judgement; null where the model is only a stage. Default: the test rows. */
  readonly judge?: Dataset | null;
}

/** Trains until the target is reached on validation rows, or to the last epoch. */
export async function trainTo(model: Model, options: TrainTo) {
  const { target, spentS = 0, train, judge = test } = options;
  const stop = new AbortController();
  const start = process.cpuUsage();
  let reachedS: number | null = null;
  const { result, cpuS } = await timed(() =>
    fitModel(model, {
      ...fitOptions(options, options.seed),
      ...options,
      signal: stop.signal,
      save: async ({ position }) => {
        if (reachedS !== null || (position.best?.value ?? 0) < target) return;
        reachedS = cpuMs(start) / 1000;
        stop.abort();
      },
    }),
  );
  const cost: Cost = {
    epochs: result.history.length,
    cpuS: reachedS === null ? null : spentS + reachedS,
    allS: spentS + (reachedS ?? cpuS),
    test: judge === null ? Number.NaN : await testAccuracy(result.model, judge),
    labels: train.length,
  };
  return { cost, model: result.model };
}
