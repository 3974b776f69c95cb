// What `godwit slim` does with models and samples that cannot be used, or only with care: each ends with a
// code of its own, a sentence about what is wrong, and one about what to do.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVIRONMENT, godwit } from "../../test/cli-session.ts";
import { nativeMissing } from "../../test/engines.ts";
import { operators } from "../../test/operators.ts";
import { smallVisionNet } from "../../test/small-vision.ts";
import { createNodeHost } from "../core/host/node-host.ts";
import { createRandom } from "../core/index.ts";
import { nativeRuntime } from "../engine/index.ts";
import { quantiseStatic } from "../models/compress/index.ts";
import { encodeModel, type Model, modelBuilder, type Tensor } from "../onnx/index.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-slim-faults-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Runs a command line on the real machine. */
const slim = (...args: readonly string[]) =>
  godwit(["slim", ...args], { cwd: folder, host: createNodeHost(), env: ENVIRONMENT });

const QUICK = ["--effort", "quick", "--only", "quantise", "--ledger", at("ledger"), "--quiet"];
const DATA = ["--data", "x.jsonl", "--metric", "agreement"] as const;

async function refused(args: readonly string[], code: number, words: string | RegExp) {
  const { code: got, err } = await slim(...args, ...QUICK);
  expect(err).toMatch(words);
  expect(err).toMatch(/\n {2}fix /);
  expect(err).not.toContain("godwit failed");
  expect(got).toBe(code);
}

const random = createRandom(2);

/** x [batch, 16] to y [batch, 4], by way of a layer and whatever else is asked for. */
function dense(more: (g: ReturnType<typeof modelBuilder>, y: string) => string = (_, y) => y) {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", ["batch", 16]);
  const values = Float32Array.from({ length: 64 }, () => random.normal());
  const w = g.constant("float32", { dims: [16, 4], values });
  g.output(more(g, g.op("MatMul", [x, w])), { name: "y" });
  return g.finish();
}

function writeRows(name: string, count: number, rowOf: (row: number) => unknown): void {
  const rows = Array.from({ length: count }, (_, row) => JSON.stringify(rowOf(row)));
  writeFileSync(at(name), rows.join("\n"));
}

const vector = (): readonly number[] => Array.from({ length: 16 }, () => random.normal());

