// What 8 bits and fewer buy on two layers that most models are made of: a stack of convolutions of 128
// channels, and the feed-forward block of a small transformer. Weights are random: only costs count.

import { createRandom } from "../../src/core/index.ts";
import { createSession } from "../../src/engine/index.ts";
import {
  type Feeds,
  type PassContext,
  quantiseDynamic,
  quantiseStatic,
  quantiseWeights,
} from "../../src/models/compress/index.ts";
import { type Model, modelBuilder, type OperatorTable } from "../../src/onnx/index.ts";
import { feedForward } from "../engine/feed-forward.ts";
import { printTable, row } from "../engine/figures.ts";
import { gainText, interleave } from "./interleave.ts";

const CHANNELS = 128;
const LAYERS = 4;
const SIZE = 28;
const WIDTH = 768;

/** Four 3x3 convolutions of 128 channels on 28x28, a Relu behind each. */
export function convolutionStack(operators: OperatorTable, channels = CHANNELS): Model {
  const random = createRandom(1);
  const of = modelBuilder({ operators });
  let value = of.input("x", "float32", [1, channels, SIZE, SIZE]);
  for (let layer = 0; layer < LAYERS; layer++) {
    const dims = [channels, channels, 3, 3];
    const deviation = Math.sqrt(2 / (9 * channels));
    const values = Float32Array.from(
      { length: dims.reduce((product, size) => product * size, 1) },
      () => deviation * random.normal(),
    );
    const conv = [value, of.constant("float32", { dims, values })];
    value = of.op("Relu", [of.op("Conv", conv, { pads: [1, 1, 1, 1] })]);
  }
  of.output(value, { name: "y" });
  return of.finish();
}

const randomFeeds = (dims: readonly number[], seed: number): Feeds => {
  const random = createRandom(seed);
  const length = dims.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, () => random.normal());
  return { x: { dataType: "float32", dims, data } };
};

interface Contender {
  readonly name: string;
  readonly model: Model;
}

async function compare(
  title: string,
  contenders: readonly Contender[],
  feeds: Feeds,
  runs: number,
): Promise<void> {
  const sessions = await Promise.all(
    contenders.map(({ model }) => createSession(model, { threads: 1 })),
  );
  const timings = await interleave(
    contenders.map(({ name }, at) => ({ name, run: async () => sessions[at]?.run(feeds) })),
    { rounds: 25, runs },
  );
  await Promise.all(sessions.map((session) => session.close()));
  console.log(`${title}, one thread, CPU ms of a run; 25 rounds of ${runs} runs in turns\n`);
  printTable(
    ["form", "CPU ms", "less CPU by (90 % interval)"],
    timings.map((timing) => row(timing.name, timing.median.toPrecision(3), gainText(timing))),
  );
}

/** Static int8 of the convolution stack, by tensor and by channel. */
export async function benchConvolutionStack(context: PassContext): Promise<void> {
  const model = convolutionStack(context.operators);
  const dims = [1, CHANNELS, SIZE, SIZE];
  const calibrated: PassContext = {
    ...context,
    async *calibration() {
      for (let seed = 1; seed <= 4; seed++) yield randomFeeds(dims, seed);
    },
  };
  const options = { calibration: { method: "minmax" }, biasCorrection: false } as const;
  const perTensor = await quantiseStatic.apply(model, calibrated, {
    ...options,
    perChannel: false,
  });
  const perChannel = await quantiseStatic.apply(model, calibrated, options);
  const contenders = [
    { name: "float32", model },
    { name: "static int8, a grid for each weight", model: perTensor.model },
    { name: "static int8, a grid for each channel", model: perChannel.model },
  ];
  await compare(
    "Four 3x3 convolutions of 128 channels, 28x28",
    contenders,
    randomFeeds(dims, 9),
    3,
  );
}

/** Dynamic int8 and weights of 8 and 4 bits of the feed-forward block, for one row and for 128. */
export async function benchFeedForward(context: PassContext): Promise<void> {
  for (const rows of [1, 128]) {
    const model = feedForward(rows);
    const dynamic = await quantiseDynamic.apply(model, context, undefined);
    const weights8 = await quantiseWeights.apply(model, context, { bits: 8 });
    const weights4 = await quantiseWeights.apply(model, context, { bits: 4 });
    const contenders = [
      { name: "float32", model },
      { name: "dynamic int8", model: dynamic.model },
      { name: "weights in 8 bits", model: weights8.model },
      { name: "weights in 4 bits", model: weights4.model },
    ];
    const feeds = randomFeeds([rows, WIDTH], 9);
    const title = `Feed-forward block 768-3072-768, ${rows} row${rows === 1 ? "" : "s"}`;
    await compare(title, contenders, feeds, rows === 1 ? 50 : 3);
  }
}
