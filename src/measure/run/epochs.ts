// Finding epochs in what a training script prints, without touching the script.

import { UserError } from "../../core/index.ts";

/** Longest line that is searched; of a longer one only the last part is. */
const MAX_LINE = 64 * 1024;

/** Where an epoch was first seen. */
export interface EpochMark {
  /** The number printed, or the count of matches where the pattern captures none. */
  readonly epoch: number;
  /** Monotonic nanoseconds. */
  readonly at: bigint;
}

/** Reads output as it comes, in pieces that may end anywhere. */
export interface EpochReader {
  /** The epochs first seen in this piece. */
  feed(text: string, at: bigint): readonly EpochMark[];
}

/** The pattern of `--epoch-pattern`. Throws UserError when it is not a regular expression. */
export function parseEpochPattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new UserError("invalid-input", `not a regular expression: ${source}`, {
      hint: "For lines such as `Epoch 3/100` say --epoch-pattern 'Epoch (\\d+)'.",
      cause: error,
    });
  }
}

/**
 * Marks each epoch once, at the first line (ended by a line feed or a carriage return, as progress
 * bars do) that names it. Lower numbers than the last are repeats, such as of a validation pass.
 */
export function createEpochReader(pattern: RegExp): EpochReader {
  let rest = "";
  let last = Number.NEGATIVE_INFINITY;
  let matches = 0;
  const epochOf = (line: string): number | null => {
    const match = pattern.exec(line);
    if (match === null) return null;
    const number = match.slice(1).find((group) => group !== undefined);
    if (number === undefined) return ++matches;
    const epoch = Number.parseInt(number, 10);
    return Number.isNaN(epoch) ? null : epoch;
  };
  return {
    feed(text, at) {
      const lines = (rest + text).split(/[\r\n]/);
      rest = (lines.pop() ?? "").slice(-MAX_LINE);
      const marks: EpochMark[] = [];
      for (const line of lines) {
        const epoch = epochOf(line.slice(-MAX_LINE));
        if (epoch === null || epoch <= last) continue;
        last = epoch;
        marks.push({ epoch, at });
      }
      return marks;
    },
  };
}