describe.skipIf(nativeMissing !== null)("godwit slim refuses", () => {
  beforeAll(() => {
    writeFileSync(at("dense.onnx"), encodeModel(dense()));
    writeRows("x.jsonl", 100, () => ({ x: vector() }));
  });

  test.each([
    ["ort", Buffer.from("\x20\0\0\0ORTM and more"), /ONNX Runtime format/],
    ["pickle", Buffer.from([0x80, 2, 0x8a, 10]), /pickle/],
    ["empty", Buffer.alloc(0), /empty|no graph/i],
    ["text", Buffer.from("<html>not found</html>"), /error:/],
  ])("files of other kinds by their name: %s", async (name, bytes, words) => {
    writeFileSync(at(`${name}.onnx`), bytes);
    await refused([`${name}.onnx`, ...DATA], 4, words);
  });

  test("weights in files that are absent, too short, or beyond the folder", async () => {
    const outside = (location: string, length = 256): Uint8Array =>
      encodeModel(withDataAt(dense(), location, length));
    writeFileSync(at("absent.onnx"), outside("absent.bin"));
    await refused(["absent.onnx", ...DATA], 4, "absent.bin");
    writeFileSync(at("short.bin"), Buffer.alloc(100));
    writeFileSync(at("short.onnx"), outside("short.bin"));
    await refused(["short.onnx", ...DATA], 4, "short.bin");
    mkdirSync(at("inner"), { recursive: true });
    writeFileSync(at("secret.bin"), Buffer.alloc(256));
    for (const [file, location] of [
      ["up", "../secret.bin"],
      ["root", at("secret.bin")],
      ["link", "link.bin"],
    ] as const) {
      writeFileSync(at(`inner/${file}.onnx`), outside(location));
    }
    symlinkSync(at("secret.bin"), at("inner/link.bin"));
    await refused(["inner/up.onnx", ...DATA], 4, /outside|beyond|leaves/);
    await refused(["inner/root.onnx", ...DATA], 4, /outside|beyond|absolute/);
    await refused(["inner/link.onnx", ...DATA], 4, /outside|beyond|link/);
  });

  test("places that cannot be written, before any work, and the original as its own result", async () => {
    const wrong = (args: readonly string[], words: string) =>
      refused(["dense.onnx", ...DATA, ...args], 64, words);
    mkdirSync(at("taken"), { recursive: true });
    await wrong(["-o", "taken"], "--out: cannot write to");
    await wrong(["-o", "no/such.onnx"], `there is no folder ${at("no")}`);
    await wrong(["--report", "no/such.html"], "--report: cannot write");
    await wrong(["-o", "dense.onnx"], "dense.onnx is the model that is read");
    symlinkSync(at("dense.onnx"), at("alias.onnx"));
    await wrong(["-o", "alias.onnx"], "alias.onnx is the model that is read");
    expect(readdirSync(folder).filter((name) => name.endsWith(".slim"))).toEqual([]);
  });

  test("values that are none, told as such", async () => {
    const wrong = async (args: readonly string[], words: string): Promise<void> => {
      const { code, err } = await slim(...args);
      expect([code, err]).toEqual([64, expect.stringMatching(words)]);
      expect(err).toMatch(/\n {2}fix /);
    };
    const out = ["-o", "out.onnx"] as const;
    await wrong(["dense.onnx", ...DATA, "--max-drop", "NaN"], "--max-drop: cannot read");
    await wrong(["dense.onnx", ...DATA, "--seed", "abc"], "--seed: cannot read");
    await wrong(["dense.onnx", ...DATA, "--batch", "1e99"], "--batch: cannot read");
    await wrong(["quantise", "dense.onnx", ...out, "--scale", "abc"], "--scale: cannot read");
    await wrong(["prune", "dense.onnx", ...out, "--ratio", "0.5", "--align", "0"], "--align");
    await wrong(["prune", "dense.onnx", ...out, "--ratio", "0.5", "--align", "x"], "--align");
    const taught = ["distil", "dense.onnx", "--teacher", "dense.onnx", ...out] as const;
    await wrong([...taught, "--temperature", "0"], "--temperature: cannot read");
    await wrong(
      ["quantise", "dense.onnx", "--how", "dynamic", ...out, "--keep-float", "nope"],
      '--keep-float: no node is called "nope"',
    );
  });

  test("operators that no runtime knows, in the runtime's own words", async () => {
    const model = dense();
    const [node] = model.graph?.nodes ?? [];
    if (node === undefined || model.graph === undefined) throw new RangeError("no nodes");
    const odd = { ...node, opType: "Fold", domain: "my.own" };
    const opsetImports = [...model.opsetImports, { domain: "my.own", version: 1n }];
    const graph = { ...model.graph, nodes: [odd, ...model.graph.nodes.slice(1)] };
    writeFileSync(at("custom.onnx"), encodeModel({ ...model, opsetImports, graph } as Model));
    await refused(["custom.onnx", ...DATA], 4, /Fold/);
  });

  test("samples whose columns, ranks or sizes do not fit, with what was expected and what came", async () => {
    writeRows("name.jsonl", 100, () => ({ width: vector(), height: vector() }));
    await refused(["dense.onnx", "--data", "name.jsonl"], 5, /expects x .*has width .*height/s);
    writeRows("size.jsonl", 100, () => ({ x: vector().slice(1) }));
    await refused(["dense.onnx", "--data", "size.jsonl"], 5, /15.*16|16.*15/s);
    writeRows("rank.jsonl", 100, () => ({ x: [vector(), vector()] }));
    await refused(["dense.onnx", "--data", "rank.jsonl"], 5, /fit|rank|axes/);
    writeRows("words.jsonl", 100, () => ({ x: "a word" }));
    await refused(["dense.onnx", "--data", "words.jsonl"], 5, /string/);
  });

  test("no samples, and one", async () => {
    writeFileSync(at("none.jsonl"), "");
    await refused(["dense.onnx", "--data", "none.jsonl", "--metric", "agreement"], 5, /no |empty/);
    writeRows("one.jsonl", 1, () => ({ x: vector() }));
    await refused(
      ["dense.onnx", "--data", "one.jsonl", "--metric", "agreement"],
      5,
      /few|1 sample/,
    );
  });

  test("an input that is the same in all samples", async () => {
    const same = vector();
    writeRows("same.jsonl", 100, () => ({ x: same }));
    await refused(
      ["dense.onnx", "--data", "same.jsonl", "--metric", "agreement"],
      5,
      /same|constant/,
    );
  });

  test("outputs of the original that are not finite", async () => {
    writeFileSync(at("log.onnx"), encodeModel(dense((g, y) => g.op("Log", [y]))));
    await refused(["log.onnx", ...DATA], 5, /outputs of the original are not finite: "y"/);
  });

  test("a model that draws random numbers", async () => {
    const drawing = dense((g, y) => g.op("Add", [y, g.op("RandomNormalLike", [y])]));
    writeFileSync(at("random.onnx"), encodeModel(drawing));
    writeRows("target.jsonl", 100, () => ({ x: vector(), target: vector().slice(0, 4) }));
    const args = ["random.onnx", "--data", "target.jsonl", "--metric", "mse"];
    await refused(args, 5, /on the same samples/);
  });
});

