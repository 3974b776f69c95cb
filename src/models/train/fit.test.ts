import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { smallData, smallNet } from "../../../test/small-net.ts";
import { joules, UserError } from "../../core/index.ts";
import { encodeModel } from "../../onnx/index.ts";
import { type Dataset, memoryDataset } from "../data/index.ts";
import { accuracy } from "../data/metrics/index.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { evaluate } from "./evaluate.ts";
import { fit as fitModel } from "./fit.ts";
import type { FitOptions, RunMeter } from "./fit-options.ts";
import { crossEntropy } from "./losses/index.ts";
import { adamW, sgd } from "./optimizers/index.ts";
import { constantRate, cosineRate } from "./schedule.ts";

function dataset(rows: number, seed: number): Dataset {
  const { x, labels } = smallData(rows, seed);
  return memoryDataset("points", [
    { name: "x", dataType: "float32", shape: [4], data: x },
    { name: "label", dataType: "int64", shape: [], classes: ["a", "b", "c"], data: labels },
  ]);
}
const train = dataset(70, 2);
const validation = dataset(40, 3);

const trained = (options: Partial<FitOptions> = {}) =>
  fitModel(smallNet(), {
    operators,
    train,
    validation,
    metric: accuracy,
    loss: crossEntropy(),
    optimizer: adamW(),
    schedule: (steps) => cosineRate({ rate: 0.02, steps }),
    epochs: 4,
    batchSize: 16,
    seed: 1,
    engine: { threads: 1 },
    thread: "caller",
    ...options,
  });

const bytes = ({ model }: Awaited<ReturnType<typeof trained>>) => encodeModel(model);

describe.skipIf(nativeMissing !== null)("fit", () => {
  test("learns, judges after each epoch and keeps the best one", async () => {
    const seen: number[] = [];
    const result = await trained({ epochs: 6, onProgress: ({ loss }) => seen.push(loss) });
    expect(result.stopped).toBe("epochs");
    // 70 rows make 4 whole batches of 16.
    expect(seen).toHaveLength(6 * 4);
    const values = result.history.map(({ validation: value }) => value ?? 0);
    expect(Math.max(...values)).toBeGreaterThan(0.7);
    expect(result.best).toEqual({
      epoch: values.indexOf(Math.max(...values)) + 1,
      value: Math.max(...values),
    });
    expect(result.history.at(-1)?.loss).toBeLessThan(result.history[0]?.loss ?? 0);
    expect(result.parameters).toBe(4 * 8 + 8 + 8 * 3 + 3);
  });

  test("is the same run for the same seed, and another for another", async () => {
    const [one, same, other] = [await trained(), await trained(), await trained({ seed: 2 })];
    expect(bytes(same)).toEqual(bytes(one));
    expect(bytes(other)).not.toEqual(bytes(one));
  });

  test("has one thread for its steps and one that judges all epochs, and the same numbers", async () => {
    let threads = 0;
    const count = (): void => void threads++;
    process.on("worker", count);
    const [own, here] = [await trained({ thread: "own" }), await trained()];
    process.off("worker", count);
    expect(threads).toBe(2);
    expect(bytes(own)).toEqual(bytes(here));
    const values = ({ history }: typeof own) => history.map(({ validation: value }) => value);
    expect(values(own)).toEqual(values(here));
    const { value } = await evaluate(own.model, validation, { metric: accuracy });
    expect(value).toBe(own.best?.value);
  });

  test("goes on bit by bit from a checkpoint file, also from the middle of an epoch", async () => {
    const whole = await trained({ average: 0.9, clipNorm: 1, accumulate: 2, batchSize: 8 });
    for (const stopAfter of [1, 6, 8]) {
      const stop = new AbortController();
      let made = 0;
      const options = { average: 0.9, clipNorm: 1, accumulate: 2, batchSize: 8 };
      const saved: Checkpoint[] = [];
      const first = await trained({
        ...options,
        signal: stop.signal,
        save: async (checkpoint) => void saved.push(checkpoint),
        onProgress: () => {
          if (++made === stopAfter) stop.abort();
        },
      });
      expect(first.stopped).toBe("aborted");
      const [last] = saved.slice(-1);
      if (last === undefined) throw new Error("nothing was saved");
      const resume = decodeCheckpoint(encodeCheckpoint(last));
      const second = await trained({ ...options, resume });
      expect(bytes(second)).toEqual(bytes(whole));
      const plain = (result: typeof whole) =>
        result.history.map(({ seconds: _, ...entry }) => entry);
      expect(plain(second)).toEqual(plain(whole));
      expect(second.best).toEqual(whole.best);
    }
  });

  test("ends when no epoch is better any more", async () => {
    const result = await trained({ schedule: () => constantRate(0), patience: 2, epochs: 20 });
    expect(result.stopped).toBe("patience");
    expect(result.history).toHaveLength(3);
    expect(result.best?.epoch).toBe(1);
  });

  test("stops where numbers are no longer finite, and keeps the last good state", async () => {
    const notes: string[] = [];
    let epochs = 0;
    const result = await trained({
      optimizer: sgd(),
      // One sane epoch of 4 updates, then none.
      schedule: () => (step) => (step < 4 ? 0.01 : 1e30),
      meter: { ...meterOf(() => ++epochs), note: (text) => notes.push(text) },
    });
    expect(result.stopped).toBe("not-finite");
    expect(result.history).toHaveLength(1);
    expect(notes.join()).toContain("kept is the state after epoch 1");
    const sane = await trained({ optimizer: sgd(), schedule: () => constantRate(0.01), epochs: 1 });
    expect(bytes(result)).toEqual(bytes(sane));
  });

  test("takes energy by the epoch from its meter and ends when the budget is used up", async () => {
    const options = { meter: meterOf(() => 10), maxEnergy: joules(25), epochs: 9 };
    const result = await trained(options);
    expect(result.stopped).toBe("energy");
    expect(result.history.map(({ joules: used, grams }) => [used, grams])).toEqual(
      new Array(3).fill([10, 1]),
    );
    let used = 0;
    const within = await trained({ ...options, usedEnergy: () => (used += 4) });
    expect(within.stopped).toBe("energy");
    expect(within.checkpoint.position).toMatchObject({ epochs: 1, updates: 3 });
  });

  test("refuses what cannot be, before anything is trained", async () => {
    await expect(trained({ batchSize: 71 })).rejects.toThrow(
      "an update takes 71 rows, points has 70",
    );
    await expect(trained({ epochs: 0 })).rejects.toThrow("epochs is 0");
    await expect(trained({ maxEnergy: joules(1) })).rejects.toThrow("needs a meter");
    const wide = memoryDataset("wide", [
      { name: "x", dataType: "float32", shape: [5], data: new Float32Array(100) },
      { name: "label", dataType: "int64", shape: [], data: new BigInt64Array(20) },
    ]);
    await expect(trained({ train: wide, batchSize: 4 })).rejects.toThrow(
      'input "x" takes samples of [4], column x of wide has [5]',
    );
    const unlabelled = memoryDataset("bare", [
      { name: "x", dataType: "float32", shape: [4], data: new Float32Array(80) },
    ]);
    await expect(trained({ train: unlabelled })).rejects.toThrow('no column for "labels"');
  });
});

