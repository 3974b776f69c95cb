// What structure saves: `node bench/slim/structure.ts`. The tables of docs/methods/factorisation.md,
// pruning.md and clustering.md.

import { createSession, nativeRuntime, type Session } from "../../src/engine/index.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { printMachine, printTable, row, spread } from "../engine/figures.ts";
import { stackFeeds, stackVariants } from "./conv-stack.ts";
import { gainText, interleave } from "./interleave.ts";

const [ROUNDS, RUNS] = [25, 10];

const { name } = nativeRuntime();
printMachine(`${name} ${(await nativeRuntime().load()).version}`);
const models = await stackVariants();
const sessions = new Map<string, Session>();
for (const [variant, model] of models)
  sessions.set(variant, await createSession(model, { threads: 1 }));
const feeds = stackFeeds();
const timings = await interleave(
  [...sessions].map(([variant, session]) => ({ name: variant, run: () => session.run(feeds) })),
  { rounds: ROUNDS, runs: RUNS },
);
for (const session of sessions.values()) await session.close();
console.log(
  "Four convolutions 128 -> 128, 3 x 3, on 28 x 28, between 8 -> 128 and 128 -> 8, 1 x 1; batch 1, float32, 1 thread, random weights; " +
    `${ROUNDS} rounds of ${RUNS} runs each in turns, median (middle half); gain: median of the rounds' ` +
    "ratios with its 90 % bootstrap interval\n",
);
printTable(
  ["", "CPU ms", "times less CPU", "file, kB"],
  timings.map((timing) => {
    const model = models.get(timing.name);
    const bytes = model === undefined ? 0 : encodeModel(model).length;
    return row(timing.name, spread(timing.samples), gainText(timing), Math.round(bytes / 1000));
  }),
);
