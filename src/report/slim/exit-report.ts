// What `godwit slim exit` found, as plain data: the JSON of `--json`, and what its text is made of.

import type { SlimCost, SlimFile, SlimReport, SlimTrial } from "./report.ts";

/** A place to leave at that was tried. */
export interface TriedExit {
  /** The value that the head reads. */
  readonly value: string;
  /** Share of the multiply-accumulates before it. */
  readonly work: number;
  /** Of the head alone, on the samples for thresholds. */
  readonly accuracy: number;
  /** CPU time over that of the model without exits: of a sample that leaves here, and of one that stays. */
  readonly leave: number;
  readonly stay: number;
  /** From which confidence a sample leaves, and which share of the samples do; null where the file has no such exit. */
  readonly threshold: number | null;
  readonly share: number | null;
}

/** The answer as JSON. */
export interface EarlyExitReport
  extends Pick<SlimReport, "outcome" | "answer" | "energy" | "cards"> {
  readonly schema: "godwit.slim-exit/1";
  readonly godwit: string;
  readonly runtime: string;
  readonly original: SlimFile;
  readonly result: SlimFile | null;
  readonly data: {
    readonly name: string;
    readonly heads: number;
    readonly temperatures: number;
    readonly thresholds: number;
    readonly verify: number;
    readonly notes: readonly string[];
  };
  readonly maxDrop: number;
  readonly tried: readonly TriedExit[];
  /** What is to be expected of the exits of the file, or of those that cannot be shown; null for none. */
  readonly expected: {
    readonly ratio: number;
    readonly worst: number;
    readonly drop: number;
    readonly stays: number;
  } | null;
  readonly trials: readonly SlimTrial[];
  readonly costs: readonly SlimCost[];
}
