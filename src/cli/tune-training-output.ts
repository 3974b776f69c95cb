// The output of a training run, kept in a file, passed on and searched line by line for progress and metric.

import { closeSync, openSync, readSync } from "node:fs";
import { UserError } from "../core/index.ts";

export interface OutputFollower {
  /** Reads what has come since the last call. */
  poll(): void;
  close(): void;
}

/** Longest line that is searched. */
const MOST_LINE = 64 * 1024;

/** Follows a file that another process writes. */
export function followOutput(
  path: string,
  on: { readonly text: (bytes: Uint8Array) => void; readonly line: (line: string) => void },
): OutputFollower {
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(64 * 1024);
  const decoder = new TextDecoder();
  let rest = "";
  return {
    poll() {
      for (;;) {
        const count = readSync(file, buffer, 0, buffer.length, null);
        if (count === 0) return;
        const piece = buffer.subarray(0, count);
        on.text(Buffer.from(piece));
        const lines = (rest + decoder.decode(piece, { stream: true })).split(/[\r\n]/);
        rest = (lines.pop() ?? "").slice(-MOST_LINE);
        for (const line of lines) on.line(line.slice(-MOST_LINE));
      }
    },
    close: () => closeSync(file),
  };
}

/** A pattern of the command line. Throws UserError when it is no regular expression. */
export function parsePattern(option: string, source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new UserError("usage", `${option}: not a regular expression: ${source}`, {
      hint: "For lines such as `val_acc=0.91` give 'val_acc=([\\d.]+)'.",
      cause,
    });
  }
}

/** The number that the first group of a pattern captures in a line; null when it does not match. */
export function numberIn(line: string, pattern: RegExp): number | null {
  const text = pattern
    .exec(line)
    ?.slice(1)
    .find((group) => group !== undefined);
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
