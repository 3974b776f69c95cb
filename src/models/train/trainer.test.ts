import { afterEach, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { smallData, smallNet, smallParameters } from "../../../test/small-net.ts";
import { createSession } from "../../engine/index.ts";
import { checkModel, decodeModel, encodeModel, memorySource } from "../../onnx/index.ts";
import { crossEntropy } from "./losses/index.ts";
import { adamW, lion, sgd } from "./optimizers/index.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "./trainer.ts";

const BATCH = 12;
const { x, labels } = smallData(BATCH);
const batch = { x, labels };

const open: Trainer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((trainer) => trainer.close()));
});

async function start(options: Partial<TrainerOptions> = {}): Promise<Trainer> {
  const trainer = await createTrainer(smallNet(), {
    operators,
    loss: crossEntropy(),
    optimizer: adamW(),
    inputs: { x: [BATCH, 4] },
    parameters: smallParameters,
    thread: "caller",
    engine: { threads: 1 },
    ...options,
  });
  open.push(trainer);
  return trainer;
}

async function losses(trainer: Trainer, steps: number, rate = 0.05): Promise<number[]> {
  const seen: number[] = [];
  for (let step = 0; step < steps; step++) seen.push((await trainer.step([batch], rate)).loss);
  return seen;
}

const arrays = (trainer: Trainer) => Object.fromEntries(trainer.state().arrays);

describe.skipIf(nativeMissing !== null)("a trainer", () => {
  test("fits a batch that it sees again and again", async () => {
    const trainer = await start();
    const seen = await losses(trainer, 60);
    expect(seen[0]).toBeGreaterThan(0.8);
    expect(seen.at(-1)).toBeLessThan(0.1);
  });

  test("gives the same numbers on a thread of its own, where the event loop stays free", async () => {
    const here = await start();
    const there = await start({ thread: "own" });
    expect(await losses(there, 5)).toEqual(await losses(here, 5));
    expect(arrays(there)).toEqual(arrays(here));
    let turns = 0;
    let stepping = true;
    const turn = (): void => {
      turns++;
      if (stepping) setImmediate(turn);
    };
    setImmediate(turn);
    await losses(there, 20);
    stepping = false;
    expect(turns).toBeGreaterThan(20);
  });

  test("goes on bit by bit from a state that was taken", async () => {
    for (const optimizer of [adamW(), sgd({ momentum: 0.9 }), lion()]) {
      const first = await start({ optimizer, average: 0.9, clipNorm: 1 });
      await losses(first, 3);
      const state = first.state();
      const second = await start({ optimizer, average: 0.9, clipNorm: 1 });
      second.restore(state);
      expect(await losses(second, 4)).toEqual(await losses(first, 4));
      expect(arrays(second)).toEqual(arrays(first));
    }
  });

  test("two halves of a batch make the update of the whole", async () => {
    const half = BATCH / 2;
    const halves = [0, 1].map((part) => ({
      x: x.slice(part * half * 4, (part + 1) * half * 4),
      labels: labels.slice(part * half, (part + 1) * half),
    }));
    const whole = await start({ clipNorm: 0.5 });
    const parted = await start({ clipNorm: 0.5, accumulate: 2, inputs: { x: [half, 4] } });
    for (let step = 0; step < 5; step++) {
      const one = await whole.step([batch], 0.05);
      const two = await parted.step(halves, 0.05);
      expect(two.loss).toBeCloseTo(one.loss, 5);
      expect(two.gradientNorm).toBeCloseTo(one.gradientNorm ?? Number.NaN, 5);
    }
    const [a, b] = [arrays(whole), arrays(parted)];
    for (const name of smallParameters) {
      const difference = Math.max(
        ...[...(a[name] ?? [])].map((v, i) => Math.abs(v - (b[name]?.[i] ?? 0))),
      );
      expect(difference).toBeLessThan(1e-5);
    }
    await expect(parted.step([batch], 0.05)).rejects.toThrow("2 make an update");
  });

  test("leaves what is not to be trained as it was, in the model too", async () => {
    const parameters = ["scores/weight", "scores/bias"];
    const trainer = await start({ parameters });
    await losses(trainer, 5);
    expect(Object.keys(arrays(trainer)).filter((name) => name.startsWith("hidden"))).toEqual([]);
    const kept = (model = smallNet()) =>
      model.graph?.initializers.filter(({ name }) => name?.startsWith("hidden"));
    expect(kept(trainer.model())).toEqual(kept());
  });

  test("ends with a model in inference form that computes what was learnt", async () => {
    const trainer = await start();
    await losses(trainer, 60);
    const model = decodeModel(memorySource(encodeModel(trainer.model())));
    expect(checkModel(model, operators)).toEqual([]);
    expect(model.graph?.inputs).toEqual(smallNet().graph?.inputs);
    expect(model.graph?.nodes).toEqual(smallNet().graph?.nodes);
    const session = await createSession(model, { threads: 1 });
    const { scores } = await session.run({ x });
    await session.close();
    const values = Array.from((scores?.data ?? []) as Float32Array);
    const right = Array.from(labels).filter((label, row) => {
      const [a = 0, b = 0, c = 0] = values.slice(3 * row, 3 * row + 3);
      return Number(label) === [a, b, c].indexOf(Math.max(a, b, c));
    });
    expect(right).toHaveLength(BATCH);
  });

  test("gives averages where they are kept, and refuses a state of another optimiser", async () => {
    const trainer = await start({ average: 0.5 });
    await losses(trainer, 3);
    const learnt = trainer.model().graph?.initializers.find(({ name }) => name === "hidden/weight");
    const state = trainer.state();
    const bytes = learnt?.data.kind === "raw" ? learnt.data.payload.bytes() : new Uint8Array();
    expect(new Float32Array(bytes.slice().buffer)).toEqual(
      state.arrays.get("average/hidden/weight"),
    );
    const other = await start({ optimizer: lion() });
    expect(() => other.restore(state)).toThrow(
      '"momentum/hidden/weight" takes 32 numbers, it has none',
    );
  });

  test("refuses parameters that the model does not have", async () => {
    await expect(start({ parameters: ["weight"] })).rejects.toThrow('"weight" cannot be trained');
  });
});
