import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../test/engines.ts";
import { UserError } from "../core/index.ts";
import { encodeModel } from "../onnx/index.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";
import { createWorkerSession, type WorkerSession } from "./worker-session.ts";

const double = graphLiteral(
  [node("Add", ["x", "x"], ["y"])],
  [port("x", "float32", ["n"])],
  [port("y", "float32", ["n"])],
);

/** A chain of products, slow enough to be interrupted. */
const slow = graphLiteral(
  Array.from({ length: 40 }, (_, step) =>
    node("MatMul", [step === 0 ? "a" : `v${step}`, "a"], [`v${step + 1}`]),
  ),
  [port("a", "float32", ["n", "n"])],
  [port("v40", "float32", ["n", "n"])],
);
const SIDE = 400;
const square = () =>
  ({ dataType: "float32", dims: [SIDE, SIDE], data: new Float32Array(SIDE * SIDE) }) as const;

describe.skipIf(nativeMissing !== null)("a session on its own thread", () => {
  let doubling: WorkerSession;
  let slowly: WorkerSession;
  beforeAll(async () => {
    doubling = await createWorkerSession(double, { threads: 1 });
    slowly = await createWorkerSession(slow, { threads: 1 });
  });
  afterAll(async () => {
    await Promise.all([doubling.close(), slowly.close()]);
  });

  test("has the face and the numbers of a session on this one", async () => {
    expect(doubling.inputs).toEqual([{ name: "x", dataType: "float32", dims: ["n"] }]);
    expect(doubling.settings).toMatchObject({ threads: 1, runtime: "onnxruntime-node" });
    const { y } = await doubling.run({ x: Float32Array.of(1, 2) });
    expect(y).toEqual({ dataType: "float32", dims: [2], data: Float32Array.of(2, 4) });
  });

  test("leaves the event loop free while it computes", async () => {
    let ticks = 0;
    let done = false;
    const tick = (): void => {
      ticks++;
      if (!done) setImmediate(tick);
    };
    setImmediate(tick);
    await slowly.run({ a: square() });
    done = true;
    // On this thread the whole run would take place within one turn.
    expect(ticks).toBeGreaterThan(20);
  });

  test("does not copy what is given away or shared", async () => {
    const given = Float32Array.of(1, 2, 3);
    const { y } = await doubling.run({ x: given }, { memory: "give" });
    expect(given.length).toBe(0);
    expect(y?.data).toEqual(Float32Array.of(2, 4, 6));

    const kept = Float32Array.of(1, 2, 3);
    await doubling.run({ x: kept });
    expect([...kept]).toEqual([1, 2, 3]);

    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([5, 7]);
    const target = new Float32Array(new SharedArrayBuffer(8));
    const into = { y: { dataType: "float32", dims: [2], data: target } } as const;
    const outputs = await doubling.run({ x: shared }, { into });
    expect([...target]).toEqual([10, 14]);
    expect(outputs["y"]?.data).toEqual(target);
  });

  test("updates shared memory in place", async () => {
    const data = new Float32Array(new SharedArrayBuffer(4)).fill(1);
    const state = { dataType: "float32", dims: [1], data } as const;
    for (let step = 0; step < 10; step++) await doubling.run({ x: state }, { into: { y: state } });
    expect(data[0]).toBe(1024);
  });

  test("writes to arrays of this thread as well, and refuses those of another size", async () => {
    const data = new Float32Array(2);
    const into = { y: { dataType: "float32", dims: [2], data } } as const;
    const { y } = await doubling.run({ x: Float32Array.of(3, 4) }, { into });
    expect(y?.data).toBe(data);
    expect([...data]).toEqual([6, 8]);
    await expect(doubling.run({ x: Float32Array.of(3) }, { into })).rejects.toThrow(
      "is [1] in this run",
    );
  });

  test("rejects an aborted run at once, leaves out those that wait, and goes on", async () => {
    const first = new AbortController();
    const second = new AbortController();
    const runs = [first, second].map(({ signal }) => slowly.run({ a: square() }, { signal }));
    const outcomes = Promise.allSettled(runs);
    second.abort(new Error("second"));
    first.abort(new Error("first"));
    const reasons = (await outcomes).map((run) => (run.status === "rejected" ? run.reason : null));
    expect(reasons).toEqual([new Error("first"), new Error("second")]);
    const { v40 } = await slowly.run({ a: square() });
    expect(v40?.dims).toEqual([SIDE, SIDE]);
  });

  test("answers in order, whatever comes together", async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) => doubling.run({ x: Float32Array.of(index) })),
    );
    expect(results.map(({ y }) => y?.data[0])).toEqual(results.map((_, index) => 2 * index));
  });

  test("takes another model on the same thread, and keeps the old one where it is refused", async () => {
    const triple = graphLiteral(
      [node("Sum", ["a", "a", "a"], ["b"])],
      [port("a", "float32", ["n"])],
      [port("b", "float32", ["n"])],
    );
    const odd = graphLiteral([node("Nothing", ["x"], ["y"])], [], []);
    const session = await createWorkerSession(double, { threads: 1 });
    const before = session.run({ x: Float32Array.of(2) });
    await session.load(triple);
    expect((await before)["y"]?.data).toEqual(Float32Array.of(4));
    expect(session.outputs.map(({ name }) => name)).toEqual(["b"]);
    await expect(session.load(odd)).rejects.toThrow(UserError);
    const { b } = await session.run({ a: Float32Array.of(2) });
    expect(b?.data).toEqual(Float32Array.of(6));
    await session.close();
    await expect(session.load(double)).rejects.toThrow("closed");
  });

  test("works beside another one", async () => {
    const results = await Promise.all([
      slowly.run({ a: square() }),
      doubling.run({ x: Float32Array.of(2) }),
    ]);
    expect(results.map((outputs) => Object.keys(outputs))).toEqual([["v40"], ["y"]]);
  });

  test("ends runs under way when it is closed, then refuses more", async () => {
    const session = await createWorkerSession(double, { threads: 1 });
    const running = session.run({ x: Float32Array.of(4) });
    await Promise.all([session.close(), session.close()]);
    expect((await running)["y"]?.data).toEqual(Float32Array.of(8));
    await expect(session.run({ x: Float32Array.of(4) })).rejects.toThrow("is closed");
  });

  test("carries errors over with their hints, from loading and from running", async () => {
    const wrong = graphLiteral(
      [node("Frob", ["x"], ["y"])],
      double.graph?.inputs ?? [],
      double.graph?.outputs ?? [],
    );
    const loading = await createWorkerSession(wrong).catch((error: unknown) => error);
    expect(loading).toBeInstanceOf(UserError);
    expect(loading).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("Frob"),
    });

    const a = { dataType: "float32", dims: [2, 3], data: new Float32Array(6) } as const;
    const running = await slowly.run({ a }).catch((error: unknown) => error);
    expect(running).toBeInstanceOf(UserError);
    expect(running).toMatchObject({ message: expect.stringContaining("MatMul") });
  });

  test("gives its memory back", async () => {
    const model = encodeModel(double);
    const cycle = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn++) {
        const session = await createWorkerSession(model, { threads: 1 });
        await session.run({ x: new Float32Array(10_000_000).fill(1) }, { memory: "give" });
        await session.close();
      }
    };
    await cycle(1);
    const before = process.memoryUsage.rss();
    await cycle(6);
    // Each turn makes 80 MB of input and output; they wait for the garbage collector only.
    expect(process.memoryUsage.rss() - before).toBeLessThan(250e6);
  });

  test("does not grow over 10,000 runs", async () => {
    const session = await createWorkerSession(encodeModel(double), { threads: 1 });
    const run = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn++) await session.run({ x: new Float32Array(2048) });
    };
    await run(2_000);
    const before = process.memoryUsage.rss();
    await run(10_000);
    await session.close();
    // Keeping input and output would be 160 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(50e6);
  });
});

