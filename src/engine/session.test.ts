import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeMissing, wasmMissing } from "../../test/engines.ts";
import { faultOf, halve, product, sessionOpener } from "../../test/session-rig.ts";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { encodeModel, tensorOf } from "../onnx/index.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";
import { createSession } from "./session.ts";

const open = sessionOpener();

describe.skipIf(nativeMissing !== null)("a session on native code", () => {
  test("takes bare arrays where the graph leaves one size open, and gives tensors by name", async () => {
    const session = await open(halve);
    const { y } = await session.run({
      x: Float32Array.of(2, 4, 6, 8),
      b: Float32Array.of(1, -1),
    });
    expect(y).toEqual({ dataType: "float32", dims: [2, 2], data: Float32Array.of(2, 1, 4, 3) });
  });

  test("says what it runs with: not spinning, everything optimised, threads as given", async () => {
    const session = await open(halve, { threads: 2 });
    expect(session.settings).toMatchObject({
      threads: 2,
      spinning: false,
      optimisation: "all",
      runtime: "onnxruntime-node",
      fallback: null,
    });
    expect(session.settings.version).toMatch(/^1\.\d+/);
  });

  test("lists its ports, and tells a scalar from a value of unknown rank", async () => {
    const model = graphLiteral(
      [node("Identity", ["s"], ["t"]), node("Relu", ["u"], ["v"])],
      [port("s", "int64", []), port("u", "float32")],
      [port("t", "int64", []), { name: "v", metadata: [] }],
    );
    const session = await open(model);
    expect(session.inputs).toEqual([
      { name: "s", dataType: "int64", dims: [] },
      { name: "u", dataType: "float32", dims: null },
    ]);
    expect(session.outputs.map(({ dims }) => dims)).toEqual([[], null]);
  });

  test.each([
    ["float32", Float32Array.of(1.5)],
    ["float64", Float64Array.of(Math.PI)],
    ["float16", Uint16Array.of(0x3c01)],
    ["int8", Int8Array.of(-128)],
    ["uint8", Uint8Array.of(255)],
    ["bool", Uint8Array.of(1)],
    ["int16", Int16Array.of(-32768)],
    ["uint16", Uint16Array.of(65535)],
    ["int32", Int32Array.of(-5)],
    ["uint32", Uint32Array.of(2 ** 32 - 1)],
    ["int64", BigInt64Array.of(-(2n ** 63n))],
    ["uint64", BigUint64Array.of(2n ** 64n - 1n)],
    ["string", ["Uferschnepfe \u{1F426}"]],
  ] as const)("passes %s through unchanged", async (dataType, data) => {
    const model = graphLiteral(
      [node("Identity", ["x"], ["y"])],
      [port("x", dataType, [1])],
      [port("y", dataType, [1])],
    );
    const session = await open(model);
    expect((await session.run({ x: data }))["y"]).toEqual({ dataType, dims: [1], data });
  });

  test("passes tensors without elements", async () => {
    const session = await open(halve);
    const x = { dataType: "float32", dims: [0, 2], data: new Float32Array(0) } as const;
    expect((await session.run({ x, b: Float32Array.of(1, 1) }))["y"]?.dims).toEqual([0, 2]);
  });

  test("gives the same numbers for a path, its bytes and the model itself", async () => {
    const folder = mkdtempSync(join(tmpdir(), "godwit-session-"));
    const path = join(folder, "halve.onnx");
    const bytes = encodeModel(halve);
    writeFileSync(path, bytes);
    const feeds = { x: Float32Array.of(3, 5), b: Float32Array.of(0, 0) };
    try {
      for (const source of [path, bytes, halve]) {
        const session = await open(source);
        expect((await session.run(feeds))["y"]?.data).toEqual(Float32Array.of(1.5, 2.5));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("computes only the outputs asked for", async () => {
    const model = graphLiteral(
      [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["z"])],
      [port("x", "float32", [1])],
      [port("y", "float32", [1]), port("z", "float32", [1])],
    );
    const session = await open(model);
    const outputs = await session.run({ x: Float32Array.of(2) }, { outputs: ["z"] });
    expect(Object.keys(outputs)).toEqual(["z"]);
  });

  test("leaves out sequences, which JavaScript cannot be handed, and gives the tensors", async () => {
    const model = graphLiteral(
      [node("SequenceConstruct", ["x", "x"], ["s"]), node("Neg", ["x"], ["y"])],
      [port("x", "float32", [1])],
      [{ name: "s", metadata: [] }, port("y", "float32", [1])],
    );
    const session = await open(model);
    expect(Object.keys(await session.run({ x: Float32Array.of(1) }))).toEqual(["y"]);
  });

  test("runs of two sessions at once do not mix", async () => {
    const [left, right] = [await open(halve), await open(halve)];
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const session = index % 2 === 0 ? left : right;
        const { y } = await session.run({ x: Float32Array.of(index, 0), b: new Float32Array(2) });
        return y?.data[0];
      }),
    );
    expect(results).toEqual(results.map((_, index) => index / 2));
  });

  test("waits for runs under way when it is closed, then refuses more", async () => {
    const session = await createSession(halve, { threads: 1 });
    const feeds = { x: Float32Array.of(2, 2), b: new Float32Array(2) };
    const running = session.run(feeds);
    await Promise.all([session.close(), session.close()]);
    expect((await running)["y"]?.data).toEqual(Float32Array.of(1, 1));
    expect((await faultOf(session.run(feeds))).message).toContain("closed");
  });

  test("does not begin what is aborted already", async () => {
    const session = await open(halve);
    const signal = AbortSignal.abort(new Error("no need"));
    await expect(session.run({}, { signal })).rejects.toThrow("no need");
  });
});

