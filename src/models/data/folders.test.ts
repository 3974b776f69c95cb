import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { checkClassCount, inspectDataset, matchInputs, refuse } from "./check.ts";
import { memoryDataset, readColumn, readLabels } from "./dataset.ts";
import { onlySplit, openDataset } from "./open-dataset.ts";
import { trainingParts } from "./splits.ts";

const PNG = Uint8Array.from(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAAAAACcgYFdAAAAEUlEQVR4nGPceYxR4T/DqS8AEm4EXwwTayQAAAAASUVORK5CYII=",
    "base64",
  ),
);
const idx = (dims: readonly number[], values: readonly number[]) =>
  new Uint8Array(
    gzipSync(
      Uint8Array.from([0, 0, 8, dims.length, ...dims.flatMap((dim) => [0, 0, 0, dim]), ...values]),
    ),
  );

describe("folders", () => {
  test("a folder of images a class, hidden files left out", async () => {
    const host = createFakeHost({
      files: {
        "/d/cat/1.png": { bytes: PNG },
        "/d/dog/2.png": { bytes: PNG },
        "/d/dog/notes.txt": "x",
        "/d/.cache/3.png": { bytes: PNG },
      },
    });
    const dataset = onlySplit(await openDataset("/d", host));
    expect(dataset.length).toBe(2);
    expect([...(await readLabels(dataset))]).toEqual([0, 1]);
    expect((await dataset.batch([0])).get("image")?.dims).toEqual([1, 3, 3, 2]);
  });

  test("parts by their names, as folders or as files", async () => {
    const csv = "a,label\n1,0\n2,1\n";
    const files = {
      "/d/train.csv": csv,
      "/d/val.csv": csv,
      "/d/test.csv": csv,
      "/d/README.md": "",
    };
    const opened = await openDataset("/d/", createFakeHost({ files }));
    expect([...opened.splits.keys()].sort()).toEqual(["test", "train", "validation"]);
    const nested = createFakeHost({
      files: { "/d/train/a/1.png": { bytes: PNG }, "/d/test/a/1.png": { bytes: PNG } },
    });
    expect([...(await openDataset("/d", nested)).splits.keys()].sort()).toEqual(["test", "train"]);
    expect(() => onlySplit(opened)).toThrow("dataset d has several parts");
    expect(() => onlySplit(opened, "dev")).toThrow("has no part dev");
  });

  test("IDX pairs: counts and labels must fit", async () => {
    const images = idx([2, 1, 2], [0, 255, 51, 102]);
    const open = (labels: Uint8Array) =>
      openDataset(
        "/d",
        createFakeHost({
          files: {
            "/d/train-images-idx3-ubyte.gz": { bytes: images },
            "/d/train-labels-idx1-ubyte.gz": { bytes: labels },
          },
        }),
      );
    const train = onlySplit(await open(idx([2], [3, 1])), "train");
    const { data } = await readColumn(train, "image");
    expect(Array.from(data as Float32Array, (v) => Math.round(v * 255))).toEqual([0, 255, 51, 102]);
    expect([...(await readLabels(train))]).toEqual([3, 1]);
    await expect(open(idx([1], [3]))).rejects.toThrow("1 labels for 2 images");
  });

  test("what is not there, not known or not allowed is told", async () => {
    const host = createFakeHost({
      files: { "/e/readme.txt": "x", "/f/a.csv": { fault: "EACCES" } },
    });
    await expect(openDataset("/nowhere.csv", host)).rejects.toThrow("there is no file or folder");
    await expect(openDataset("/e", host)).rejects.toThrow("/e: nothing known among 1 names");
    await expect(openDataset("/f/a.csv", host)).rejects.toMatchObject({ code: "denied" });
    await expect(openDataset("fashion-10", host)).rejects.toMatchObject({
      hint: "Did you mean fashion-10k?",
    });
    await expect(openDataset("fashion-mnist", host)).rejects.toMatchObject({
      hint: "godwit data get fashion-mnist",
    });
    await expect(openDataset("digits", host)).rejects.toMatchObject({
      hint: expect.stringContaining("GODWIT_DATA"),
    });
  });
});

