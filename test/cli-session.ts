// The command line as a function call: a made-up project folder, what was printed, the exit code.

import { fileURLToPath } from "node:url";
import type { CliContext } from "../src/cli/context.ts";
import { runProgram } from "../src/cli/program.ts";
import { createFakeHost, type FakeMachine } from "./fake-host.ts";

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output, byte for byte. */
  readonly bytes: Buffer;
}

export interface SessionOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly isTTY?: boolean;
  readonly machine?: FakeMachine;
  /** In place of a fake host. */
  readonly host?: CliContext["host"];
}

export interface Session {
  readonly context: CliContext;
  readonly printed: { readonly out: Buffer[]; readonly err: Buffer[] };
}

/** A context on a fake host that keeps what is printed. */
export function createSession(options: SessionOptions): Session {
  const { cwd, env = {}, columns = 80, isTTY = false, machine = {} } = options;
  const printed = { out: [] as Buffer[], err: [] as Buffer[] };
  const output = (name: "out" | "err"): CliContext["stdout"] => ({
    isTTY,
    columns,
    write: (content) => printed[name].push(Buffer.from(content)) > 0,
  });
  const context: CliContext = {
    stdout: output("out"),
    stderr: output("err"),
    stdin: { isTTY },
    env,
    cwd,
    host: options.host ?? createFakeHost(machine),
    version: "0.0.0",
    inherited: [],
    settle: () => () => {},
    program: fileURLToPath(new URL("../src/cli/main.ts", import.meta.url)),
    setExitCode() {},
  };
  return { context, printed };
}

/** This process's own, for sessions on the real machine. */
export const ENVIRONMENT = process.env as Readonly<Record<string, string>>;

/** Runs one command line (without `godwit`). */
export async function godwit(args: readonly string[], options: SessionOptions): Promise<Answer> {
  const { context, printed } = createSession(options);
  const code = await runProgram(context, args);
  const bytes = Buffer.concat(printed.out);
  return { code, bytes, out: bytes.toString(), err: Buffer.concat(printed.err).toString() };
}
