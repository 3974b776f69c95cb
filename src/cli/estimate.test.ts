import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import { openLedger } from "../ledger/index.ts";
import { METHODS } from "../measure/methods/index.ts";
import {
  parseGigabytes,
  parseGpu,
  parseHours,
  parseLarge,
  parseShare,
  parseWatts,
} from "./estimate-values.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-estimate-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const estimate = (...args: readonly string[]): Promise<Answer> =>
  godwit(["estimate", ...args], { cwd });
const SERVER = ["--cpu", "AMD EPYC 7763", "--sockets", "2", "--memory", "512", "--hours", "12"];

describe("godwit estimate", () => {
  test("answers energy and emissions with intervals, parts, place and what was assumed", async () => {
    const { out, code } = await estimate(...SERVER, "--usage", "60%", "--location", "FR");
    expect(code).toBe(0);
    expect(out).toMatch(/^2 x AMD EPYC 7763 at 60 %, 512 GB, 12 h on a server\n/);
    expect(out).toMatch(/energy +\S+ MJ \(\S+ to \S+\), \S+ kWh, estimated/);
    expect(out).toMatch(/memory +1\.35 kWh: 0\.22 W\/GB/);
    expect(out).toContain("France, by --location");
    expect(out).toContain("no PUE was given");
  });

  test("--method all shows every tool with reasons, in 80 columns", async () => {
    const { out, err } = await estimate(
      ...SERVER,
      "--gpu",
      "8xA100 SXM4 40GB",
      "--location",
      "DE",
      "--method",
      "all",
    );
    for (const { name } of METHODS) expect(out).toContain(`\n${name} `);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(out).toMatch(/memory: 0\.3725 W\/GB against 0\.22 W\/GB/);
    expect(out).toMatch(/gpu: not counted, it reads GPU energy counters only/);
    expect(err).toBe("> without what the method does not count\n");
  });

  test("--method NAME shows its arithmetic with the numbers filled in", async () => {
    const { out } = await estimate(
      "--tdp",
      "200",
      "--memory",
      "64",
      "--hours",
      "3",
      "--method",
      "green-algorithms",
    );
    expect(out).toContain("64 GB x 0.3725 W/GB = 23.84 W x 3 h");
    expect(out).toContain("doi:10.1002/advs.202100707");
  });

  test("--json has units in its names, and no answer is null with a reason", async () => {
    const { out } = await estimate(...SERVER, "--method", "all", "--json");
    const answer = JSON.parse(out) as {
      schema: string;
      godwit: { energy: { low: number; high: number } };
      methods: { name: string; energy_j: number | null; unsupported?: string }[];
    };
    expect(answer.schema).toBe("godwit.estimate/1");
    expect(answer.godwit.energy.low).toBeLessThan(answer.godwit.energy.high);
    expect(answer.methods).toHaveLength(METHODS.length);
    for (const { energy_j, unsupported } of answer.methods) {
      expect(energy_j === null).toBe(unsupported !== undefined);
      expect(energy_j).not.toBe(0);
    }
  });

  test("--from compares a recorded run with all tools", async () => {
    const ledger = await openLedger(join(cwd, ".godwit"));
    await ledger.put(exampleCard());
    ledger.close();
    const { out, code } = await estimate("--from", "last");
    expect(code).toBe(0);
    expect(out).toMatch(/\nrun example +1\.25 Wh +475 mgCO2e +1 /);
    expect(out).toContain("\ngreen-algorithms ");
    expect((await estimate("--from", "last", "--hours", "3")).err).toContain("--from takes");
  });

  test("a cloud region brings its place and its published PUE", async () => {
    const guest = ["--cpu", "AMD EPYC 7763", "--threads", "8", "--memory", "32", "--hours", "10"];
    const { out } = await estimate(...guest, "--cloud", "gcp/europe-west9");
    expect(out).toMatch(/on a guest\n/);
    expect(out).toContain("by --cloud");
    const declared = await estimate(...guest, "--cloud", "gcp/europe-west9", "--location", "PL");
    expect(declared.out).toContain("Poland, by --location");
  });

  test("a place given to a subcommand is the subcommand's", async () => {
    const { out } = await estimate(
      "training",
      "--params",
      "7B",
      "--tokens",
      "1T",
      "--on",
      "H200",
      "--location",
      "FR",
    );
    expect(out).toContain("4.20e+22 FLOP");
    expect(out).toContain("France, by --location");
  });

  test("a request to a language model states what its interval is", async () => {
    const { out } = await estimate(
      "llm",
      "--params",
      "70B",
      "--count",
      "4",
      "--input",
      "2000",
      "--location",
      "US",
    );
    expect(out).toMatch(/a token +\S+ J \(\S+ to \S+\)/);
    expect(out.replace(/\s+/g, " ")).toContain("vendors and tasks that the fit had not seen");
    expect(out).toContain("batch unknown");
  });
});

