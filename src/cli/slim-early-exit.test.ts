import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ENVIRONMENT, godwit } from "../../test/cli-session.ts";
import { nativeMissing } from "../../test/engines.ts";
import { operators } from "../../test/operators.ts";
import { dataFile, missingData } from "../../test/shared-data.ts";
import { createNodeHost } from "../core/host/node-host.ts";
import { createRandom } from "../core/index.ts";
import { createSession } from "../engine/index.ts";
import { encodeModel, type ModelBuilder, modelBuilder } from "../onnx/index.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-exit-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const LEDGER = ["--ledger", at("ledger")] as const;

/** Runs a command line on the real machine. */
const run = (...args: readonly string[]) => {
  vi.stubEnv("GODWIT_DATA", dataFile(""));
  return godwit(args, { cwd: folder, host: createNodeHost(), env: ENVIRONMENT });
};
const exit = (...args: readonly string[]) =>
  run("slim", "exit", ...args, "--effort", "quick", "-q", ...LEDGER);

const noDigits = missingData("vision-digits") ?? nativeMissing;

describe.skipIf(noDigits !== null)("exits of a net trained on digits", () => {
  beforeAll(async () => {
    const how = ["--net", "mlp", "--data", "digits", "--epochs", "3", "--seed", "1", "-q"] as const;
    const { code } = await run("train", ...how, "-o", "net.onnx", ...LEDGER);
    expect(code).toBe(0);
  }, 120_000);

  test("are written, verified aside, cheaper in turns, and kept on cards", async () => {
    const asked = ["net.onnx", "--data", "digits", "--max-drop", "2pp", "-o", "early.onnx"];
    const { out, err, code } = await exit(...asked, "--json");
    expect(err).not.toContain("error");
    const report = JSON.parse(out);
    expect(report).toMatchObject({ schema: "godwit.slim-exit/1", outcome: "improved" });
    expect(code).toBe(0);
    const { heads, temperatures, thresholds, verify } = report.data;
    expect(heads + temperatures + thresholds + verify).toBe(1797);
    expect(report.trials.at(-1)).toMatchObject({ verdict: "shown", test: { samples: verify } });
    expect(report.trials.at(-1).test.upper).toBeLessThanOrEqual(0.02);
    const [base, original, result] = report.costs;
    expect(base.ratio).toMatchObject({ low: 1, high: 1 });
    expect(original.name).toBe("original");
    expect(result.ratio.high).toBeLessThan(1);
    const left = report.tried.filter(({ share }: { share: number | null }) => share !== null);
    const shares = left.reduce((sum: number, { share }: { share: number }) => sum + share, 0);
    expect(shares + report.expected.stays).toBeCloseTo(1, 9);
    // Who goes to the end has paid for the heads as well.
    expect(report.expected.worst).toBeGreaterThanOrEqual(1);
    expect(report.cards.map(({ what }: { what: string }) => what)).toEqual([
      "original",
      "result",
      "this work",
    ]);
    const { out: shown } = await run("show", report.cards[1].id, ...LEDGER);
    expect(shown).toContain("early inference");
    // Nothing is left of the file that waited for its verification.
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  }, 120_000);

  test("take one row a run, which verify accepts where it is asked to", async () => {
    const session = await createSession(readFileSync(at("early.onnx")));
    await session.close();
    expect(session.inputs[0]?.dims?.[0]).toBe(1);
    const files = ["verify", "net.onnx", "early.onnx", "--data", "digits"] as const;
    const one = await run("slim", ...files, "--max-drop", "2pp", "--one-row");
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining("drop") });
    const any = await run("slim", ...files, "--max-drop", "2pp");
    expect(any).toMatchObject({ code: 64, err: expect.stringContaining("--one-row") });
  });

  test("are not written where the samples cannot show that the budget is kept", async () => {
    const asked = ["net.onnx", "--data", "digits", "--max-drop", "0.1pp", "-o", "unshown.onnx"];
    const { out, code } = await exit(...asked);
    expect(code).toBe(2);
    expect(out).toMatch(/cannot\s+show a drop below 0\.10 pp/);
    expect(existsSync(at("unshown.onnx"))).toBe(false);
  });

  test("are tried where they are named", async () => {
    const asked = ["net.onnx", "--data", "digits", "--max-drop", "0.1pp", "-o", "named.onnx"];
    const named = await exit(...asked, "--at", "relu1", "--confidence", "margin", "--json");
    expect(JSON.parse(named.out).tried.map(({ value }: { value: string }) => value)).toEqual([
      "relu1",
    ]);
    const unknown = await exit(...asked, "--at", "nowhere");
    expect(unknown).toMatchObject({ code: 64, err: expect.stringContaining("relu1") });
  });
});

const random = createRandom(4);

