import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { smallData, smallNet } from "../../../../test/small-net.ts";
import { createRandom } from "../../../core/index.ts";
import { concat, type Dataset, memoryDataset, readLabels, subset } from "../../data/index.ts";
import type { FitOptions } from "../fit-options.ts";
import { crossEntropy, meanSquaredError } from "../losses/index.ts";
import { adamW } from "../optimizers/index.ts";
import { constantRate } from "../schedule.ts";
import { type Choice, chooseRows } from "./choose.ts";
import { projectRows, valueSets } from "./features.ts";
import { jaccard } from "./min-hash.ts";

function points(rows: number, seed: number): Dataset {
  const { x, labels } = smallData(rows, seed);
  return memoryDataset("points", [
    { name: "x", dataType: "float32", shape: [4], data: x },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
}

const train = points(90, 2);
const options: FitOptions = {
  ...{ operators, train, loss: crossEntropy(), optimizer: adamW(), seed: 3 },
  ...{ schedule: () => constantRate(0.02), epochs: 4, batchSize: 16 },
  ...{ engine: { threads: 1 }, thread: "caller" },
};
const chosen = (choice: Choice, change: Partial<FitOptions> = {}) =>
  chooseRows(smallNet(), { ...options, ...change }, choice);

describe.skipIf(nativeMissing !== null)("choosing rows", () => {
  test("every way gives as many rows as were asked for, the same ones again, and says its price", async () => {
    // 5 batches of 16 an epoch, three passes each.
    const epoch = 3 * 5 * 16;
    const price = { random: 0, coreset: 0, el2n: 2 * epoch + 90, grand: 2 * epoch + 3 * 90 };
    for (const [kind, forwards] of Object.entries(price)) {
      const select = { kind: kind as keyof typeof price, fraction: 0.4 };
      const [one, again] = [await chosen({ select }), await chosen({ select })];
      expect(one.rows).toHaveLength(36);
      expect(new Set(one.rows).size).toBe(36);
      expect(one.train.length).toBe(36);
      expect(again.rows).toEqual(one.rows);
      expect(one.forwards).toBe(forwards);
    }
    const all = await chosen({});
    expect([all.train, all.rows.length, all.forwards]).toEqual([train, 90, 0]);
  });

  test("scores find the rows whose labels are wrong: they are the hard ones", async () => {
    const right = await readLabels(train);
    const wrong = new Set([3, 17, 44, 61, 80]);
    const labels = BigInt64Array.from(right, (label, row) =>
      BigInt(wrong.has(row) ? (label + 1) % 3 : label),
    );
    const { x } = smallData(90, 2);
    const marred = memoryDataset("marred", [
      { name: "x", dataType: "float32", shape: [4], data: x },
      { name: "label", dataType: "int64", shape: [], data: labels },
    ]);
    for (const kind of ["el2n", "grand", "forgetting"] as const) {
      const select = { kind, fraction: 1 / 3, epochs: 12 };
      const { rows } = await chosen({ select }, { train: marred });
      const found = rows.filter((row) => wrong.has(row));
      expect(found.length, kind).toBeGreaterThanOrEqual(4);
    }
  });

  test("a curriculum begins with rows that are easy, and ends with all", async () => {
    const { order, rows, forwards } = await chosen({
      curriculum: { duration: 3, start: 0.2, epochs: 4 },
    });
    expect(rows).toHaveLength(90);
    expect(forwards).toBe(4 * 3 * 5 * 16 + 90);
    const first = order?.(0, createRandom(1)) ?? [];
    expect(first).toHaveLength(90);
    expect(new Set(first).size).toBe(18);
    expect(new Set(order?.(3, createRandom(1))).size).toBe(90);
  });

  test("what scores classes is refused for other losses, by name", async () => {
    for (const kind of ["el2n", "forgetting"] as const) {
      const select = { kind, fraction: 0.5 };
      await expect(chosen({ select }, { loss: meanSquaredError })).rejects.toThrow(
        `${kind} scores classes, the loss is mse`,
      );
    }
  });

  test("an abort ends it", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    const select = { kind: "el2n", fraction: 0.5 } as const;
    await expect(chosen({ select }, { signal: stop.signal })).rejects.toThrow("enough");
  });

  test("of rows that are there twice one is kept, of rows that are nearly alike too", async () => {
    const wide = images(40);
    const twice = concat([wide, subset(wide, [7, 30])], "twice");
    const { rows } = await chooseRows(wideNet, { ...options, train: twice }, DEDUP);
    expect(rows).toEqual(Array.from({ length: 40 }, (_, row) => row));
    const near = concat([wide, images(2, 0.001)], "near");
    const { rows: kept } = await chooseRows(wideNet, { ...options, train: near }, DEDUP);
    expect(kept).toHaveLength(40);
  });
});

const DEDUP: Choice = { select: { kind: "dedup" } };
/** Its input is all that matters: nothing is trained. */
const wideNet = (() => {
  const model = smallNet();
  const [input] = model.graph?.inputs ?? [];
  if (model.graph === undefined || input === undefined) throw new Error("no input");
  return { ...model, graph: { ...model.graph, inputs: [{ name: "x", metadata: [] }] } };
})();

/** Rows of 400 numbers in [0, 1), drawn from one seed, moved a little by noise of another. */
function images(rows: number, noise = 0): Dataset {
  const [random, other] = [createRandom(5), createRandom(6)];
  const data = Float32Array.from({ length: rows * 400 }, () => random.uniform());
  for (let at = 0; at < data.length; at++) {
    data[at] = (data[at] as number) + noise * other.uniform();
  }
  return memoryDataset("images", [
    { name: "x", dataType: "float32", shape: [400], data },
    { name: "label", dataType: "int64", shape: [], data: new BigInt64Array(rows) },
  ]);
}

test("random projections keep squared distances in the mean", async () => {
  const data = images(2);
  const { x } = Object.fromEntries(await data.batch([0, 1]));
  const distance = (values: ArrayLike<number>, width: number): number => {
    let sum = 0;
    for (let at = 0; at < width; at++) {
      sum += ((values[at] as number) - (values[width + at] as number)) ** 2;
    }
    return sum;
  };
  const real = distance(x?.data as Float32Array, 400);
  const [draws, width] = [300, 16];
  let sum = 0;
  for (let seed = 1; seed <= draws; seed++) {
    const projected = await projectRows(data, ["x"], { width, seed });
    sum += distance(projected.data as Float32Array, width) / real;
  }
  // A mean of draws x width squares of normal numbers, whose variance is 2: five standard errors.
  expect(Math.abs(sum / draws - 1)).toBeLessThan(5 * Math.sqrt(2 / (draws * width)));
});

test("sets of values are equal for equal rows, and less alike the more values differ", async () => {
  const values = new Float32Array(4 * 100);
  values.fill(1, 110, 200); // Row 1 differs from row 0 in 90 places, row 2 in 10, row 3 in none.
  values.fill(1, 290, 300);
  const data = memoryDataset("rows", [
    { name: "x", dataType: "float32", shape: [100], data: values },
  ]);
  const [first = new Set<string>(), ...others] = await valueSets(data, ["x"]);
  const alike = others.map((other) => jaccard(first, other));
  expect(alike).toEqual([10 / 190, 90 / 110, 1]);
});
