// Leaving early on real pictures: `GODWIT_DATA=... node bench/slim/early-exit.ts`. A small VGG is trained on a part of
// Fashion-MNIST, heads on another, thresholds on a third; accuracy and cost are of the test pictures.

import { createNodeHost } from "../../src/core/host/node-host.ts";
import {
  createSession,
  nativeRuntime,
  type Session,
  type TensorValue,
} from "../../src/engine/index.ts";
import {
  type Dataset,
  openDataset,
  readLabels,
  splitNamed,
  subset,
} from "../../src/models/data/index.ts";
import {
  cutPoints,
  exitModel,
  type TrainedExits,
  trainExits,
} from "../../src/models/dynamic/index.ts";
import { netNamed } from "../../src/models/nets/index.ts";
import { adamW, cosineRate, crossEntropy, fit as fitModel } from "../../src/models/train/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import { printMachine, printTable, row } from "../engine/figures.ts";
import { operators } from "./conv-stack.ts";
import { gainText, interleave } from "./interleave.ts";

const [TRAINED, HEADS, TEMPERATURE, THRESHOLDS, TESTED] = [5000, 2000, 1000, 2000, 1000];

const host = createNodeHost();
const opened = await openDataset("fashion-10k", host);
const [train, test] = [splitNamed(opened, "train"), splitNamed(opened, "test")];
const rows = (from: number, size: number) => Array.from({ length: size }, (_, at) => from + at);
const parts = [TRAINED, HEADS, TEMPERATURE, THRESHOLDS].map((size, at, all) =>
  subset(
    train,
    rows(
      all.slice(0, at).reduce((sum, of) => sum + of, 0),
      size,
    ),
  ),
);
const tested = subset(test, rows(0, TESTED));

const [body, heads, temperature, thresholds] = parts as [Dataset, Dataset, Dataset, Dataset];
const net = netNamed("vgg-small").build({ operators, size: 28, channels: 1, classes: 10 });
const { model } = await fitModel(net, {
  operators,
  train: body,
  loss: crossEntropy(),
  optimizer: adamW(),
  schedule: (steps) => cosineRate({ rate: 2e-3, steps }),
  epochs: 4,
  batchSize: 64,
  seed: 1,
  thread: "caller",
  engine: { threads: 2 },
});

const activations = cutPoints(model).filter(
  ({ value, shape }) => /relu|pool/i.test(value) && shape.length === 4,
);
const at = [1, 2].map(
  (third) => activations[Math.floor((third * activations.length) / 3)]?.value ?? "",
);
const shared = { at, train: heads, calibrate: temperature, choose: thresholds };
const exits = await trainExits(model, { ...shared, maxDrop: 0.005 });

const pictures: TensorValue[] = [];
for (let picture = 0; picture < TESTED; picture++) {
  const [value] = (await tested.batch([picture])).values();
  if (value !== undefined) pictures.push(value);
}
const labels = await readLabels(tested);

/** All test pictures, one by one. */
async function readAll(session: Session): Promise<number> {
  let right = 0;
  for (const [picture, { data, dims }] of pictures.entries()) {
    const floats = Float32Array.from(data as Float32Array);
    const image = { dataType: "float32" as const, dims, data: floats };
    const [scores] = Object.values(await session.run({ image }));
    const own = scores?.data as Float32Array;
    if (own.indexOf(own.reduce((a, b) => Math.max(a, b))) === labels[picture]) right++;
  }
  return right / TESTED;
}

const open = (of: Model): Promise<Session> => createSession(of, { threads: 1 });
const sessions = [await open(model), await open(exitModel(exits, operators))];
const accuracies: number[] = [];
for (const session of sessions) accuracies.push(await readAll(session));
const names = ["the whole model", "with exits"];
const timings = await interleave(
  sessions.map((session, of) => ({ name: names[of] ?? "", run: () => readAll(session) })),
  { rounds: 9, runs: 1 },
);
for (const session of sessions) await session.close();

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const describe = ({ plan, baseCost }: TrainedExits): string =>
  `thresholds ${plan.thresholds.map((of) => of.toFixed(3)).join(", ")}; expected of the samples they were ` +
  `chosen on: ${plan.shares.map(percent).join(", ")} leave at each exit, ${percent(plan.cost / baseCost)} of the work, ` +
  `accuracy ${percent(plan.accuracy)}`;

const { name } = nativeRuntime();
printMachine(`${name} ${(await nativeRuntime().load()).version}`);
console.log(`vgg-small on Fashion-MNIST, heads at ${at.join(" and ")}; ${describe(exits)}\n`);
printTable(
  ["", `accuracy on ${TESTED} test pictures`, "CPU ms a picture", "times less CPU"],
  timings.map((timing, of) =>
    row(
      timing.name,
      percent(accuracies[of] ?? 0),
      (timing.median / TESTED).toFixed(3),
      gainText(timing),
    ),
  ),
);
