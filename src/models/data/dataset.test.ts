import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import { columnOf, memoryDataset, readColumn, readLabels } from "./dataset.ts";
import { batched, hashSplit, randomSplit, rowsByLabel, shuffled, stratifiedSplit } from "./rows.ts";
import { concat, mapColumn, normalise, selectColumns, subset } from "./views.ts";

const points = (start: number, count: number) =>
  memoryDataset("points", [
    {
      name: "x",
      dataType: "float32",
      shape: [2],
      data: Float32Array.from({ length: 2 * count }, (_, at) => start * 2 + at),
    },
    {
      name: "label",
      dataType: "int64",
      shape: [],
      classes: ["even", "odd"],
      data: BigInt64Array.from({ length: count }, (_, at) => BigInt((start + at) % 2)),
    },
    {
      name: "id",
      dataType: "string",
      shape: [],
      data: Array.from({ length: count }, (_, at) => `p${start + at}`),
    },
  ]);

describe("a dataset in memory", () => {
  test("gives the rows asked for, in that order, of every column", async () => {
    const batch = await points(0, 5).batch([3, 0, 3]);
    expect(batch.get("x")).toEqual({
      dataType: "float32",
      dims: [3, 2],
      data: Float32Array.of(6, 7, 0, 1, 6, 7),
    });
    expect(batch.get("label")?.data).toEqual(BigInt64Array.of(1n, 0n, 1n));
    expect(batch.get("id")?.data).toEqual(["p3", "p0", "p3"]);
  });

  test("keeps the names of classes with the column, and its values out of it", () => {
    expect(columnOf(points(0, 2), "label")).toEqual({
      name: "label",
      dataType: "int64",
      shape: [],
      classes: ["even", "odd"],
    });
  });

  test("refuses rows that it does not have, and columns of different lengths", async () => {
    await expect(points(0, 5).batch([5])).rejects.toThrow("row 5 of dataset points, which has 5");
    const ragged = () =>
      memoryDataset("d", [
        { name: "a", dataType: "uint8", shape: [], data: Uint8Array.of(1) },
        { name: "b", dataType: "uint8", shape: [], data: Uint8Array.of(1, 2) },
      ]);
    expect(ragged).toThrow("columns of 1, 2 rows");
  });

  test("stacks samples of varying shape where they agree, else names both rows", async () => {
    const of = (...dims: number[]) => ({
      dataType: "float32" as const,
      dims,
      data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(dims[0] ?? 0),
    });
    const series = memoryDataset("series", [
      { name: "x", dataType: "float32", shape: null, samples: [of(2), of(3), of(2)] },
    ]);
    expect((await series.batch([0, 2])).get("x")).toMatchObject({ dims: [2, 2] });
    await expect(series.batch([0, 1])).rejects.toThrow(
      "column x: row 1 is float32[3], row 0 is float32[2]",
    );
  });

  test("names its columns when asked for another", () => {
    expect(() => columnOf(points(0, 1), "y")).toThrow("dataset points has no column y");
  });

  test("reads labels as class numbers, and refuses columns that are none", async () => {
    expect([...(await readLabels(points(0, 3)))]).toEqual([0, 1, 0]);
    await expect(readLabels(points(0, 3), "x")).rejects.toThrow("holds no labels");
  });
});

describe("views", () => {
  test("a subset of a subset is the composition of both", async () => {
    const nested = subset(subset(points(0, 10), [9, 8, 7]), [2, 0]);
    expect((await readColumn(nested, "id")).data).toEqual(["p7", "p9"]);
  });

  test("joined datasets answer any order of rows as one dataset would", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(6), { minLength: 1, maxLength: 12 }), async (rows) => {
        const joined = concat([points(0, 2), points(2, 1), points(3, 4)], "joined");
        expect(await joined.batch(rows)).toEqual(await points(0, 7).batch(rows));
      }),
    );
  });

  test("datasets with other columns are not joined", () => {
    const other = selectColumns(points(0, 2), { x: "x" });
    expect(() => concat([points(0, 2), other], "both")).toThrow("have other columns");
  });

  test("columns can be renamed and mapped", async () => {
    const renamed = selectColumns(points(0, 2), { x: "input" });
    expect(renamed.columns.map(({ name }) => name)).toEqual(["input"]);
    const doubled = mapColumn(points(0, 2), "x", {
      column: { name: "x", dataType: "float64", shape: [2] },
      map: ({ dims, data }) => ({
        dataType: "float64",
        dims,
        data: Float64Array.from(data as Float32Array, (value) => 2 * value),
      }),
    });
    expect((await readColumn(doubled, "x")).data).toEqual(Float64Array.of(0, 2, 4, 6));
  });

  test("normalising is (x scale - mean) / deviation by channel", async () => {
    const images = memoryDataset("images", [
      {
        name: "image",
        dataType: "uint8",
        shape: [2, 1, 2],
        data: Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70),
      },
    ]);
    const how = { scale: 0.1, mean: [1, 2], deviation: [1, 2] };
    const { dataType, data } = await readColumn(normalise(images, "image", how), "image");
    expect(dataType).toBe("float32");
    expect([...(data as Float32Array)]).toEqual([-1, 0, 0, 0.5, 3, 4, 2, 2.5]);
    expect(() => normalise(images, "image", { mean: [1, 2, 3] })).toThrow("3 channels");
    expect(() => normalise(images, "image", { deviation: [0] })).toThrow("to divide by");
  });
});

