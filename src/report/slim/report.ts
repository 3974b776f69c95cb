// What `godwit slim` found, as plain data: the JSON of `--json`, and what the pages are made of.

import type { Figure } from "../../core/index.ts";
import type {
  CostRatio,
  Recipe,
  SearchCandidate,
  Verification,
} from "../../models/compress/index.ts";

export const SLIM_SCHEMA = "godwit.slim/1";

/** A file and what it is known by. */
export interface SlimFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** How long one sample takes, with some settings; CPU seconds and seconds. */
export interface SlimCost {
  readonly name: string;
  readonly settings: string;
  readonly cpu: { readonly median: number; readonly low: number; readonly high: number };
  readonly latency: { readonly p50: number; readonly p95: number };
  /** CPU time over that of the original with tuned settings. */
  readonly ratio: CostRatio;
}

/** One verification: the candidate and what was found. Per-sample scores are left out. */
export interface SlimTrial {
  readonly name: string;
  readonly verdict: Verification["verdict"];
  readonly faults: readonly string[];
  readonly before: { readonly value: number; readonly interval: readonly [number, number] | null };
  readonly after: { readonly value: number; readonly interval: readonly [number, number] | null };
  readonly test: Verification["test"];
  readonly difference: Verification["difference"];
  readonly answers: Verification["answers"];
}

export type Outcome = "improved" | "not-shown" | "nothing" | "faulty";

export interface SlimReport {
  readonly schema: typeof SLIM_SCHEMA;
  readonly godwit: string;
  readonly runtime: string;
  readonly madeAt: string;
  readonly machine: { readonly id: string; readonly cpu: string; readonly int8: string };
  readonly outcome: Outcome;
  /** The answer in a sentence. */
  readonly answer: string;
  readonly original: SlimFile;
  /** Null when nothing was written. */
  readonly result: SlimFile | null;
  readonly data: {
    readonly name: string;
    readonly calibration: number;
    /** What students may learn from, calibration rows among it; 0 where nothing learns. */
    readonly training: number;
    readonly search: number;
    readonly verify: number;
    readonly notes: readonly string[];
  };
  readonly metric: string;
  readonly maxDrop: number;
  readonly objective: string;
  /** Null when nothing was written. */
  readonly recipe: Recipe | null;
  readonly tuning: readonly SlimCost[];
  readonly candidates: readonly SearchCandidate[];
  /** Names of the candidates that no other one beats. */
  readonly front: readonly string[];
  readonly trials: readonly SlimTrial[];
  readonly costs: readonly SlimCost[];
  readonly energy: {
    /** Of one sample, before and after; null where nothing tells it. */
    readonly before: Figure<"J"> | null;
    readonly after: Figure<"J"> | null;
    /** What this search itself used. */
    readonly spent: Figure<"J"> | null;
    /** Samples after which it is paid back; null where nothing is saved. */
    readonly paidBackAfter: number | null;
  };
  /** Time by operator of one run, seconds. */
  readonly operators: readonly {
    readonly operator: string;
    readonly before: number;
    readonly after: number;
  }[];
  readonly refused: readonly { readonly what: string; readonly reason: string }[];
  /** How to make the same file again. */
  readonly command: string;
  readonly cards: readonly { readonly what: string; readonly id: string }[];
}
