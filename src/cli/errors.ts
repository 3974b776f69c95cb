// How a fault is told: the error line, indented facts, what to do about it. A stack trace is shown
// only when asked for (--debug), or as part of a report when the fault is ours.

import { EXIT, reasonOf, UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

export interface ErrorOptions {
  readonly debug: boolean;
  readonly color?: ColorChoice;
}

/** Prints anything thrown and returns the exit code that stands for it. */
export function reportError(context: CliContext, error: unknown, options: ErrorOptions): number {
  const paint = painter(wantsColor(context.stderr, context.env, options.color));
  const known = error instanceof UserError;
  const [first = "", ...more] = reasonOf(error).split("\n");
  const lines = [
    `${paint("bad", "error:")} ${known ? "" : "godwit failed: "}${first}`,
    ...more.map((line) => `  ${line}`),
    ...(known ? fact("fix", error.hint) : []),
    ...(known ? [] : fact("why", "this is a fault of godwit; --debug shows where")),
    ...(options.debug && error instanceof Error ? stackOf(error) : []),
  ];
  context.stderr.write(`${lines.join("\n")}\n`);
  return known ? error.exitCode : EXIT.failed;

  function fact(label: string, text: string): string[] {
    const [head = "", ...rest] = text.split("\n");
    return [`  ${paint("quiet", label)}  ${head}`, ...rest.map((line) => `       ${line}`)];
  }
}

function stackOf(error: Error): string[] {
  const own = (error.stack ?? "").split("\n").slice(1);
  const cause = error.cause === undefined ? [] : [`  cause: ${reasonOf(error.cause)}`];
  return [...own, ...cause];
}