const numbers = (labels: readonly number[], values?: readonly number[]) =>
  memoryDataset("d", [
    {
      name: "x",
      dataType: "float32",
      shape: [1],
      data: Float32Array.from(values ?? labels.map((_, at) => at)),
    },
    { name: "label", dataType: "int64", shape: [], data: BigInt64Array.from(labels, BigInt) },
  ]);

test("parts that are missing are drawn without a row in common; given ones are kept", async () => {
  const all = numbers(Array.from({ length: 100 }, (_, at) => at % 4));
  const parts = await trainingParts(
    { name: "d", splits: new Map([["all", all]]) },
    { validation: 0.2, test: 0.2, seed: 1 },
  );
  const values = await Promise.all(
    [parts.train, parts.validation, parts.test].map(async (part) =>
      part === null ? [] : [...((await readColumn(part, "x")).data as Float32Array)],
    ),
  );
  expect(values.map((part) => part.length)).toEqual([60, 20, 20]);
  expect(new Set(values.flat()).size).toBe(100);
  const given = await trainingParts(
    {
      name: "d",
      splits: new Map([
        ["train", all],
        ["test", numbers([1, 2])],
      ]),
    },
    { validation: 0.1, test: 0.5, seed: 1 },
  );
  expect([given.train.length, given.validation?.length, given.test?.length]).toEqual([92, 8, 2]);
});

describe("data against model and use", () => {
  const port = (
    name: string,
    dims: readonly (number | string)[],
    dataType = "float32" as const,
  ) => ({
    name,
    dataType,
    dims,
  });

  test("the only input takes the only column; others are matched by name", () => {
    expect([...matchInputs(numbers([0]), [port("input", ["batch", 1])])]).toEqual([["input", "x"]]);
    expect(() => matchInputs(numbers([0]), [port("a", ["n", 1]), port("b", ["n", 1])])).toThrow(
      "d does not fit the model: no column for input a",
    );
  });

  test("type, rank and size that differ are listed, expected and got", () => {
    const wrong = (dims: readonly (number | string)[], type?: "int64") => () =>
      matchInputs(numbers([0]), [{ ...port("input", dims), ...(type ? { dataType: type } : {}) }]);
    expect(wrong(["n", 3])).toThrow("samples of [1] where [3] is expected");
    expect(wrong(["n", 1, 1])).toThrow("samples of [1] where [1, 1] is expected");
    expect(wrong(["n", 1], "int64")).toThrow("float32 where int64 is expected");
    expect(wrong(["n", "any"])).not.toThrow();
    try {
      wrong(["n", 3])();
    } catch (error) {
      expect((error as { hint: string }).hint).toContain("input float32[n, 3]");
    }
  });

  test("too few samples, one label, constant and non-finite inputs are found and refused", async () => {
    const kinds = async (
      dataset: ReturnType<typeof numbers>,
      purpose: "calibration" | "verification",
    ) => (await inspectDataset(dataset, purpose)).map(({ kind }) => kind);
    const many = Array.from({ length: 40 }, (_, at) => at % 2);
    expect(await kinds(numbers(many), "verification")).toEqual([]);
    expect(await kinds(numbers(many.slice(0, 20)), "verification")).toEqual(["too-few"]);
    expect(await kinds(numbers(many.map(() => 1)), "calibration")).toEqual(["one-label"]);
    expect(
      await kinds(
        numbers(
          many,
          many.map(() => 5),
        ),
        "calibration",
      ),
    ).toEqual(["constant-input"]);
    const odd = numbers(
      many,
      many.map((_, at) => (at === 33 ? Number.NaN : at)),
    );
    const findings = await inspectDataset(odd, "calibration");
    expect(findings).toEqual([{ kind: "non-finite", message: "row 33 of column x holds NaN" }]);
    expect(() => refuse(odd, findings)).toThrow("d: row 33 of column x holds NaN");
    expect(() => refuse(odd, findings, ["non-finite"])).not.toThrow();
  });

  test("labels that the model cannot give are told with their row", async () => {
    await checkClassCount(numbers([0, 1, 2]), 3);
    await expect(checkClassCount(numbers([0, 1, 2]), 2)).rejects.toThrow(
      "row 2 of d has label 2, the model 2 classes",
    );
  });
});
