import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { operators } from "../../test/operators.ts";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { elementsOf, encodeModel, type Model, modelBuilder, tensorOf } from "../onnx/index.ts";
import { type OpenModel, openModelFile, weightBytes } from "./open-model.ts";

let folder = "";
beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), "godwit-open-")), "models");
  mkdirSync(folder);
  writeFileSync(join(folder, "..", "secret"), "12345678");
  symlinkSync(join(folder, "..", "secret"), join(folder, "link"));
});
const toClose: OpenModel[] = [];
const kept = (opened: OpenModel): OpenModel => {
  toClose.push(opened);
  return opened;
};
afterEach(() => {
  for (const opened of toClose.splice(0)) opened.close();
});
afterAll(() => rmSync(join(folder, ".."), { recursive: true }));

/** x + w, with w at a location outside the file. */
function withExternal(location: string): Model {
  const g = modelBuilder({ operators });
  const w = g.initializer("w", {
    ...tensorOf("float32", { dims: [2], values: [0, 0] }),
    data: { kind: "external", entries: [{ key: "location", value: location }] },
  });
  g.output(g.op("Add", [g.input("x", "float32", [2]), w]), { name: "y" });
  return g.finish();
}

function saved(name: string, model: Model): string {
  const path = join(folder, name);
  writeFileSync(path, encodeModel(model));
  return path;
}

/** Model files that this process holds open. */
function openFiles(): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((path) => path.endsWith(".onnx")).length;
}
const onLinux = existsSync("/proc/self/fd");

test("weights beside the model are found, weighed and read", () => {
  writeFileSync(join(folder, "w.bin"), new Uint8Array(Float32Array.of(3, 4).buffer));
  const opened = kept(openModelFile(saved("net.onnx", withExternal("w.bin"))));
  expect(weightBytes(opened.model)).toEqual({ total: 8, external: 8 });
  const [w] = opened.model.graph?.initializers ?? [];
  expect(w && elementsOf(w, opened.external)).toEqual(Float32Array.of(3, 4));
});

describe("a stranger's model reads no other file", () => {
  test.each(["../secret", "/etc/hostname", "link"])("%s", (location) => {
    const path = saved("bad.onnx", withExternal(location));
    const opened = kept(openModelFile(path));
    const [w] = opened.model.graph?.initializers ?? [];
    expect(() => w && elementsOf(w, opened.external)).toThrow(/outside its folder/);
  });
});

test.skipIf(!onLinux)("what is no model is named, and no file stays open", () => {
  const path = join(folder, "page.onnx");
  writeFileSync(path, "<!DOCTYPE html><html>");
  const before = openFiles();
  expect(() => openModelFile(path)).toThrow(/HTML page/);
  expect(() => openModelFile(join(folder, "none.onnx"))).toThrow(/there is no file/);
  expect(openFiles()).toBe(before);
});

test.skipIf(modelNames.length === 0)(
  "a model's file is closed with it, however often asked",
  () => {
    const before = openFiles();
    const opened = openModelFile(modelFile("mnist_8.onnx"));
    expect(opened.fileBytes).toBe(26_454);
    // 5,994 parameters in float32 and the target shapes of two Reshape nodes in int64.
    expect(weightBytes(opened.model)).toEqual({ total: 5_994 * 4 + 2 * 16, external: 0 });
    expect(openFiles()).toBe(before + 1);
    opened.close();
    opened.close();
    expect(openFiles()).toBe(before);
  },
);

test("a file that is no model is named, with where in it the fault is", () => {
  const path = join(folder, "junk.onnx");
  writeFileSync(path, "junk\n");
  expect(() => openModelFile(path)).toThrow(
    expect.objectContaining({
      name: "ModelError",
      code: "invalid-input",
      message: expect.stringMatching(new RegExp(`^${path}: truncated`)),
    }),
  );
});
