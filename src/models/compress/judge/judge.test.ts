import { describe, expect, test } from "vitest";
import { smallData, smallNet } from "../../../../test/small-net.ts";
import { createSession } from "../../../engine/index.ts";
import { elementsOf, type Model, type Tensor, tensorOf } from "../../../onnx/index.ts";
import { accuracy, agreement, allRows, memoryDataset } from "../../data/index.ts";
import { portDifferences } from "./check-ports.ts";
import { evaluate, truthOf } from "./evaluate.ts";
import { samplesFor, withRows } from "./samples.ts";
import { threeSplits } from "./three-splits.ts";
import { verify } from "./verify.ts";

const { x, labels } = smallData(240);
const data = memoryDataset("points", [
  { name: "x", dataType: "float32", shape: [4], data: x },
  { name: "label", dataType: "int64", shape: [], data: labels },
]);
const net = smallNet();
const samplesOf = async (batch = 16) => {
  const session = await createSession(net);
  await session.close();
  return withRows(samplesFor(data, session.inputs, { batch }), allRows(240));
};
const judge = { metric: accuracy, truth: "label" };
const MARGIN = { margin: 0.05 };

/** The net with one weight tensor changed. */
function withTensor(name: string, change: (values: Float32Array) => void): Model {
  const graph = net.graph as NonNullable<Model["graph"]>;
  const initializers = graph.initializers.map((tensor): Tensor => {
    if (tensor.name !== name) return tensor;
    const values = Float32Array.from(elementsOf(tensor) as Float32Array);
    change(values);
    return { ...tensor, ...tensorOf("float32", { dims: tensor.dims.map(Number), values }) };
  });
  return { ...net, graph: { ...graph, initializers } };
}

describe("judging", () => {
  test("is the same in any batch, and labels are found", async () => {
    expect(truthOf(data, ["x"])).toBe("label");
    expect(truthOf(data, ["x", "label"])).toBeNull();
    const session = await createSession(net);
    const all = await evaluate(session, await samplesOf(240), judge);
    const few = await evaluate(session, await samplesOf(7), judge);
    await session.close();
    expect(few.quality).toEqual(all.quality);
    expect(all.quality.samples).toBe(240);
  });

  test("without labels the original is the truth", async () => {
    const session = await createSession(net);
    const samples = await samplesOf();
    const unlabelled = { metric: agreement, truth: null };
    const { predictions, quality } = await evaluate(session, samples, unlabelled);
    expect(quality.value).toBe(1);
    const options = { reference: { ...predictions, data: new Float32Array(720).fill(0) } };
    const other = await evaluate(session, samples, unlabelled, options);
    await session.close();
    expect(other.quality.value).toBeLessThan(1);
  });
});

describe("three splits", () => {
  test("share no row, and use all", async () => {
    const { calibration, search, verify: last } = await threeSplits(data);
    const rows = [...calibration, ...search, ...last];
    expect(new Set(rows).size).toBe(240);
    expect(rows).toHaveLength(240);
    expect(last.length).toBeGreaterThan(search.length);
  });

  test("classes of a row or two do not empty a part", async () => {
    const labels = BigInt64Array.from({ length: 240 }, (_, row) => BigInt(Math.floor(row / 2)));
    const rare = memoryDataset("rare", [
      { name: "x", dataType: "float32", shape: [4], data: x },
      { name: "label", dataType: "int64", shape: [], data: labels },
    ]);
    const { calibration, search, verify: last } = await threeSplits(rare, { calibration: 16 });
    expect([calibration.length, search.length, last.length]).toEqual([16, 56, 168]);
  });

  test("rows that come sorted by their labels are mixed, and the first of a part are typical", async () => {
    const labels = BigInt64Array.from({ length: 240 }, (_, row) => BigInt(Math.floor(row / 60)));
    const sorted = memoryDataset("sorted", [
      { name: "x", dataType: "float32", shape: [4], data: x },
      { name: "label", dataType: "int64", shape: [], data: labels },
    ]);
    const { calibration, search } = await threeSplits(sorted);
    for (const part of [calibration, search]) {
      expect(new Set(part.slice(0, 24).map((row) => labels[row])).size).toBe(4);
    }
  });

  test("too few samples are refused unless forced", async () => {
    const few = memoryDataset("few", [
      { name: "x", dataType: "float32", shape: [4], data: x.slice(0, 40) },
    ]);
    await expect(threeSplits(few)).rejects.toThrow("10 samples, which is too few");
    const { verify: rest } = await threeSplits(few, { force: true });
    expect(rest.length).toBeGreaterThan(0);
  });
});

describe("verifying", () => {
  test("the same model is equal, one that differs by rounding too", async () => {
    const of = { samples: await samplesOf(), judge };
    expect(await verify(net, net, of, MARGIN)).toMatchObject({ verdict: "equal", faults: [] });
    const near = withTensor("hidden/weight", (values) => {
      values[0] = (values[0] ?? 0) * (1 + 1e-6);
    });
    expect((await verify(net, near, of, MARGIN)).verdict).toBe("equal");
  });

  test("a worse model is not shown, with the samples that changed most", async () => {
    const worse = withTensor("scores/bias", (values) => {
      values[0] = 50;
    });
    const found = await verify(net, worse, { samples: await samplesOf(), judge }, MARGIN);
    expect(found.verdict).toBe("not-shown");
    expect(found.difference.worst).toHaveLength(10);
    const changes = found.difference.worst.map(({ change }) => change);
    expect(changes).toEqual(changes.toSorted((a, b) => b - a));
    expect(found.test.lost).toBeGreaterThan(found.test.won);
  });

  test("what is not finite is a fault", async () => {
    const broken = withTensor("hidden/bias", (values) => {
      values[0] = Number.NaN;
    });
    const found = await verify(net, broken, { samples: await samplesOf(), judge }, MARGIN);
    expect(found).toMatchObject({ verdict: "faulty" });
    expect(found.faults[0]).toMatch("not finite");
  });

  test("ports must stay what they were", () => {
    const port = { name: "x", dataType: "float32" as const, dims: ["batch", 4] };
    const of = (change: object) => ({ inputs: [{ ...port, ...change }], outputs: [] });
    expect(portDifferences(of({}), of({ dims: [null, 4] }))).toEqual([]);
    expect(portDifferences(of({}), of({ dims: [1, 4] }))[0]).toMatch("axis 0 was batch, is 1");
    expect(portDifferences(of({}), of({ dims: [1, 4] }), true)).toEqual([]);
    expect(portDifferences(of({}), of({ dims: [2, 4] }), true)[0]).toMatch(
      "axis 0 was batch, is 2",
    );
    expect(portDifferences(of({}), of({ name: "y" }))[0]).toMatch("inputs were x, are y");
    expect(portDifferences(of({}), of({ dataType: "float16" }))[0]).toMatch("was float32");
    expect(portDifferences(of({}), of({ dims: ["batch", 4, 1] }))[0]).toMatch("2 axes, has 3");
  });
});
