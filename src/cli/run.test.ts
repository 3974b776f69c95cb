import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createFakeHost } from "../../test/fake-host.ts";
import type { CliContext, Output } from "./context.ts";
import { runProgram } from "./program.ts";

/** A host whose shipped tables cannot be read. */
function bareContext(): { readonly context: CliContext; readonly out: () => string } {
  let text = "";
  const output = (keep: boolean): Output => ({
    isTTY: false,
    columns: 80,
    write(content) {
      if (keep) text += content;
      return true;
    },
  });
  const context: CliContext = {
    stdout: output(true),
    stderr: output(false),
    stdin: { isTTY: false },
    env: process.env,
    cwd: "/",
    host: {
      ...createFakeHost(),
      readData: () => Promise.reject(new Error("the disk is gone")),
    },
    version: "0.0.0",
    inherited: [],
    settle: () => () => {},
    program: fileURLToPath(new URL("./main.ts", import.meta.url)),
    setExitCode() {},
  };
  return { context, out: () => text };
}

test("when nothing can be measured the command runs all the same, and a notice says why", async () => {
  const { context, out } = bareContext();
  const args = ["run", "--json", "-", "--ledger", "/nowhere", "sh", "-c", "exit 3"];
  expect(await runProgram(context, args)).toBe(3);
  expect(JSON.parse(out())).toMatchObject({
    runs: [],
    notices: ["not measured: the disk is gone"],
  });
});

test("where a measurement is required, a fault of ours is 125 and the command does not run", async () => {
  const { context, out } = bareContext();
  const args = ["run", "--require", "measured", "--json", "-", "--ledger", "/nowhere", "true"];
  expect(await runProgram(context, args)).toBe(125);
  expect(out()).toBe("");
});