describe.skipIf(nativeMissing !== null)("godwit slim goes on", () => {
  test("with samples that are not finite where that is asked for", async () => {
    writeFileSync(
      at("odd.mjs"),
      `export function* samples() {
        for (let row = 0; row < 100; row++) {
          const data = Float32Array.from({ length: 16 }, (_, at) => Math.sin(row * 16 + at));
          if (row === 50) data[3] = Infinity;
          yield { x: { dataType: "float32", dims: [16], data } };
        }
      }`,
    );
    const args = ["--data", "odd.mjs", "--metric", "agreement"] as const;
    await refused(["dense.onnx", ...args], 5, /holds Infinity/);
    const { code, err } = await slim("dense.onnx", ...args, "--allow-nonfinite-inputs", ...QUICK);
    expect(err).not.toContain("holds Infinity");
    expect(err).not.toContain("godwit failed");
    // What an infinite sample leads to may still be refused, by its name.
    if (code === 5) expect(err).toMatch(/not finite/);
    else expect([0, 2, 3]).toContain(code);
  });

  test("past a model that is in 8 bits already, which it simplifies and says so", async () => {
    const net = smallVisionNet();
    const context = {
      ...{ operators, runtime: nativeRuntime(), seed: 1 },
      async *calibration() {
        const data = Float32Array.from({ length: 144 }, () => random.normal());
        yield { image: { dataType: "float32" as const, dims: [1, 1, 12, 12], data } };
      },
    };
    const { model } = await quantiseStatic.apply(net, context, undefined);
    writeFileSync(at("int8.onnx"), encodeModel(model));
    writeRows("image.jsonl", 100, () => ({
      image: [Array.from({ length: 12 }, () => Array.from({ length: 12 }, () => random.normal()))],
    }));
    const args = ["int8.onnx", "--data", "image.jsonl", "--metric", "agreement", "--json"];
    const { out, code } = await slim(...args, ...QUICK);
    const report = JSON.parse(out);
    expect([0, 2, 3]).toContain(code);
    expect(JSON.stringify(report.refused)).toMatch(/quantised already/);
    for (const { steps } of report.candidates) {
      expect(JSON.stringify(steps)).not.toContain("quantise-static");
    }
  }, 60_000);
});

/** The model with its first weight in a file. */
function withDataAt(model: Model, location: string, length: number): Model {
  const { graph } = model;
  const [first, ...rest] = graph?.initializers ?? [];
  if (graph === undefined || first === undefined) throw new RangeError("no weights");
  const entries = [
    { key: "location", value: location },
    { key: "length", value: String(length) },
  ];
  const outside: Tensor = { ...first, data: { kind: "external", entries } };
  return { ...model, graph: { ...graph, initializers: [outside, ...rest] } };
}
