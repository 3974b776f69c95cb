// Nets trained here, each technique alone and the chain of them: accuracy on test images and CPU time a
// sample, against the trained net in floats.

import { createNodeHost } from "../../src/core/host/node-host.ts";
import { createRandom, seconds } from "../../src/core/index.ts";
import { createSession, nativeRuntime, type Session } from "../../src/engine/index.ts";
import {
  distil,
  type Feeds,
  factorise,
  feedsOf,
  measureCosts,
  type PassContext,
  predict,
  prune,
  quantiseStatic,
  samplesFor,
  simplify,
  withRows,
} from "../../src/models/compress/index.ts";
import {
  accuracy,
  allRows,
  type Dataset,
  memoryDataset,
  openDataset,
  readColumn,
  readLabels,
  selectColumns,
  shuffled,
  splitNamed,
  subset,
} from "../../src/models/data/index.ts";
import { netNamed } from "../../src/models/nets/index.ts";
import { adamW, crossEntropy, oneCycleRate, fit as train } from "../../src/models/train/index.ts";
import { encodeModel, type Model } from "../../src/onnx/index.ts";
import { operators } from "../../test/operators.ts";
import { student } from "./student.ts";

export interface NetPlan {
  readonly data: string;
  readonly net: string;
  /** Width of the net, as a factor. */
  readonly alpha: number;
  readonly size: number;
  readonly channels: number;
  readonly classes: number;
  readonly trainRows: number;
  readonly testRows: number;
  readonly epochs: number;
  /** Share of the channels that goes. */
  readonly ratio: number;
  /** The net that learns instead: its width, and rounds over all training rows. */
  readonly student: {
    readonly alpha: number;
    readonly epochs: number;
    /** Whether pictures have no up and no down, so that mirrored ones are as good. */
    readonly mirrored: boolean;
  };
}

/** Samples in a run that is timed. */
const BATCH = 16;

/** Lines of the table. */
export async function* slimNet(plan: NetPlan): AsyncGenerator<string> {
  const opened = await openDataset(plan.data, createNodeHost());
  const spread = (part: Dataset, count: number): Dataset =>
    subset(
      part,
      allRows(count).map((at) => Math.floor((at * part.length) / count)),
    );
  const learn = spread(splitNamed(opened, "train"), plan.trainRows);
  const test = spread(splitNamed(opened, "test"), plan.testRows);
  const net = netNamed(plan.net).build({
    ...{ operators, alpha: plan.alpha, size: plan.size },
    ...{ channels: plan.channels, classes: plan.classes },
  });
  const started = performance.now();
  const { model: base } = await train(net, {
    ...{
      operators,
      train: learn,
      epochs: plan.epochs,
      batchSize: 32,
      seed: 1,
      loss: crossEntropy(),
    },
    ...{ engine: { threads: 1 }, thread: "caller" as const },
    optimizer: adamW(),
    schedule: (steps) => oneCycleRate({ peak: 0.004, steps }),
  });
  yield `${plan.net} x${plan.alpha} on ${plan.data}: ${plan.trainRows} rows, ${plan.epochs} epochs, trained in ${((performance.now() - started) / 1000).toFixed(0)} s`;
  const context = contextFor(base, learn);
  const unlabelled = selectColumns(subset(learn, allRows(Math.min(3000, learn.length))), {
    image: "image",
  });
  const apply = async (model: Model, pass: "int8" | "prune" | "factorise"): Promise<Model> => {
    if (pass === "int8") return (await quantiseStatic.apply(model, context, undefined)).model;
    if (pass === "prune") return (await prune.apply(model, context, { ratio: plan.ratio })).model;
    return (await factorise.apply(model, context, { rank: { rule: "budget", keep: 0.4 } })).model;
  };
  const taught = async (
    pupil: Model,
    { data = unlabelled, epochs = 3, rate = 1e-3 }: Lesson = {},
  ): Promise<Model> => {
    const options = { operators, seed: 1, batchSize: 32, threads: 1 };
    return (await distil(pupil, { ...options, teacher: simple, data, epochs, rate })).model;
  };
  const simple = (await simplify.apply(base, context, undefined)).model;
  const pruned = await apply(simple, "prune");
  const prunedTaught = await taught(pruned);
  const small = student.build({
    ...{ operators, alpha: plan.student.alpha, size: plan.size },
    ...{ channels: plan.channels, classes: plan.classes },
  });
  const bare = selectColumns(learn, { image: "image" });
  const whole = plan.student.mirrored ? await withMirrored(bare) : bare;
  const lesson = { data: whole, epochs: plan.student.epochs, rate: 3e-3 };
  const studentTaught = await taught(small, lesson);
  const factorised = await apply(simple, "factorise");
  const factorisedTaught = await taught(factorised);
  const variants: readonly (readonly [string, Model])[] = [
    ["trained, fp32", base],
    ["simplified", simple],
    ["int8", await apply(simple, "int8")],
    [`pruned ${100 * plan.ratio} %, refitted`, pruned],
    ["pruned, distilled", prunedTaught],
    ["factorised", factorised],
    ["factorised, distilled", factorisedTaught],
    ["pruned, distilled, int8", await apply(prunedTaught, "int8")],
    ["factorised, distilled, int8", await apply(factorisedTaught, "int8")],
    ["student, distilled", studentTaught],
    ["student, distilled, int8", await apply(studentTaught, "int8")],
  ];
  yield* table(variants, test);
}

