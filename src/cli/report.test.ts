import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeHost } from "../../test/fake-host.ts";
import { richCard } from "../../test/sample-card.ts";
import { parseCard } from "../core/card.ts";
import { openLedger } from "../ledger/index.ts";
import type { CliContext } from "./context.ts";
import { reportCommand } from "./report.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "godwit-report-"));
  const ledger = await openLedger(join(folder, ".godwit"));
  await ledger.put(richCard());
  ledger.close();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function report(...args: string[]): Promise<{ out: string; err: string }> {
  const text = { out: "", err: "" };
  const output = (name: "out" | "err") => ({
    isTTY: false,
    columns: 80,
    write(content: string | Uint8Array) {
      text[name] += String(content);
      return true;
    },
  });
  const context: CliContext = {
    stdout: output("out"),
    stderr: output("err"),
    stdin: { isTTY: false },
    env: {},
    cwd: folder,
    host: createFakeHost(),
    version: "0.0.0",
    inherited: [],
    setExitCode() {},
  };
  const command = reportCommand(context)
    .exitOverride()
    .configureOutput({
      writeErr: (words) => void context.stderr.write(words),
    });
  await command.parseAsync([...args, "--ledger", join(folder, ".godwit")], { from: "user" });
  return text;
}

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
  });

  test.each([
    [["-o", "a.pdf"], "no format has this ending"],
    [["--html", "a.html", "-o", "b.html"], "name two files"],
    [["-o", ""], "empty text"],
    [["--csv", "--json"], "cannot be used with"],
    [["nothing-of-that-name"], "nothing-of-that-name"],
    [["--html", "no/such/folder/a.html"], "there is no folder"],
  ])("%j is refused and writes nothing", async (args, message) => {
    await expect(report(...args)).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([".godwit"]);
  });
});