describe("what cannot be read is refused with a remedy", () => {
  test.each([
    [["--cpu", "AMD EPYC 7764", "--hours", "1"], /Did you mean "epyc 7763"/],
    [["--gpu", "A100", "--hours", "1"], /A100-SXM4-40GB/],
    [["--gpu", "GeForce RTX 4091", "--hours", "1"], /Did you mean ".*4090"/],
    [["--tdp", "65", "--hours", "1", "--method", "codecarbn"], /Did you mean codecarbon\?/],
    [["--tdp", "65"], /--hours/],
    [["--tdp", "65", "--hours=-3"], /hours cannot be right/],
    [["--tdp", "65", "--hours", "3 fortnights"], /--hours/],
    [["--tdp", "-5", "--hours", "3"], /watts above zero/],
    [["--tdp", "65", "--hours", "3", "--usage", "130%"], /--usage/],
    [["--tdp", "65", "--hours", "3", "--memory", "64mb"], /--memory/],
    [["--tdp", "65", "--hours", "3", "--pue", "0.9"], /PUE/],
    [["--tdp", "65", "--hours", "3", "--location", "Germny"], /Germany/],
    [["--tdp", "65", "--hours", "3", "--cloud", "gcp"], /PROVIDER\/REGION/],
    [["--tdp", "65", "--hours", "3", "--cloud", "gcp/moon-west1"], /moon-west1/],
    [["--tdp", "65", "--hours", "3", "--cloud", "gcp/europe-west9"], /--threads/],
    [["--hours", "3"], /neither a CPU/],
    [["training", "--params", "7B", "--on", "H200"], /--tokens/],
    [["training", "--params", "7B", "--tokens", "1T", "--flops", "1e22", "--on", "H200"], /twice/],
    [["training", "--params", "7B", "--tokens", "1T", "--on", "A100"], /may be several/],
    [["llm", "--params", "8B", "--active", "70B"], /more parameters/],
    [["llm", "--params", "70B", "--on", "T4"], /H100 and B200/],
  ])("%j", async (args, text) => {
    const { code, err, out } = await estimate(...args);
    expect(code).not.toBe(0);
    expect(out).toBe("");
    expect(err).toMatch(text);
  });
});

describe("values", () => {
  test.each([
    ["12", 12],
    ["90min", 1.5],
    ["2d", 48],
    ["0.5", 0.5],
  ])("%s hours", (text, hours) => expect(parseHours("--hours", text)).toBeCloseTo(hours, 12));
  test.each([
    ["0.7", 0.7],
    ["70%", 0.7],
    ["1", 1],
    ["0", 0],
  ])("a share of %s", (text, share) => expect(parseShare("--usage", text)).toBeCloseTo(share, 12));
  test.each([
    ["64", 64],
    ["512GiB", 549.755813888],
    ["1.5TB", 1500],
  ])("%s of memory", (text, size) => expect(parseGigabytes("--memory", text)).toBeCloseTo(size, 9));
  test.each([
    ["175B", 175e9],
    ["1.5T", 1.5e12],
    ["3.14e23", 3.14e23],
  ])("%s", (text, value) => expect(parseLarge("--params", text)).toBe(value));
  test("GPUs with a number and watts", () => {
    expect(parseGpu("--gpu", "8xH100 80GB HBM3")).toEqual({
      count: 8,
      name: "H100 80GB HBM3",
      watts: null,
    });
    expect(parseGpu("--gpu", "2 x Own Board:350W")).toEqual({
      count: 2,
      name: "Own Board",
      watts: 350,
    });
    expect(parseGpu("--gpu", "RTX 4090")).toEqual({ count: 1, name: "RTX 4090", watts: null });
    expect(() => parseGpu("--gpu", "0xH100")).toThrow(/--gpu/);
    expect(() => parseGpu("--gpu", " ")).toThrow(/--gpu/);
  });
  test("watts", () => {
    expect(parseWatts("--tdp", "1.2kW")).toBe(1200);
    expect(() => parseWatts("--tdp", "0")).toThrow(/--tdp/);
  });
});

describe("godwit methods", () => {
  test("lists all in 80 columns and says how to see more", async () => {
    const { out, err } = await godwit(["methods"], { cwd });
    for (const { name, scope } of METHODS)
      expect(out).toMatch(new RegExp(`^${name} .*${scope}`, "m"));
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(err).toContain("godwit methods NAME");
  });
  test("shows constants with sources and known defects of one", async () => {
    const { out } = await godwit(["methods", "carbontracker"], { cwd });
    expect(out).toMatch(/pue +1\.58, carbontracker\/constants\.py/);
    expect(out).toContain("- a PUE of 1.58 is applied everywhere, on a laptop too");
  });
  test("prints JSON, and suggests a name", async () => {
    const { out } = await godwit(["methods", "--json"], { cwd });
    const { schema, methods } = JSON.parse(out) as { schema: string; methods: unknown[] };
    expect(schema).toBe("godwit.methods/1");
    expect(methods).toHaveLength(METHODS.length);
    expect((await godwit(["methods", "boavista"], { cwd })).err).toContain("boavizta");
  });
});