describe.skipIf(nativeMissing !== null)("a process that ends while a graph runs", () => {
  const script = (ending: string): string => `
    import { createWorkerSession } from "./worker-session.ts";
    import { graphLiteral, node, port } from "./graph-literal.ts";
    const steps = Array.from({ length: 40 }, (_, i) => node("MatMul", [i === 0 ? "a" : "v" + i, "a"], ["v" + (i + 1)]));
    const model = graphLiteral(steps, [port("a", "float32", ["n", "n"])], [port("v40", "float32", ["n", "n"])]);
    const session = await createWorkerSession(model, { threads: 1 });
    const a = { dataType: "float32", dims: [400, 400], data: new Float32Array(160000) };
    ${ending}`;
  const endOf = (ending: string) =>
    spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", script(ending)], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      encoding: "utf8",
    });

  test.each([
    ["exits", "void session.run({ a }); setTimeout(() => process.exit(3), 20);", 3],
    [
      "aborts the run and falls off its end",
      "const c = new AbortController(); session.run({ a }, { signal: c.signal }).catch(() => {}); setTimeout(() => c.abort(), 20);",
      0,
    ],
    ["forgets to close the session", "await session.run({ a });", 0],
  ])("that %s does so in order", (_, ending, status) => {
    const end = endOf(ending);
    expect(end.stderr).toBe("");
    expect(end.status).toBe(status);
  });
});