/** A meter that gives each epoch so many joules, and a tenth as many grams. */
function meterOf(energy: () => number): RunMeter {
  return {
    async openSpan() {
      return {
        async close() {
          const value = energy();
          return { duration: 1, energy: { value }, emissions: { value: value / 10 } };
        },
      };
    },
    note() {},
  };
}

describe("a checkpoint's file", () => {
  const checkpoint: Checkpoint = {
    position: {
      epochs: 2,
      updates: 3,
      lossSum: 0.1 + 0.2,
      history: [
        {
          epoch: 1,
          loss: 1 / 3,
          rate: 0.1,
          validation: 0.5,
          seconds: 2,
          joules: null,
          grams: null,
        },
      ],
      best: { epoch: 1, value: 0.5 },
    },
    state: { updates: 11, arrays: new Map([["a/b", Float32Array.of(1, Math.PI, -0)]]) },
    best: new Map([["a/b", Float32Array.of(0.1, 2, 3)]]),
    recipe: '{"epochs":4}',
  };

  test("is read back as it was", () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    const chosen = { ...checkpoint, rows: { rows: [1, 4, 7], easiestFirst: [2, 0, 1] } };
    expect(decodeCheckpoint(encodeCheckpoint(chosen))).toEqual(chosen);
  });

  test("is refused when it is damaged or none, and never half read", () => {
    const whole = encodeCheckpoint(checkpoint);
    const broken = [
      new Uint8Array(0),
      new TextEncoder().encode("no checkpoint at all"),
      whole.subarray(0, whole.length - 1),
      whole.subarray(0, 40),
      Uint8Array.from(whole, (byte, at) => (at === 7 ? 255 : byte)),
      new TextEncoder().encode(new TextDecoder("latin1").decode(whole).replace("F32", "F64")),
    ];
    for (const file of broken) expect(() => decodeCheckpoint(file)).toThrow(UserError);
  });
});
