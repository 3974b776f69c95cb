import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVIRONMENT, godwit } from "../../test/cli-session.ts";
import { smallPictures, smallVisionNet } from "../../test/small-vision.ts";
import { createNodeHost } from "../core/host/node-host.ts";
import { createSession } from "../engine/index.ts";
import { predict, samplesFor, withRows } from "../models/compress/index.ts";
import { allRows } from "../models/data/index.ts";
import { encodeModel, type Model } from "../onnx/index.ts";
import type { SlimReport } from "../report/slim/report.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-slim-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Runs a command line on the real machine. */
const run = (...args: readonly string[]) =>
  godwit(args, { cwd: folder, host: createNodeHost(), env: ENVIRONMENT });
const slim = (...args: readonly string[]) => run("slim", ...args);

/** A card of the ledger. */
async function cardOf(id: string) {
  const { out } = await run("show", id, "--json", "--ledger", at("ledger"));
  return JSON.parse(out);
}

const net = smallVisionNet();
const COUNT = 260;

/** Pictures as a JSON lines file, with what the net says of them as labels where they are wanted. */
async function writePictures(name: string, labelled: "right" | "wrong" | "none", count = COUNT) {
  const plain = smallPictures(count, null);
  const session = await createSession(net);
  const samples = withRows(samplesFor(plain, session.inputs, { batch: 64 }), allRows(count));
  const { data } = await predict(session, samples);
  await session.close();
  const rows = await plain.batch(allRows(count));
  const pixels = rows.get("image")?.data as Float32Array;
  const lines = allRows(count).map((row) => {
    const scores = [...(data as Float32Array).subarray(row * 4, row * 4 + 4)];
    const best = scores.indexOf(Math.max(...scores));
    const own = [...pixels.subarray(row * 144, (row + 1) * 144)].map((value) =>
      Number(value.toFixed(4)),
    );
    const image = [Array.from({ length: 12 }, (_, line) => own.slice(line * 12, line * 12 + 12))];
    if (labelled === "none") return JSON.stringify({ image });
    return JSON.stringify({ image, label: labelled === "right" ? best : (best + 1) % 4 });
  });
  writeFileSync(at(name), lines.join("\n"));
}

const QUICK = ["--effort", "quick", "--only", "quantise", "--ledger", at("ledger"), "--quiet"];

beforeAll(async () => {
  writeFileSync(at("net.onnx"), encodeModel(net));
  await writePictures("right.jsonl", "right");
});

/** One card of the search, and one of each model where a result was written. */
async function expectCards({ cards, energy, original, result }: SlimReport): Promise<void> {
  const [search, ...models] = await Promise.all(cards.toReversed().map(({ id }) => cardOf(id)));
  expect(search.subject.name).toBe("slim net.onnx");
  expect(search.measures.paidBackAfter?.value ?? null).toBe(energy.paidBackAfter);
  const sizes = models.map(({ measures }) => measures.modelSize.value);
  expect(sizes).toEqual(result === null ? [] : [result.bytes, original.bytes]);
  for (const { subject, quality } of models) {
    expect(subject.kind).toBe("inference");
    expect(quality.value).toBeGreaterThan(0.9);
    expect(quality.samples).toBeGreaterThan(100);
  }
}

