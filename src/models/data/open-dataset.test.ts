import { expect, test } from "vitest";
import { dataFile, missingData } from "../../../test/shared-data.ts";
import { createNodeHost } from "../../core/host/node-host.ts";
import type { Host } from "../../core/index.ts";
import { columnOf, readLabels } from "./dataset.ts";
import { onlySplit, openDataset } from "./open-dataset.ts";
import { trainingParts } from "./splits.ts";

const host: Host = { ...createNodeHost(), env: { GODWIT_DATA: dataFile("").replace(/\/$/, "") } };

const lengths = (opened: Awaited<ReturnType<typeof openDataset>>) =>
  Object.fromEntries([...opened.splits].map(([name, { length }]) => [name, length]));

test.skipIf(missingData("vision-fashion-mnist") !== null)(
  "Fashion-MNIST: 10,000 and 10,000 images of 28x28 between 0 and 1, in classes of the published sizes",
  async () => {
    const opened = await openDataset("fashion-10k", host);
    expect(lengths(opened)).toEqual({ train: 10_000, test: 10_000 });
    const labels = await readLabels(onlySplit(opened, "test"));
    const counts = Array.from({ length: 10 }, (_, c) => labels.filter((l) => l === c).length);
    expect(counts).toEqual(Array(10).fill(1000));
    const image = (await onlySplit(opened, "train").batch([0, 9999])).get("image");
    expect(image?.dims).toEqual([2, 1, 28, 28]);
    const values = image?.data as Float32Array;
    expect(Math.min(...values)).toBe(0);
    expect(Math.max(...values)).toBe(1);
    // The first training image is an ankle boot (README of the dataset).
    const first = await readLabels(onlySplit(opened, "train"));
    expect(columnOf(onlySplit(opened, "train"), "label").classes?.[first[0] ?? -1]).toBe(
      "Ankle boot",
    );
  },
);

test.skipIf(missingData("satellite-eurosat") !== null)(
  "EuroSAT: tiles of 64x64 RGB in three fixed parts, decoded when a batch asks",
  async () => {
    const opened = await openDataset("eurosat", host);
    expect(lengths(opened)).toEqual({ train: 3500, validation: 500, test: 1000 });
    const batch = await onlySplit(opened, "test").batch([0, 999]);
    expect(batch.get("image")?.dims).toEqual([2, 3, 64, 64]);
    const labels = await readLabels(
      (await openDataset("eurosat:validation", host)).splits.get("all") as never,
    );
    const counts = Array.from({ length: 10 }, (_, c) => labels.filter((l) => l === c).length);
    expect(counts).toEqual(Array(10).fill(50));
  },
);

test.skipIf(missingData("vision-digits") !== null)("digits: 1,797 images of 8x8", async () => {
  const opened = await openDataset("digits", host);
  const all = onlySplit(opened);
  expect(all.length).toBe(1797);
  expect(all.columns).toMatchObject([
    { name: "image", dataType: "float32", shape: [1, 8, 8] },
    { name: "label", dataType: "int64" },
  ]);
  const parts = await trainingParts(opened, { validation: 0.1, test: 0.2, seed: 1 });
  expect(parts.train.length + (parts.validation?.length ?? 0) + (parts.test?.length ?? 0)).toBe(
    1797,
  );
});

test.skipIf(missingData("satellite-statlog") !== null)(
  "Statlog: the official parts, told by a column",
  async () => {
    expect(lengths(await openDataset("statlog", host))).toEqual({ train: 4435, test: 2000 });
  },
);

test.skipIf(missingData("nlp-sst2") !== null)("SST-2: sentences with two labels", async () => {
  const opened = await openDataset("sst2", host);
  expect(lengths(opened)).toEqual({ train: 6920, validation: 872, test: 1821 });
  const batch = await onlySplit(opened, "train").batch([0]);
  expect(batch.get("text")?.data).toEqual([
    "a stirring , funny and finally transporting re imagining of beauty and the beast and 1930s horror films",
  ]);
  expect(batch.get("label")?.data).toEqual(BigInt64Array.of(1n));
});

test.skipIf(missingData("ts-classify") !== null)(
  "UCR series: equal lengths stack, unequal ones have no fixed shape",
  async () => {
    const gunpoint = await openDataset("gunpoint", host);
    expect(lengths(gunpoint)).toEqual({ train: 50, test: 150 });
    expect(columnOf(onlySplit(gunpoint, "train"), "x").shape).toEqual([1, 150]);
    const motions = await openDataset("basic-motions:train", host);
    expect(columnOf(onlySplit(motions), "x").shape).toEqual([6, 100]);
    expect(columnOf(onlySplit(motions), "label").classes).toEqual([
      "Standing",
      "Running",
      "Walking",
      "Badminton",
    ]);
    const plaid = await openDataset("plaid", host);
    expect(lengths(plaid)).toEqual({ train: 537, test: 537 });
    expect(columnOf(onlySplit(plaid, "train"), "x").shape).toBeNull();
  },
);
