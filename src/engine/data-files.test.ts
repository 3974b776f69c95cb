import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeMissing, wasmMissing } from "../../test/engines.ts";
import { faultOf, sessionOpener } from "../../test/session-rig.ts";
import { encodeModel, type Model, type Tensor } from "../onnx/index.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";

const open = sessionOpener();

describe.skipIf(nativeMissing !== null)("weights in another file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "godwit-external-"));
    mkdirSync(join(folder, "model"));
    const weights = new Uint8Array(Float32Array.of(10, 20).buffer);
    writeFileSync(join(folder, "model", "w.bin"), weights);
    writeFileSync(join(folder, "outside.bin"), weights);
    writeFileSync(join(folder, "model", "m.onnx"), encodeModel(withWeightsIn("w.bin")));
    writeFileSync(join(folder, "model", "evil.onnx"), encodeModel(withWeightsIn("../outside.bin")));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function withWeightsIn(location: string): Model {
    const entries = [
      { key: "location", value: location },
      { key: "offset", value: "0" },
      { key: "length", value: "8" },
    ];
    const w: Tensor = {
      name: "w",
      dims: [2n],
      dataType: "float32",
      metadata: [],
      data: { kind: "external", entries },
    };
    const inputs = [port("x", "float32", ["n"])];
    return graphLiteral([node("Add", ["x", "w"], ["y"])], inputs, [port("y", "float32", [2])], [w]);
  }

  test.each([
    ["by path", {}],
    ["by path, with sizes written into the model", { dimensions: { n: 2 } }],
  ])("are found %s", async (_, options) => {
    const session = await open(join(folder, "model", "m.onnx"), options);
    const { y } = await session.run({ x: Float32Array.of(1, 2) });
    expect(y?.data).toEqual(Float32Array.of(11, 22));
  });

  test("are found for a model in memory by its folder", async () => {
    const session = await open(withWeightsIn("w.bin"), { dataFolder: join(folder, "model") });
    expect((await session.run({ x: new Float32Array(2) }))["y"]?.data).toEqual(
      Float32Array.of(10, 20),
    );
  });

  test("are told when they are missing", async () => {
    const fault = await faultOf(open(withWeightsIn("gone.bin"), { dataFolder: folder }));
    expect(`${fault.message} ${fault.hint}`).toContain('data file of tensor "w"');
  });

  test("are not read outside the model's folder", async () => {
    const fault = await faultOf(open(join(folder, "model", "evil.onnx")));
    expect(fault.message).toContain("outside the model's folder");
  });

  test.skipIf(wasmMissing !== null)(
    "are found by WebAssembly too, and as well guarded",
    async () => {
      const runtime = "onnxruntime-web";
      const session = await open(join(folder, "model", "m.onnx"), { runtime });
      expect((await session.run({ x: new Float32Array(2) }))["y"]?.data).toEqual(
        Float32Array.of(10, 20),
      );
      const fault = await faultOf(open(join(folder, "model", "evil.onnx"), { runtime }));
      expect(fault.message).toContain("outside its folder");
    },
  );
});
