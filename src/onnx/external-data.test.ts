import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFileSource, pathInside } from "../core/host/file-source.ts";
import { elementsOf } from "./elements.ts";
import { externalData } from "./external-data.ts";
import type { Tensor } from "./model.ts";

let folder = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-external-"));
  mkdirSync(join(folder, "models", "weights"), { recursive: true });
  model = join(folder, "models", "net.onnx");
  writeFileSync(join(folder, "secret"), "secret");
  writeFileSync(join(folder, "models", "weights", "w.bin"), Uint8Array.of(9, 9, 0, 0, 128, 63));
  symlinkSync(join(folder, "secret"), join(folder, "models", "link"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tensor = (entries: Record<string, string>): Tensor => ({
  name: "w",
  dims: [1n],
  dataType: "float32",
  data: {
    kind: "external",
    entries: Object.entries(entries).map(([key, value]) => ({ key, value })),
  },
  metadata: [],
});
const open = externalData((location) => openFileSource(pathInside(model, location)));
const read = (entries: Record<string, string>) => elementsOf(tensor(entries), open);

test("elements are found in the file beside the model", () => {
  expect([...read({ location: "weights/w.bin", offset: "2", length: "4" })]).toEqual([1]);
  expect([...read({ location: "weights/w.bin", offset: "2" })]).toEqual([1]);
});

describe("a model from a stranger reads no other file", () => {
  test.each([["/etc/hostname"], ["../secret"], ["weights/../../secret"], ["link"], [""], ["."]])(
    "%s",
    (location) => {
      expect(() => read({ location })).toThrow(/outside its folder/);
    },
  );
});

describe("what does not fit is refused", () => {
  test.each([
    [{ location: "weights/w.bin", offset: "4", length: "4" }, /bytes 4 to 8 .* which has 6/],
    [{ location: "weights/w.bin", offset: "-2" }, /"-2" is no offset/],
    [{ location: "weights/w.bin", offset: "9".repeat(30) }, /no offset/],
    [{ location: "weights/none.bin" }, /cannot be found/],
    [{ location: "weights" }, /not a file/],
    [{ offset: "0" }, /without a location/],
    [{ location: "weights/w.bin", offset: "2", length: "3" }, /3 bytes of data .* say 4/],
  ])("%o", (entries, message) => {
    expect(() => read(entries as Record<string, string>)).toThrow(message);
  });
});
