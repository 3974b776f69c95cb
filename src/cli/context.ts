// What a command of the command line is given instead of `process`, so that a test of a command is
// a function call. Writing is synchronous and never throws: a reader that has gone away (`| head`)
// ends the output, not the program, and a full disk is told at the end.

import { existsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isatty } from "node:tty";
import { reasonOf } from "../core/errors.ts";
import { type Host, hostErrorCode } from "../core/host/host.ts";

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
  /** The file of this program, for what must be started as a process of its own. */
  readonly program: string;
  /** Open files above standard error that godwit was started with; see `inheritedFiles`. */
  readonly inherited: readonly number[];
  /**
   * Ends the process with this code once the command has returned; or by this signal, as a measured
   * command that was ended by one.
   */
  setExitCode(code: number, signal?: NodeJS.Signals): void;
  /**
   * The measured command runs and godwit has nothing to do but sample: memory is given back soon. What
   * comes back is called when the command has ended.
   */
  settle(): () => void;
}

/**
 * The current folder. One that was deleted meanwhile has no path, and what is measured may do
 * without: then it is the nearest folder above it that is left.
 */
export function currentFolder(env: CliContext["env"]): string {
  try {
    return process.cwd();
  } catch {
    let folder = env["PWD"] ?? "/";
    while (!existsSync(folder)) folder = dirname(folder);
    return folder;
  }
}

/**
 * An output of this process; `onFault` hears why the rest of it is lost, unless its reader went
 * away. Node's own streams are not used: they would set a pipe that the measured command shares to
 * non-blocking.
 */
export function processOutput(fd: 1 | 2, onFault: (reason: string) => void = () => {}): Output {
  let open = true;
  return {
    isTTY: isatty(fd),
    get columns() {
      const stream = fd === 1 ? process.stdout : process.stderr;
      return (isatty(fd) ? stream.columns : undefined) || 80;
    },
    write(content) {
      if (!open) return false;
      try {
        writeAll(fd, Buffer.from(content));
      } catch (error) {
        open = false;
        if (hostErrorCode(error) !== "EPIPE") onFault(reasonOf(error));
      }
      return open;
    },
  };
}

/** Longest wait in all for a reader that is slow, milliseconds; then the rest is dropped. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 5;

/** Writes all of it. Throws node's error. */
function writeAll(fd: number, bytes: Uint8Array): void {
  let offset = 0;
  let waited = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // Somebody else may have set the shared file to non-blocking.
      if (hostErrorCode(error) !== "EAGAIN" || waited >= PATIENCE_MS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      waited += PAUSE_MS;
    }
  }
}
