import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canFind } from "./find-program.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-find-"));
  mkdirSync(join(cwd, "bin/folder"), { recursive: true });
  writeFileSync(join(cwd, "bin/tool"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(cwd, "bin/text"), "no program");
  chmodSync(join(cwd, "bin/text"), 0o644);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

test.each([
  ["tool", "/nowhere:BIN", true],
  ["tool", "/nowhere", false],
  ["tool", "", false],
  ["tool", undefined, false],
  ["bin/tool", undefined, true],
  ["./bin/tool", "/nowhere", true],
  ["text", "BIN", false],
  ["folder", "BIN", false],
  ["bin/folder", "BIN", false],
  ["absent", "BIN", false],
])("%s with PATH %s: %s", (program, path, found) => {
  expect(canFind(program, { cwd, path: path?.replace("BIN", join(cwd, "bin")) })).toBe(found);
});
