import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../test/fake-host.ts";
import { UserError } from "../core/index.ts";
import type { CliContext, Output } from "./context.ts";
import { reportError } from "./errors.ts";
import { runProgram } from "./program.ts";
import { painter, wantsColor } from "./terminal.ts";

interface Told {
  readonly context: CliContext;
  out(): string;
  err(): string;
}

function told(env: Record<string, string> = {}): Told {
  const texts = { out: "", err: "" };
  const output = (name: "out" | "err"): Output => ({
    isTTY: false,
    columns: 80,
    write(content) {
      texts[name] += content;
      return true;
    },
  });
  return {
    out: () => texts.out,
    err: () => texts.err,
    context: {
      stdout: output("out"),
      stderr: output("err"),
      stdin: { isTTY: false },
      env,
      cwd: "/",
      host: createFakeHost(),
      version: "1.2.3",
      inherited: [],
      settle: () => () => {},
      program: fileURLToPath(new URL("./main.ts", import.meta.url)),
      setExitCode() {},
    },
  };
}

describe("the frame", () => {
  test("without arguments it says what there is, on standard output", async () => {
    const { context, out, err } = told();
    expect(await runProgram(context, [])).toBe(0);
    expect(out()).toMatch(/Usage: godwit[\s\S]*run .*Run a command/);
    expect(err()).toBe("");
  });

  test("--help and --version are answers, not errors", async () => {
    for (const args of [["--help"], ["run", "--help"], ["help", "run"]]) {
      const { context, out } = told();
      expect(await runProgram(context, args)).toBe(0);
      expect(out()).toContain("Usage: ");
    }
    const { context, out } = told();
    expect(await runProgram(context, ["--version"])).toBe(0);
    expect(out()).toBe("1.2.3\n");
  });

  test("global options may stand before the command", async () => {
    const { context, err } = told();
    expect(await runProgram(context, ["--color", "always", "run", "--pue", "x", "true"])).toBe(2);
    expect(err()).toContain("\u001b[31merror:");
  });

  test("descriptions wrap beside the longest names of options and parts", async () => {
    const { context, out } = told();
    await runProgram(context, ["slim", "--help"]);
    const lines = (out().split("\nEnds with")[0] ?? "").split("\n");
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test("the help of run ends with examples and names the exit codes", async () => {
    const { context, out } = told();
    await runProgram(context, ["run", "--help"]);
    expect(out()).toContain("$ godwit run -- python train.py");
    expect(out()).toContain("help exit-codes");
  });

  test.each(["sensors", "units", "exit-codes", "config"])("there is help on %s", async (topic) => {
    const { context, out } = told();
    expect(await runProgram(context, ["help", topic])).toBe(0);
    expect(out().length).toBeGreaterThan(200);
    for (const line of out().split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("the help on configuration names every variable that the sources read", async () => {
    const { context, out } = told();
    await runProgram(context, ["help", "config"]);
    const sources = join(import.meta.dirname, "..");
    const names = globSync("**/*.ts", { cwd: sources, exclude: ["**/*.test.ts"] }).flatMap(
      (file) => readFileSync(join(sources, file), "utf8").match(/\bGODWIT_[A-Z][A-Z_]+/g) ?? [],
    );
    const read = new Set(names);
    expect(read.size).toBeGreaterThan(5);
    for (const name of read) expect(out()).toContain(name);
  });

  test("a mistyped topic, command or option is met with the nearest one", async () => {
    for (const [args, near] of [
      [["help", "sensor"], "sensors"],
      [["rnu"], "run"],
      [["run", "--tagg", "a=b", "x"], "--tag"],
    ] as const) {
      const { context, err } = told();
      expect(await runProgram(context, args)).toBe(2);
      expect(err()).toContain(`  fix  Did you mean ${near}?\n`);
    }
  });

  test.each([
    [["run"], "godwit run"],
    [["export", "--csv"], "godwit export"],
    [["compare", "a"], "godwit compare"],
    [["--bogus"], "godwit"],
  ])(
    "wrong usage (%j) is told with the command that explains the right one",
    async (args, name) => {
      const { context, err } = told();
      expect(await runProgram(context, args)).toBe(2);
      expect(err()).toMatch(/^error: /);
      expect(err()).toContain(`\n  fix  ${name} --help shows how it is used.\n`);
    },
  );
});

describe("errors", () => {
  const fault = new UserError("not-found", "no such thing\npath  /x", {
    hint: "Look elsewhere.",
    cause: new Error("ENOENT"),
  });

  test("name the fault, the facts and the remedy, without a stack", () => {
    const { context, err } = told();
    expect(reportError(context, fault, { debug: false })).toBe(127);
    expect(err()).toBe("error: no such thing\n  path  /x\n  fix  Look elsewhere.\n");
  });

  test("show where they came from when asked", () => {
    const { context, err } = told();
    reportError(context, fault, { debug: true });
    expect(err()).toMatch(/\n {4}at /);
    expect(err()).toContain("cause: ENOENT");
  });

  test("that are ours say so, and are no stack either", () => {
    const { context, err } = told();
    expect(reportError(context, new TypeError("x is not a function"), { debug: false })).toBe(1);
    expect(err()).toContain("a fault of godwit");
    expect(err()).not.toContain("    at ");
  });
});

describe("colours", () => {
  const terminal: Output = { isTTY: true, columns: 80, write: () => true };
  const pipe: Output = { ...terminal, isTTY: false };

  test.each([
    ["a terminal has them", terminal, {}, "auto", true],
    ["a pipe has none", pipe, {}, "auto", false],
    ["NO_COLOR takes them away", terminal, { NO_COLOR: "1" }, "auto", false],
    ["an empty NO_COLOR does not count", terminal, { NO_COLOR: "" }, "auto", true],
    ["FORCE_COLOR brings them to a pipe", pipe, { FORCE_COLOR: "1" }, "auto", true],
    ["FORCE_COLOR=0 takes them away", terminal, { FORCE_COLOR: "0" }, "auto", false],
    [
      "NO_COLOR is stronger than FORCE_COLOR",
      pipe,
      { NO_COLOR: "1", FORCE_COLOR: "1" },
      "auto",
      false,
    ],
    ["a dumb terminal has none", terminal, { TERM: "dumb" }, "auto", false],
    ["--color=always is strongest", pipe, { NO_COLOR: "1" }, "always", true],
    ["--color=never is strongest", terminal, { FORCE_COLOR: "1" }, "never", false],
  ] as const)("%s", (_, output, env, choice, expected) => {
    expect(wantsColor(output, env, choice)).toBe(expected);
  });

  test("a painter without colours leaves text alone, one with them does not look again", () => {
    expect(painter(false)("bad", "text")).toBe("text");
    expect(painter(true)("bad", "text")).toBe("\u001b[31mtext\u001b[39m");
  });
});