describe("godwit slim", () => {
  test("searches, writes, verifies aside and reports; then explains", async () => {
    const found = await slim(
      "net.onnx",
      "--data",
      "right.jsonl",
      "--max-drop",
      "5pp",
      "--report",
      "page.html",
      "--json",
      ...QUICK,
    );
    expect(found.err).not.toContain("error");
    const report = JSON.parse(found.out);
    expect(report.schema).toBe("godwit.slim/1");
    expect(found.code).toBe(
      { improved: 0, "not-shown": 2, nothing: 3 }[report.outcome as "improved"],
    );
    expect(report.candidates.map(({ name }: { name: string }) => name).join()).toContain(
      "quantise-static",
    );
    expect(report.energy.spent.value).toBeGreaterThan(0);
    await expectCards(report);
    const { calibration, training, search, verify } = report.data;
    // Nothing learns with quick effort.
    expect(training).toBe(0);
    expect(calibration + search + verify).toBe(COUNT);
    expect(readFileSync(at("page.html"), "utf8")).toContain("What was found");
    expect(existsSync(at("net.green.onnx"))).toBe(report.result !== null);

    const again = await slim("explain", "net.green.slim");
    expect(again.out).toContain(report.answer.slice(0, 20));
    const one = await slim("explain", "net.green.slim", "--op", "Conv", "--json");
    expect(JSON.parse(one.out).schema).toBe("godwit.slim/1");
  });

  test("verify holds two files against each other", async () => {
    const same = await slim(
      "verify",
      "net.onnx",
      "net.onnx",
      "--data",
      "right.jsonl",
      "--max-drop",
      "1pp",
    );
    expect(same.code).toBe(0);
    expect(same.out).toContain("the same up to rounding");
    const other = at("other.onnx");
    writeFileSync(other, encodeModel(smallVisionNet(9)));
    const worse = await slim("verify", "net.onnx", other, "--data", "right.jsonl", "--json");
    expect(worse.code).toBe(2);
    expect(JSON.parse(worse.out)).toMatchObject({ verdict: "not-shown" });
  });

  test("single passes write their model and say that nothing is verified", async () => {
    const simple = await slim("simplify", "net.onnx", "-o", "simple.onnx");
    expect(simple.out).toContain("Nothing is verified yet");
    expect(simple.out).toContain("outputs move by rounding at most");
    const exact = await slim("simplify", "net.onnx", "--exact", "-o", "exact.onnx");
    expect(exact.out).toContain("outputs stay the same bit for bit");
    const int8 = await slim(
      "quantise",
      "net.onnx",
      "--data",
      "right.jsonl",
      "-o",
      "int8.onnx",
      "--json",
    );
    expect(JSON.parse(int8.out)).toMatchObject({
      pass: "quantise-static",
      fidelity: "approximate",
      left_in_floats: [],
    });
    for (const [how, pass, most] of [
      ["half", "store-half", 0.6],
      ["codebook", "cluster", 0.35],
    ] as const) {
      const stored = await slim(
        "quantise",
        "net.onnx",
        "--how",
        how,
        "-o",
        `${how}.onnx`,
        "--json",
      );
      const told = JSON.parse(stored.out);
      expect(told).toMatchObject({ pass, fidelity: "approximate" });
      expect(told.after_bytes).toBeLessThan(most * told.before_bytes);
    }
    const few = await slim(
      "quantise",
      "net.onnx",
      "--how",
      "codebook",
      "--clusters",
      "1",
      "-o",
      "c",
    );
    expect(few).toMatchObject({ code: 64, err: expect.stringContaining("--clusters") });
    const pruned = await slim("prune", "net.onnx", "--ratio", "0.5", "-o", "pruned.onnx", "--json");
    expect(JSON.parse(pruned.out).changes.length).toBeGreaterThan(0);
    const taught = await slim(
      "distil",
      "pruned.onnx",
      "--teacher",
      "net.onnx",
      "--data",
      "right.jsonl",
      "--epochs",
      "1",
      "-o",
      "taught.onnx",
      "--json",
    );
    expect(JSON.parse(taught.out)).toMatchObject({ kept: true });
    const inspected = await slim("inspect", "net.onnx", "--json");
    expect(JSON.parse(inspected.out)).toMatchObject({ isQuantised: false, parameters: 19969 });
  });
});

