// What a command of the command line is given instead of `process`, so that a test of a command is
// a function call. Writing is synchronous and never fails: a reader that has gone away (`| head`)
// ends the output, not the program.

import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { Host } from "../core/index.ts";

/** Standard output or standard error. */
export interface Output {
  readonly isTTY: boolean;
  /** Columns of the terminal, 80 when unknown. */
  readonly columns: number;
  /** Writes text, or bytes as they are; false once nobody reads any more. */
  write(content: string | Uint8Array): boolean;
}

export interface CliContext {
  /** Data. */
  readonly stdout: Output;
  /** Talk. */
  readonly stderr: Output;
  readonly stdin: { readonly isTTY: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly host: Host;
  readonly version: string;
  /** Open files above standard error that godwit was started with; see `inheritedFiles`. */
  readonly inherited: readonly number[];
  /**
   * Ends the process with this code once the command has returned; or by this signal, as a measured
   * command that was ended by one.
   */
  setExitCode(code: number, signal?: NodeJS.Signals): void;
}

/**
 * An output of this process. Node's own streams are not used: they would set a pipe that the
 * measured command shares to non-blocking.
 */
export function processOutput(fd: 1 | 2): Output {
  let open = true;
  return {
    isTTY: isatty(fd),
    get columns() {
      const stream = fd === 1 ? process.stdout : process.stderr;
      return (isatty(fd) ? stream.columns : undefined) || 80;
    },
    write(content) {
      open &&= writeAll(fd, Buffer.from(content));
      return open;
    },
  };
}

/** Longest wait in all for a reader that is slow, milliseconds; then the rest is dropped. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 5;

function writeAll(fd: number, bytes: Uint8Array): boolean {
  let offset = 0;
  let waited = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // Somebody else may have set the shared file to non-blocking.
      const full = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!full || waited >= PATIENCE_MS) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      waited += PAUSE_MS;
    }
  }
  return true;
}