describe.skipIf(nativeMissing !== null)("outputs written to given arrays", () => {
  test("are computed there, shared memory included", async () => {
    const session = await open(halve);
    const data = new Float32Array(new SharedArrayBuffer(8));
    const target = { dataType: "float32", dims: [1, 2], data } as const;
    const feeds = { x: Float32Array.of(8, 6), b: new Float32Array(2) };
    const { y } = await session.run(feeds, { into: { y: target } });
    expect(y).toBe(target);
    expect([...data]).toEqual([4, 3]);
  });

  test("may be halves, which the native binding cannot write itself", async () => {
    const model = graphLiteral(
      [node("Add", ["x", "x"], ["y"])],
      [port("x", "float16", [1])],
      [port("y", "float16", [1])],
    );
    const session = await open(model);
    const data = new Uint16Array(1);
    await session.run({ x: Uint16Array.of(0x3c00) }, { into: { y: data } });
    expect(data[0]).toBe(0x4000);
  });

  test("may be an input, for updates element by element, whatever is fed", async () => {
    // The first moment of Adam: m' = b1 m + (1 - b1) g.
    const moment = graphLiteral(
      [
        node("Mul", ["m", "b1"], ["kept"]),
        node("Mul", ["g", "rest"], ["new"]),
        node("Add", ["kept", "new"], ["m2"]),
        node("Neg", ["m2"], ["step"]),
      ],
      [port("m", "float32", ["n"]), port("g", "float32", ["n"])],
      [port("m2", "float32", ["n"]), port("step", "float32", ["n"])],
      [
        tensorOf("float32", { name: "b1", dims: [], values: [0.75] }),
        tensorOf("float32", { name: "rest", dims: [], values: [0.25] }),
      ],
    );
    const session = await open(moment, { threads: 2 });
    const values = fc.float({ noNaN: true, min: -1000, max: 1000 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(values, values), { minLength: 1, maxLength: 4000 }),
        async (pairs) => {
          const m = Float32Array.from(pairs, ([first]) => first);
          const g = Float32Array.from(pairs, ([, second]) => second);
          const apart = await session.run({ m, g });
          const data = m.slice();
          const target = { dataType: "float32", dims: [data.length], data } as const;
          const inPlace = await session.run({ m: data, g }, { into: { m2: target } });
          expect(data).toEqual(apart["m2"]?.data);
          expect(inPlace["step"]).toEqual(apart["step"]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("are refused over an input that is read again, and over a part of one", async () => {
    const session = await open(product);
    const a = { dataType: "float32", dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) } as const;
    const fault = await faultOf(
      session.run({ a, b: { ...a, data: new Float32Array(4) } }, { into: { c: a } }),
    );
    expect(fault.message).toContain('"mm" (MatMul) does not go element by element');

    const whole = new Float32Array(8);
    const parts = {
      a: { ...a, data: whole.subarray(0, 4) },
      c: { ...a, data: whole.subarray(2, 6) },
    };
    const partial = await faultOf(session.run({ a: parts.a, b: a }, { into: { c: parts.c } }));
    expect(partial.message).toContain("a part of input");

    const two = await open(
      graphLiteral(
        [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["z"])],
        [port("x", "float32", [1])],
        [port("y", "float32", [1]), port("z", "float32", [1])],
      ),
    );
    const same = new Float32Array(1);
    const both = await faultOf(two.run({ x: Float32Array.of(1) }, { into: { y: same, z: same } }));
    expect(both.message).toContain('outputs "z" and "y"');
  });

  test("of another size are refused with both sizes", async () => {
    const session = await open(product);
    const a = { dataType: "float32", dims: [2, 2], data: new Float32Array(4) } as const;
    const c = { dataType: "float32", dims: [2, 3], data: new Float32Array(6) } as const;
    const fault = await faultOf(session.run({ a, b: a }, { into: { c } }));
    expect(fault.message).toContain('output "c" is [2, 2] in this run');
    expect(fault.message).toContain("[2, 3]");
  });
});

describe.skipIf(nativeMissing !== null)("sizes written into the model", () => {
  test("bind a name everywhere, so that ONNX Runtime sees fixed shapes", async () => {
    const session = await open(product, { dimensions: { m: 2, k: 3, n: 4 } });
    expect(session.inputs.map(({ dims }) => dims)).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(session.outputs[0]?.dims).toEqual([2, 4]);
    const { c } = await session.run({ a: new Float32Array(6), b: new Float32Array(12) });
    expect(c?.dims).toEqual([2, 4]);
  });

  test("come by whole shapes as well, and must agree", async () => {
    const session = await open(product, { shapes: { a: [2, 3] }, dimensions: { n: 1 } });
    expect(session.inputs[1]?.dims).toEqual([3, 1]);
    const clash = await faultOf(createSession(product, { shapes: { a: [2, 3], b: [4, 1] } }));
    expect(clash.message).toContain('makes "k" 4, but it is 3');
    const unknown = await faultOf(createSession(product, { dimensions: { batch: 1 } }));
    expect(unknown.hint).toContain("m, k, n");
    const fixed = await faultOf(createSession(halve, { shapes: { b: [3] } }));
    expect(fixed.message).toContain("is [2] and cannot be [3]");
  });
});

describe.skipIf(nativeMissing !== null)("memory", () => {
  test("is given back by sessions that are closed", async () => {
    const weights = new Float32Array(256 * 256).fill(0.1);
    const model = encodeModel(
      graphLiteral(
        [node("MatMul", ["x", "w"], ["y"])],
        [port("x", "float32", ["n", 256])],
        [port("y", "float32", ["n", 256])],
        [tensorOf("float32", { name: "w", dims: [256, 256], values: weights })],
      ),
    );
    const cycle = async (count: number) => {
      for (let turn = 0; turn < count; turn++) {
        const session = await createSession(model, { threads: 2 });
        await session.run({ x: new Float32Array(256) });
        await session.close();
      }
    };
    await cycle(60);
    const before = process.memoryUsage.rss();
    await cycle(150);
    // A session that is not closed keeps about 0.5 MB: 75 MB for these.
    expect(process.memoryUsage.rss() - before).toBeLessThan(25e6);
  });

  test("does not grow over 10,000 runs", async () => {
    const session = await open(product);
    const run = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn++) {
        const a = { dataType: "float32", dims: [1, 256], data: new Float32Array(256) } as const;
        const b = { dataType: "float32", dims: [256, 8], data: new Float32Array(2048) } as const;
        await session.run({ a, b });
      }
    };
    await run(2_000);
    const before = process.memoryUsage.rss();
    await run(10_000);
    // A run that keeps its inputs keeps 9 kB: 92 MB for these. What is seen is the collector's slack.
    expect(process.memoryUsage.rss() - before).toBeLessThan(30e6);
  });
});

const SAME_ON_BOTH = ["mnist_8.onnx", "light_squeezenet.onnx"].filter((name) =>
  modelNames.includes(name),
);

describe.skipIf(nativeMissing !== null || wasmMissing !== null)("WebAssembly", () => {
  test("runs the same graph, on one thread, and says so", async () => {
    const session = await open(halve, { runtime: "onnxruntime-web", threads: 4 });
    expect(session.settings).toMatchObject({ runtime: "onnxruntime-web", threads: 1 });
    const data = new Float32Array(2);
    const target = { dataType: "float32", dims: [1, 2], data } as const;
    await session.run(
      { x: Float32Array.of(8, 6), b: new Float32Array(2) },
      { into: { y: target } },
    );
    expect([...data]).toEqual([4, 3]);
  });

  test.each(SAME_ON_BOTH)("agrees with native code on %s", async (name) => {
    const [native, wasm] = [
      await open(modelFile(name), { runtime: "onnxruntime-node" }),
      await open(modelFile(name), { runtime: "onnxruntime-web" }),
    ];
    const [input] = native.inputs;
    const dims = (input?.dims ?? []).map((size) => (typeof size === "number" ? size : 1));
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.sin(i),
    );
    const feeds = { [input?.name ?? ""]: { dataType: "float32", dims, data } } as const;
    const [first] = native.outputs;
    const [a, b] = [await native.run(feeds), await wasm.run(feeds)].map(
      (outputs) => outputs[first?.name ?? ""]?.data as Float32Array,
    );
    const largest = Math.max(...(a ?? []).map(Math.abs));
    expect(a?.length).toBeGreaterThan(0);
    a?.forEach((value, index) => {
      expect(Math.abs(value - (b?.[index] ?? Number.NaN))).toBeLessThan(1e-4 * largest);
    });
  });
});
