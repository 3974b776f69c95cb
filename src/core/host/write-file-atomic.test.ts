import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkWritable, refusal, writeFileAtomic } from "./write-file-atomic.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "godwit-write-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("writeFileAtomic", () => {
  test("replaces a file and leaves nothing else behind", async () => {
    const path = join(folder, "report.html");
    await writeFile(path, "old");
    await writeFileAtomic(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["report.html"]);
  });

  test("readers never see a part of the text", async () => {
    const path = join(folder, "report.html");
    const [a, b] = ["a".repeat(400_000), "b".repeat(400_000)];
    await writeFileAtomic(path, a);
    const writing = (async () => {
      for (let round = 0; round < 20; round++) await writeFileAtomic(path, round % 2 ? a : b);
    })();
    for (let round = 0; round < 40; round++) {
      const text = await readFile(path, "utf8");
      expect(text === a || text === b).toBe(true);
    }
    await writing;
  });

  test("a missing folder is named with its remedy", async () => {
    await expect(writeFileAtomic(join(folder, "no", "such.html"), "x")).rejects.toMatchObject({
      code: "invalid-input",
      hint: expect.stringContaining("mkdir -p"),
    });
  });

  test("a folder in the place of the file is refused, and left as it is", async () => {
    await expect(writeFileAtomic(folder, "x")).rejects.toMatchObject({ code: "invalid-input" });
    expect(await readdir(folder)).toEqual([]);
  });

  test("a device is written to in place", async () => {
    await expect(writeFileAtomic("/dev/null", "x")).resolves.toBeUndefined();
  });
});

describe("checkWritable", () => {
  test("passes what can be written, and leaves nothing behind", async () => {
    await expect(checkWritable(join(folder, "new.onnx"))).resolves.toBeUndefined();
    await expect(checkWritable("/dev/null")).resolves.toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test("refuses a folder, and a file in a folder that is not there", async () => {
    await expect(checkWritable(folder)).rejects.toThrow("it is a folder");
    await expect(checkWritable(join(folder, "no", "m.onnx"))).rejects.toMatchObject({
      code: "invalid-input",
      hint: expect.stringContaining("mkdir -p"),
    });
  });
});

test.each([
  ["EROFS", "denied", "not permitted in /mnt", "may write to"],
  ["EACCES", "denied", "not permitted in /mnt", "may write to"],
  ["ENOSPC", "denied", "the disk is full", "Make room"],
  ["ENOTDIR", "invalid-input", "there is no folder /mnt", "mkdir -p /mnt"],
  ["EIO", "denied", "cannot write /mnt/card.json", "--debug"],
])("%s is told with the path and a remedy", (code, kind, message, hint) => {
  expect(refusal("/mnt/card.json", Object.assign(new Error(code), { code }))).toMatchObject({
    code: kind,
    message: expect.stringMatching(
      new RegExp(`^cannot write /mnt/card.json.*${message}|${message}$`),
    ),
    hint: expect.stringContaining(hint),
  });
});
