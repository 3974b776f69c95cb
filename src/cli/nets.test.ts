import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import { nativeMissing } from "../../test/engines.ts";
import { createSession, openModelFile } from "../engine/index.ts";

const nets = (...args: readonly string[]) => godwit(["nets", ...args], { cwd: "/" });

describe("godwit nets", () => {
  test("lists every network with its cost, within 80 columns", async () => {
    const { out, code } = await nets();
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^NET +PARAMETERS +MACS +INPUT +DESCRIPTION$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(out).toMatch(/^mobilenet-v1 +4\.23 M +569 M +3x224x224 /m);
    expect(out).toMatch(/^vgg-16 +138 M +15\.5 G /m);
  });

  test("tells one network's exact counts for what was chosen", async () => {
    const { out } = await nets("mobilenet-v1", "--alpha", "0.25");
    expect(out).toContain("470,072");
    expect(out).toContain("41,030,272 an image");
    const { out: json } = await nets("mobilenet-v1", "--alpha", "0.5", "--size", "160", "--json");
    expect(JSON.parse(json)).toMatchObject({
      schema: "godwit.nets/1",
      nets: [{ input: [3, 160, 160], classes: 1000, parameters: 1_331_592, macs: 76_524_800 }],
    });
  });

  test.skipIf(nativeMissing)("writes a file that runs, the same for the same seed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "godwit-nets-"));
    const path = join(folder, "lenet.onnx");
    const { code, err } = await nets("lenet-5", "--classes", "4", "--seed", "3", "-o", path);
    expect([code, err]).toEqual([0, `wrote ${path}\n`]);
    const session = await createSession(path, { threads: 1 });
    const image = {
      dataType: "float32",
      dims: [1, 1, 28, 28],
      data: new Float32Array(784).fill(1),
    } as const;
    const { scores } = await session.run({ image });
    await session.close();
    expect(scores?.dims).toEqual([1, 4]);
    const again = join(folder, "again.onnx");
    await nets("lenet-5", "--classes", "4", "--seed", "3", "-o", again);
    const [one, two] = [path, again].map((file) => {
      const opened = openModelFile(file);
      const bytes = opened.model.graph?.initializers.map(({ data }) =>
        data.kind === "raw" ? [...data.payload.bytes()] : [],
      );
      opened.close();
      return bytes;
    });
    expect(one).toEqual(two);
  });

  test("refuses what it does not know, with the nearest that it does", async () => {
    const mistyped = await nets("lenet5");
    expect(mistyped.code).toBe(2);
    expect(mistyped.err).toContain("Did you mean lenet-5?");
    expect((await nets("lenet-5-1998", "--alpha", "0.5")).err).toContain('no option "alpha"');
    expect((await nets("--alpha", "0.5")).err).toContain("--alpha without the name of a network");
    expect((await nets("vgg-16", "--alpha", "wide")).code).toBe(2);
    expect((await nets("vgg-16", "--initialiser", "he-norml")).err).toContain("he-normal");
  });
});
