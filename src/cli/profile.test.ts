import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import { floats, model, node, single } from "../../test/small-model.ts";
import { encodeModel, type Model } from "../onnx/index.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-profile-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

function save(name: string, of: Model): string {
  const path = join(folder, name);
  writeFileSync(path, encodeModel(of));
  return path;
}

const dense = (columns: number): Model =>
  model({
    inputs: { x: ["batch", 4], w: floats(new Array(4 * columns).fill(0.5), [4, columns]) },
    nodes: [
      { ...node("MatMul", [["x", "w"], ["h"]]), name: "/head/fc/MatMul" },
      { ...node("Relu", [["h"], ["y"]]), name: "/head/Relu" },
    ],
  });

const small = save("small.onnx", dense(8));
const run = (...args: readonly string[]) => godwit(["profile", ...args], { cwd: folder });

describe("godwit profile", () => {
  it("prints the answer first and then where it goes, in 80 columns", async () => {
    const { code, out, err } = await run(small, "--batch", "2", "--by", "node");
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toContain("32 in all, 32 trainable");
    expect(out).toContain("64.0 MAC; 144 FLOP");
    expect(out).toMatch(/\/head\/fc\/MatMul +MatMul +32.0 +64.0 +128 +88.9 %/);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("keeps open sizes as expressions and says how to choose them", async () => {
    const { out } = await run(small);
    expect(out).toContain("32*batch MAC");
    expect(out).toContain("--size NAME=N");
  });

  it("gives one object to programs", async () => {
    const { out } = await run(small, "--json", "--size", "batch=3", "--train");
    const object = JSON.parse(out);
    expect(object).toMatchObject({
      schema: "godwit.profile/1",
      macs: 96,
      parameters: { total: 32 },
      training: {
        optimizer: "Adam",
        update_flops: 320,
        step_flops: 3 * 216 + 320,
        // One product, for the weights alone: the input has no gradient.
        backward: { status: "counted", macs: 96, uncounted_nodes: 0 },
      },
      rows: [{ name: "MatMul" }, { name: "Relu" }],
    });
  });

  it("gives every row to a table, whatever --top says", async () => {
    const { out } = await run(small, "--csv", "--by", "scope", "--top", "1");
    expect(out.split("\r\n")).toHaveLength(4);
    expect(out).toContain("head/fc,,,1,32");
  });

  it("compares two models", async () => {
    const { out } = await run(small, "--diff", save("half.onnx", dense(4)), "--batch", "1");
    expect(out).toMatch(/parameters +32.0 +16.0 +-50.0 %/);
  });

  it("fails with --strict when an operator is not counted", async () => {
    const path = save(
      "topk.onnx",
      single("TopK", { x: [4], k: { type: "int64", shape: [1] } }, { outputs: 2 }),
    );
    const { code, out, err } = await run(path, "--strict");
    expect(out).toContain("not counted");
    expect(code).toBe(1);
    expect(err).toContain("TopK");
  });

  it("reads the header of a safetensors file and says that it has no graph", async () => {
    const header = new TextEncoder().encode(
      '{"w":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}',
    );
    const file = new Uint8Array(8 + header.length + 12);
    file[0] = header.length;
    file.set(header, 8);
    const path = join(folder, "w.safetensors");
    writeFileSync(path, file);
    const { out } = await run(path);
    expect(out).toContain("weights without a graph");
    expect(out).toContain("6 in 1 tensors");
  });

  it("keeps a card without energy in the ledger", async () => {
    const kept = await run(small, "--keep", "--batch", "1", "--ledger", join(folder, "ledger"));
    expect(kept.err).toContain("kept as");
    const shown = await godwit(["show", "small", "--json", "--ledger", join(folder, "ledger")], {
      cwd: folder,
    });
    expect(JSON.parse(shown.out)).toMatchObject({
      subject: { kind: "model", name: "small" },
      measures: { parameters: { value: 32 }, operations: { macs: { value: 32, unit: "MAC" } } },
    });
  });

  it.each([
    [["--input", "y=1x4"], "no input"],
    [["--size", "bacth=1"], "Did you mean batch"],
    [["--input", "x"], "cannot read"],
    [["--filter", "("], "cannot read"],
    [["--train", "--optimizer", "none"], "not known"],
  ])("refuses %s with a remedy", async (args, words) => {
    const { code, err } = await run(small, ...args);
    expect(code).toBe(2);
    expect(err).toContain(words);
  });
});
