// What a session and a call cost beside the computation itself.

import { InferenceSession, Tensor } from "onnxruntime-node";
import { graphLiteral, node, port } from "../../src/engine/graph-literal.ts";
import { createSession, createWorkerSession } from "../../src/engine/index.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { feedForward } from "./feed-forward.ts";
import { printTable, row, spread } from "./figures.ts";

const tiny = graphLiteral(
  [node("Add", ["x", "x"], ["y"])],
  [port("x", "float32", [1])],
  [port("y", "float32", [1])],
);
const REPEATS = 15;
const CALLS = 2000;

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** Time to make sessions, on this thread and on another. */
export async function benchCreation(): Promise<void> {
  const models = [
    { name: "one Add", bytes: encodeModel(tiny) },
    { name: "18.9 MB of weights", bytes: encodeModel(feedForward(1)) },
  ];
  const rows: string[] = [];
  for (const { name, bytes } of models) {
    const [here, thread]: [number[], number[]] = [[], []];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      here.push(await timed(async () => (await createSession(bytes, { threads: 1 })).close()));
      thread.push(
        await timed(async () => (await createWorkerSession(bytes, { threads: 1 })).close()),
      );
    }
    rows.push(row(name, spread(here), spread(thread)));
  }
  console.log(`Making and closing a session, ms; ${REPEATS} repeats, median (middle half)\n`);
  printTable(["model", "on this thread", "on a new thread"], rows);
}

/** Time of one call of a graph that does nothing to speak of. */
export async function benchOverhead(): Promise<void> {
  const x = Float32Array.of(1);
  const raw = await InferenceSession.create(encodeModel(tiny), { intraOpNumThreads: 1 });
  const tensor = new Tensor("float32", x, [1]);
  await using session = await createSession(tiny, { threads: 1 });
  await using worker = await createWorkerSession(tiny, { threads: 1 });
  const variants = [
    { name: "onnxruntime-node itself", call: () => raw.run({ x: tensor }), times: [] as number[] },
    { name: "session", call: () => session.run({ x }), times: [] as number[] },
    { name: "session on a thread", call: () => worker.run({ x }), times: [] as number[] },
  ];
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    for (const { call, times } of variants) {
      const took = await timed(async () => {
        for (let i = 0; i < CALLS; i++) await call();
      });
      // The first round warms up.
      if (repeat > 0) times.push((1000 * took) / CALLS);
    }
  }
  await raw.release();
  console.log(`One call of a single Add, us; ${REPEATS} x ${CALLS} calls, median (middle half)\n`);
  printTable(
    ["by way of", "us per call"],
    variants.map(({ name, times }) => row(name, spread(times))),
  );
}