describe("godwit slim apply", () => {
  const recipe = {
    schema: "godwit.recipe/1",
    seed: 1,
    steps: [
      { pass: "simplify", options: {} },
      { pass: "prune", options: { ratio: 0.5 } },
      { pass: "distil", options: { epochs: 1 } },
      { pass: "quantise-static", options: { calibration: { method: "mse" } } },
    ],
    calibration: { rows: [3, 1, 4, 15, 9, 2, 6, 5], batch: 1 },
    training: allRows(64),
    session: {},
  };
  const applied = async (name: string, of: unknown, ...more: readonly string[]) => {
    writeFileSync(at("recipe.json"), typeof of === "string" ? of : JSON.stringify(of));
    return slim("apply", "net.onnx", "--recipe", "recipe.json", "-o", name, "--json", ...more);
  };

  test("gives the same bytes at every time", async () => {
    const hashes = [];
    for (const name of ["one.onnx", "two.onnx"]) {
      const { out, code } = await applied(name, recipe, "--data", "right.jsonl");
      expect(code).toBe(0);
      hashes.push(JSON.parse(out).sha256);
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(Buffer.compare(readFileSync(at("one.onnx")), readFileSync(at("two.onnx")))).toBe(0);
  });

  test("tells recipes that cannot be read from samples that do not fit them", async () => {
    const data = ["--data", "right.jsonl"] as const;
    expect((await applied("x.onnx", "{", ...data)).code).toBe(64);
    expect((await applied("x.onnx", { ...recipe, seed: "one" }, ...data)).code).toBe(64);
    expect((await applied("x.onnx", recipe)).code).toBe(64);
    const far = { ...recipe, training: [COUNT] };
    expect((await applied("x.onnx", far, ...data)).code).toBe(5);
    expect(existsSync(at("x.onnx"))).toBe(false);
  });
});

describe("what cannot be used is told, with an exit code of its own", () => {
  const refused = async (args: readonly string[], code: number, words: string | RegExp) => {
    const { code: got, err } = await slim(...args, ...QUICK);
    expect(err).toMatch(words);
    expect(err).not.toContain("godwit failed");
    expect(got).toBe(code);
  };

  test("files that are no model, and models that are not finite", async () => {
    writeFileSync(at("zip.onnx"), Buffer.from("PK\u0003\u0004 not a model"));
    await refused(["zip.onnx", "--data", "right.jsonl"], 4, /zip/i);
    writeFileSync(at("cut.onnx"), encodeModel(net).subarray(0, 2000));
    await refused(["cut.onnx", "--data", "right.jsonl"], 4, "error:");
    writeFileSync(at("odd.onnx"), encodeModel(withNaN(net)));
    await refused(["odd.onnx", "--data", "right.jsonl"], 4, "weights are not finite");
    await refused(["absent.onnx", "--data", "right.jsonl"], 4, "absent.onnx");
  });

  test("samples that are absent, few, odd or of another shape", async () => {
    await refused(["net.onnx"], 64, "no samples are given");
    await refused(["net.onnx", "--data", "absent.jsonl"], 5, "absent.jsonl");
    await writePictures("few.jsonl", "right", 40);
    await refused(["net.onnx", "--data", "few.jsonl"], 5, "too few");
    writeFileSync(
      at("shape.jsonl"),
      `${'{"image":[1,2,3],"label":0}\n{"image":[1,2,4],"label":1}\n'.repeat(40)}`,
    );
    await refused(["net.onnx", "--data", "shape.jsonl"], 5, "does not fit the model");
    writeFileSync(
      at("same.jsonl"),
      `${readFileSync(at("right.jsonl"), "utf8").split("\n")[0]}\n`.repeat(80),
    );
    await refused(["net.onnx", "--data", "same.jsonl"], 5, /label|nothing but/);
  });

  test("labels that the model does not know better than chance", async () => {
    await writePictures("wrong.jsonl", "wrong");
    await refused(["net.onnx", "--data", "wrong.jsonl"], 5, "no better than chance");
  });

  test("options that cannot be read", async () => {
    await refused(["net.onnx", "--data", "right.jsonl", "--max-drop", "5%"], 64, "--max-drop");
    await refused(["net.onnx", "--data", "right.jsonl", "--metric", "acuracy"], 64, "accuracy");
    await refused(["net.onnx", "--data", "right.jsonl", "--efort", "quick"], 64, "--efort");
    const squashed = await slim("net.onnx", "--data", "right.jsonl", "--only", "squash");
    expect(squashed).toMatchObject({ code: 64, err: expect.stringContaining("--only") });
    const nowhere = await slim("resume", "nowhere");
    expect(nowhere).toMatchObject({ code: 64, err: expect.stringContaining("no folder") });
  });
});

function withNaN(model: Model): Model {
  const graph = model.graph as NonNullable<Model["graph"]>;
  const [first, ...rest] = graph.initializers;
  if (first === undefined) throw new RangeError("no weights");
  const count = first.dims.reduce((product, dim) => product * Number(dim), 1);
  const values = new Float32Array(count).fill(Number.NaN);
  const odd = { ...first, data: { kind: "float32" as const, values } };
  return { ...model, graph: { ...graph, initializers: [odd, ...rest] } };
}
