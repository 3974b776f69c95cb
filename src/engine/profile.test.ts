import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../test/engines.ts";
import { netOfOneImage } from "../../test/net-of-one-image.ts";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";
import { profileModel } from "./profile.ts";
import { readTrace } from "./profile-trace.ts";

const event = (name: string, dur: number, index: number): object => ({
  cat: "Node",
  name: `${name}_kernel_time`,
  dur,
  args: {
    op_name: "MatMul",
    provider: "CPUExecutionProvider",
    node_index: String(index),
    input_type_shape: [{ float: [2, 3] }, { float: [] }],
    output_type_shape: [{ float: [2] }],
    parameter_size: "12",
    output_size: "8",
  },
});
const run = (dur: number): object => ({ cat: "Session", name: "model_run", dur });

describe("the trace of ONNX Runtime", () => {
  const trace = readTrace(
    JSON.stringify([
      { cat: "Session", name: "session_initialization", dur: 500 },
      ...[event("a", 900, 0), run(950)],
      ...[event("a", 10, 0), event("b", 3, 1), event("b", 4, 1), run(20)],
      ...[event("a", 14, 0), event("b", 5, 1), run(26)],
      ...[event("a", 12, 0), event("b", 6, 1), run(22)],
      // A run that did not end.
      event("a", 1, 0),
    ]),
    1,
  );

  test("gives the least and the median of each node, warm-up left out", () => {
    expect(trace.nodes.map(({ name, least, median }) => [name, least, median])).toEqual([
      ["a", 10e-6, 12e-6],
      ["b", 5e-6, 6e-6],
    ]);
    expect(trace.runs).toEqual([20e-6, 26e-6, 22e-6]);
  });

  test("keeps types, shapes and bytes", () => {
    expect(trace.nodes[0]).toMatchObject({
      operator: "MatMul",
      inputs: ["float [2, 3]", "float []"],
      outputs: ["float [2]"],
      weightBytes: 12,
      outputBytes: 8,
    });
  });
});

describe.skipIf(nativeMissing !== null)("a profile", () => {
  test("finds fused nodes again whose own names have scopes", async () => {
    const model = netOfOneImage("mobilenet-v1-small", { size: 32 });
    const image = { dims: [1, 3, 32, 32], data: new Float32Array(3 * 32 * 32) };
    const { nodes } = await profileModel(model, { image: { dataType: "float32", ...image } });
    const own = new Set(model.graph?.nodes.map(({ name }) => name));
    const convolutions = nodes.filter(({ operator }) => operator === "Conv");
    expect(convolutions).toHaveLength(11);
    for (const { origin } of convolutions) expect(own).toContain(origin);
  });

  const model = graphLiteral(
    [
      node("MatMul", ["a", "b"], ["c"], { name: "product" }),
      node("Erf", ["c"], ["d"]),
      node("Neg", ["d"], ["e"], { name: "product" }),
    ],
    [port("a", "float32", ["n", "n"]), port("b", "float32", ["n", "n"])],
    [port("e", "float32", ["n", "n"])],
  );
  const square = {
    dataType: "float32",
    dims: [128, 128],
    data: new Float32Array(128 * 128),
  } as const;

  test("times each node by name, even where the model names none or two alike", async () => {
    const profile = await profileModel(model, { a: square, b: square }, { threads: 1, runs: 5 });
    expect(profile.nodes.map(({ origin }) => origin)).toEqual(["product", "Erf_1", "Neg_2"]);
    expect(profile.runs).toHaveLength(5);
    expect(profile.nodes[0]?.outputs).toEqual(["float [128, 128]"]);
    const inNodes = profile.nodes.reduce((sum, { least }) => sum + least, 0);
    expect(inNodes).toBeGreaterThan(0);
    expect(inNodes).toBeLessThanOrEqual(Math.min(...profile.runs));
  });

  test("leaves no file behind", async () => {
    const folders = () =>
      readdirSync(tmpdir()).filter((name) => name.startsWith("godwit-profile-"));
    const before = folders();
    await profileModel(model, { a: square, b: square }, { threads: 1, runs: 1 });
    await expect(profileModel(model, { a: square }, { threads: 1 })).rejects.toThrow(
      'needs input "b"',
    );
    expect(folders()).toEqual(before);
  });

  test("is not to be had from WebAssembly", async () => {
    const runtime = {
      name: "onnxruntime-web",
      load: async () => ({
        version: "0",
        opensFiles: false,
        threads: () => 1,
        writesInto: () => false,
        create: () => Promise.reject(new Error("not to be called")),
        tensor: (value: never) => value,
      }),
    } as const;
    await expect(profileModel(model, {}, { runtime })).rejects.toThrow("does not profile");
  });

  test.skipIf(!modelNames.includes("mnist_8.onnx"))(
    "finds what fused nodes stem from",
    async () => {
      const feeds = { Input3: new Float32Array(28 * 28) };
      const { nodes } = await profileModel(modelFile("mnist_8.onnx"), feeds, {
        threads: 1,
        runs: 2,
      });
      const heavy = nodes.filter(({ operator }) => ["Conv", "MaxPool", "Gemm"].includes(operator));
      expect(heavy.length).toBe(5);
      for (const { origin } of heavy) expect(origin).not.toBeNull();
    },
  );
});
