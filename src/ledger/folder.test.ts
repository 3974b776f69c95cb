import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { locateLedger, makeLedgerFolder } from "./folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "godwit-folder-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const locate = (path: string, env = {}, flag?: string) => {
  mkdirSync(join(root, path), { recursive: true });
  return locateLedger({ cwd: join(root, path), env, flag });
};

test("the flag beats the environment, which beats the project", () => {
  const env = { GODWIT_LEDGER: "from-env" };
  mkdirSync(join(root, ".godwit"));
  expect(locate("a", env, "from-flag")).toEqual({
    folder: join(root, "a", "from-flag"),
    chosenBy: "flag",
  });
  expect(locate("a", env)).toEqual({
    folder: join(root, "a", "from-env"),
    chosenBy: "environment",
  });
  expect(locate("a", { GODWIT_LEDGER: "" })).toEqual({
    folder: join(root, ".godwit"),
    chosenBy: "project",
  });
});

test("an existing .godwit upward beats a nearer project", () => {
  mkdirSync(join(root, ".godwit"));
  mkdirSync(join(root, "packages/one"), { recursive: true });
  writeFileSync(join(root, "packages/one/package.json"), "{}");
  expect(locate("packages/one/src").folder).toBe(join(root, ".godwit"));
});

test.each(["package.json", ".git", "pyproject.toml"])("%s marks the project's folder", (mark) => {
  mkdirSync(join(root, "p"));
  writeFileSync(join(root, "p", mark), "");
  expect(locate("p/deep/er").folder).toBe(join(root, "p", ".godwit"));
});

test("a file named .godwit is no ledger, and no project means the current folder", () => {
  mkdirSync(join(root, "p"));
  writeFileSync(join(root, "p/.godwit"), "");
  const { folder } = locate("p/q");
  // The temporary folder itself may lie in a project.
  expect(folder).not.toBe(join(root, "p", ".godwit"));
});

test("an empty --ledger is a mistake, not the current folder", () => {
  expect(() => locate("a", {}, "")).toThrow(expect.objectContaining({ code: "usage" }));
});

test("a new folder hides itself from git; one that was there before keeps its own rules", () => {
  const rules = join(root, "made/.godwit/.gitignore");
  makeLedgerFolder(join(root, "made/.godwit"));
  expect(readFileSync(rules, "utf8")).toBe("*\n");
  writeFileSync(rules, "!keep\n");
  makeLedgerFolder(join(root, "made/.godwit"));
  expect(readFileSync(rules, "utf8")).toBe("!keep\n");
  makeLedgerFolder(root);
  expect(existsSync(join(root, ".gitignore"))).toBe(false);
});