/** x [batch, 16] through layers of so many units, to scores. */
function dense(widths: readonly number[], more: (g: ModelBuilder, y: string) => void = () => {}) {
  const g = modelBuilder({ operators });
  let [x, from] = [g.input("x", "float32", ["batch", 16]), 16];
  for (const to of widths) {
    const values = Float32Array.from({ length: from * to }, () => random.normal());
    x = g.op("Relu", [g.op("MatMul", [x, g.constant("float32", { dims: [from, to], values })])]);
    from = to;
  }
  more(g, x);
  g.output(x, { name: "y" });
  return g.finish();
}

describe.skipIf(nativeMissing !== null)("exits are refused, with the reason and a code", () => {
  const DATA = ["--data", "x.jsonl", "-o", "no.onnx"] as const;
  const refused = async (args: readonly string[], code: number, words: RegExp) => {
    const { code: got, err, out } = await exit(...args);
    expect(`${err}${out}`).toMatch(words);
    expect(err).not.toContain("godwit failed");
    expect(got).toBe(code);
    expect(existsSync(at("no.onnx"))).toBe(false);
  };
  const write = (name: string, rowOf: (x: readonly number[]) => object, count = 400): void => {
    const rows = Array.from({ length: count }, () =>
      JSON.stringify(rowOf(Array.from({ length: 16 }, () => random.normal()))),
    );
    writeFileSync(at(name), rows.join("\n"));
  };

  beforeAll(async () => {
    const model = encodeModel(dense([8, 8, 4]));
    writeFileSync(at("tiny.onnx"), model);
    // Labels are what the net says itself: it is right everywhere.
    const session = await createSession(model);
    const xs = Array.from({ length: 400 }, () => Float32Array.from({ length: 16 }, random.normal));
    const rows: string[] = [];
    for (const x of xs) {
      const { y } = await session.run({ x: { dataType: "float32", dims: [1, 16], data: x } });
      const scores = [...((y?.data ?? []) as Float32Array)];
      rows.push(JSON.stringify({ x: [...x], label: scores.indexOf(Math.max(...scores)) }));
    }
    await session.close();
    writeFileSync(at("x.jsonl"), rows.join("\n"));
  });

  test("a model so small that an exit costs more than it skips", async () => {
    const asked = ["tiny.onnx", ...DATA, "--max-drop", "50pp"];
    await refused(asked, 3, /exits do not pay for\s+tiny\.onnx on this machine/);
  });

  test("samples without labels, or with labels that are no classes", async () => {
    write("none.jsonl", (x) => ({ x }));
    await refused(["tiny.onnx", "--data", "none.jsonl", "-o", "no.onnx"], 5, /has no labels/);
    write("words.jsonl", (x) => ({ x, text: "cat" }));
    await refused(["tiny.onnx", "--data", "words.jsonl", "-o", "no.onnx"], 5, /is string/);
    write("amounts.jsonl", (x) => ({ x, label: x[0] }));
    await refused(["tiny.onnx", "--data", "amounts.jsonl", "-o", "no.onnx"], 5, /is float/);
    let row = 0;
    write("far.jsonl", (x) => ({ x, label: row++ % 9 }));
    const far = ["tiny.onnx", "--data", "far.jsonl", "-o", "no.onnx", "--force"];
    await refused(far, 5, /label [4-8]|class/);
  });

  test("models that are no classifiers, or can be left nowhere", async () => {
    writeFileSync(at("one.onnx"), encodeModel(dense([4])));
    await refused(["one.onnx", ...DATA], 4, /nowhere to leave/);
    writeFileSync(at("value.onnx"), encodeModel(dense([8, 1])));
    await refused(["value.onnx", ...DATA], 4, /no scores of classes/);
    const two = dense([8, 4], (g, y) => g.output(g.op("Softmax", [y]), { name: "p" }));
    writeFileSync(at("two.onnx"), encodeModel(two));
    await refused(["two.onnx", ...DATA], 4, /one output/);
  });

  test("command lines that ask for what exits cannot do", async () => {
    await refused(["tiny.onnx", ...DATA, "--batch", "2"], 64, /one row a run/);
    await refused(["tiny.onnx", ...DATA, "--metric", "mse"], 64, /by accuracy/);
    await refused(["tiny.onnx", ...DATA, "--exits", "4"], 64, /--exits/);
    await refused(["tiny.onnx", "--data", "x.jsonl"], 64, /--out/);
    await refused(["tiny.onnx", "-o", "no.onnx"], 64, /no samples are given/);
    await refused(["tiny.onnx", ...DATA, "-o", "tiny.onnx"], 64, /the model that is read/);
    await refused(["tiny.onnx", ...DATA, "-o", "."], 64, /--out/);
  });
});
