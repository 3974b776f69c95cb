import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeLeftovers } from "./run-facts.ts";

test("what a killed run left behind is taken away after a month, and nothing else is", () => {
  const parent = mkdtempSync(join(tmpdir(), "godwit-leftovers-"));
  const folder = (name: string, days: number): string => {
    const path = join(parent, name);
    mkdirSync(path);
    const at = new Date(Date.now() - days * 24 * 3600 * 1000);
    utimesSync(path, at, at);
    return path;
  };
  const old = folder("godwit-facts-a", 31);
  const kept = [folder("godwit-facts-b", 29), folder("else", 400)];
  removeLeftovers(parent);
  expect(existsSync(old)).toBe(false);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  rmSync(parent, { recursive: true });
});