/** The pictures as they are, mirrored across, along, and both ways. */
async function withMirrored(pictures: Dataset): Promise<Dataset> {
  const { dims, data } = await readColumn(pictures, "image");
  const [count = 0, channels = 0, height = 0, width = 0] = dims;
  const all = new Float32Array(4 * data.length);
  const planes = count * channels;
  for (let way = 0; way < 4; way++) {
    for (let plane = 0; plane < planes; plane++) {
      for (let row = 0; row < height; row++) {
        const from = (plane * height + (way & 1 ? height - 1 - row : row)) * width;
        const to = way * data.length + (plane * height + row) * width;
        const line = (data as Float32Array).subarray(from, from + width);
        all.set(way & 2 ? line.toReversed() : line, to);
      }
    }
  }
  const shape = dims.slice(1);
  const mirrored = memoryDataset("mirrored", [
    { name: "image", dataType: "float32", shape, data: all },
  ]);
  // Copies of a picture lie far apart; those left out to judge by must not all be of one kind.
  return subset(mirrored, shuffled(allRows(4 * count), createRandom(1)));
}

interface Lesson {
  readonly data?: Dataset;
  readonly epochs?: number;
  readonly rate?: number;
}

function contextFor(model: Model, train: Dataset): PassContext {
  return {
    ...{ operators, runtime: nativeRuntime(), seed: 1 },
    async *calibration() {
      const samples = await samplesOf(model, train);
      for (let start = 0; start < 128; start += 32) {
        yield feedsOf(
          samples,
          allRows(32).map((row) => start + row),
        ) as Promise<Feeds>;
      }
    },
  };
}

async function samplesOf(model: Model, dataset: Dataset) {
  const session = await createSession(model, { threads: 1 });
  await session.close();
  return samplesFor(dataset, session.inputs, { batch: 64 });
}

async function* table(variants: readonly (readonly [string, Model])[], test: Dataset) {
  const labels = await readLabels(test);
  const truth = { dataType: "int32" as const, dims: [labels.length], data: labels };
  const sessions: Session[] = [];
  for (const [, model] of variants) sessions.push(await createSession(model, { threads: 1 }));
  const [first] = variants;
  if (first === undefined) return;
  const samples = await samplesOf(first[1], test);
  const feeds = await feedsOf(samples, allRows(BATCH));
  const costs = await measureCosts(
    sessions.map((session, at) => ({
      ...{ name: variants[at]?.[0] ?? "", items: BATCH },
      run: () => session.run(feeds),
    })),
    { rounds: 15, roundTime: seconds(0.05) },
  );
  for (const [at, session] of sessions.entries()) {
    const answers = await predict(session, withRows(samples, allRows(test.length)));
    const { value } = accuracy.of(answers, truth);
    const { cpu, ratio } = costs[at] ?? {
      cpu: { median: 0 },
      ratio: { value: 1, low: 1, high: 1 },
    };
    const [name, model] = variants[at] as readonly [string, Model];
    const times = (of: number): string => `${(1 / of).toFixed(2)}x`;
    yield `  ${name.padEnd(28)} ${(100 * value).toFixed(2)} %  ${(encodeModel(model).length / 1e3).toFixed(0).padStart(6)} kB  ${(1e6 * cpu.median).toFixed(0).padStart(6)} us CPU  ${times(ratio.value)} less (${times(ratio.high)} to ${times(ratio.low)})`;
    await session.close();
  }
}
