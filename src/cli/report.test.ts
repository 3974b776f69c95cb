import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { richCard } from "../../test/sample-card.ts";
import { parseCard } from "../core/card.ts";
import { openLedger } from "../ledger/index.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "godwit-report-"));
  const ledger = await openLedger(join(folder, ".godwit"));
  await ledger.put(richCard());
  ledger.close();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const report = (...args: string[]): Promise<Answer> => godwit(["report", ...args], { cwd: folder });

describe("godwit report", () => {
  test("shows the latest card as text when nothing is said", async () => {
    expect((await report()).out).toMatch(/^python train\.py --epochs 3 {3}11\.2 kJ/);
  });

  test("--json gives the card and nothing else on standard output", async () => {
    const { out, err } = await report("last", "--json");
    expect(parseCard(JSON.parse(out))).toEqual(richCard());
    expect(err).toBe("");
  });

  test("--html FILE writes one page and says where", async () => {
    const { out, err } = await report("01K9", "--html", "run.html");
    expect(out).toBe("");
    expect(err).toBe("wrote run.html\n");
    expect(await readFile(join(folder, "run.html"), "utf8")).toMatch(/^<!doctype html>\n<html/);
    expect(await readdir(folder)).toEqual([".godwit", "run.html"]);
  });

  test.each([
    ["a.md", /^## python train/],
    ["a.csv", /^name,value,low_90/],
    ["a.json", /^\{\n {2}"schema": "godwit\.card\/1"/],
    ["a.txt", /^python train/],
    ["a.HTML", /^<!doctype html>/],
  ])("the ending of %s chooses the format", async (file, beginning) => {
    await report("-o", file);
    expect(await readFile(join(folder, file), "utf8")).toMatch(beginning);
  });

  test("- is standard output", async () => {
    expect((await report("--csv", "-o", "-")).out).toMatch(/^name,value/);
    expect((await report("--html", "-")).out).toMatch(/^<!doctype html>/);
  });

  test.each([
    [["-o", "a.pdf"], "no format has this ending"],
    [["--html", "a.html", "-o", "b.html"], "name two files"],
    [["-o", ""], "empty text"],
    [["--csv", "--json"], "cannot be used with"],
    [["nothing-of-that-name"], "nothing-of-that-name"],
    [["--html", "no/such/folder/a.html"], "there is no folder"],
    [["--html"], "argument missing"],
  ])("%j is refused and writes nothing", async (args, message) => {
    const { code, out, err } = await report(...args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(await readdir(folder)).toEqual([".godwit"]);
  });

  test("colours are for the screen: a file has none", async () => {
    expect((await report("--color=always")).out).toContain("\u001b[");
    await report("--color=always", "-o", "a.txt");
    expect(await readFile(join(folder, "a.txt"), "utf8")).not.toContain("\u001b");
  });
});