describe("splits", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });

  test("every row is in exactly one part, whose size is off by less than one", () => {
    fc.assert(
      fc.property(fc.nat(50), weights, fc.nat(), (length, given, seed) => {
        fc.pre(given.some((weight) => weight > 0));
        const parts = randomSplit(length, given, seed);
        const sum = given.reduce((a, b) => a + b, 0);
        expect(parts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, at) => at));
        parts.forEach((part, at) => {
          const exact = (length * (given[at] ?? 0)) / sum;
          expect(Math.abs(part.length - exact)).toBeLessThan(1 + 1e-9);
        });
      }),
    );
  });

  test("a stratified split keeps the proportions of every label to within a row", () => {
    const labels = Int32Array.from({ length: 300 }, (_, row) => (row % 10 === 0 ? 1 : 0));
    const parts = stratifiedSplit(labels, [0.8, 0.2], 3);
    const rare = parts.map((part) => part.filter((row) => labels[row] === 1).length);
    expect(parts.map((part) => part.length)).toEqual([240, 60]);
    expect(rare).toEqual([24, 6]);
  });

  test("the same seed gives the same split, another seed another", () => {
    expect(randomSplit(100, [1, 1], 7)).toEqual(randomSplit(100, [1, 1], 7));
    expect(randomSplit(100, [1, 1], 7)).not.toEqual(randomSplit(100, [1, 1], 8));
  });

  test("a split by hash does not move rows when others come, and keeps equal ids together", () => {
    const ids = Array.from({ length: 4000 }, (_, at) => `site-${at >> 1}`);
    const [train = [], test = []] = hashSplit(ids, [3, 1]);
    const [more = []] = hashSplit(["new", ...ids], [3, 1]);
    expect(more.filter((row) => row > 0).map((row) => row - 1)).toEqual(train);
    const sites = new Set(train.map((row) => ids[row]));
    expect(test.some((row) => sites.has(ids[row]))).toBe(false);
    // 2,000 sites at 1/4: standard deviation 19.4 sites, so 80 is four of them.
    expect(Math.abs(test.length / 2 - 500)).toBeLessThan(80);
  });

  test("weights that mean nothing are refused", () => {
    expect(() => randomSplit(5, [0, 0], 1)).toThrow("split weights 0, 0");
    expect(() => randomSplit(5, [2, -1], 1)).toThrow("split weights 2, -1");
  });

  test("shuffles all six orders of three equally often", () => {
    const counts = new Map<string, number>();
    const random = createRandom(1);
    for (let draw = 0; draw < 6000; draw++) {
      const order = shuffled([0, 1, 2], random).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // Binomial(6000, 1/6): standard deviation 28.9.
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * 28.9);
  });

  test("rows by label come by label, batches in groups", () => {
    expect([...rowsByLabel([2, 0, 2])]).toEqual([
      [0, [1]],
      [2, [0, 2]],
    ]);
    expect(batched([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  });
});

test("columns that nobody asked for are left out, through every view", async () => {
  const chain = subset(concat([points(0, 2), points(2, 2)], "joined"), [3, 1]);
  const renamed = normalise(selectColumns(chain, { x: "input", label: "label" }), "input", {});
  expect([...(await renamed.batch([0], ["label"])).keys()]).toEqual(["label"]);
  expect([...(await renamed.batch([0], ["input"])).keys()]).toEqual(["input"]);
  expect([...(await readLabels(renamed))]).toEqual([1, 1]);
});
