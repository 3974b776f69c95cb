// What a search is given, and what it tells while it goes on.

import type { Seconds } from "../../../core/index.ts";
import type { Judge } from "../judge/evaluate.ts";
import type { Samples } from "../judge/samples.ts";
import type { ThreeSplits } from "../judge/three-splits.ts";
import type { PassContext } from "../pass.ts";
import type { Candidate, Objective } from "./candidate.ts";
import type { Store } from "./memo.ts";
import type { Allowed } from "./proposing.ts";

export interface SearchOptions {
  readonly samples: Omit<Samples, "rows">;
  readonly splits: ThreeSplits;
  readonly judge: Judge;
  /** Largest drop of the mean score; 0 or less allows only what leaves outputs as they are. */
  readonly maxDrop: number;
  readonly objective: Objective;
  readonly allow: readonly Allowed[];
  readonly effort: "quick" | "normal" | "high";
  /** Samples in a run of the deployed model. */
  readonly batch: number;
  /** How long each candidate runs in each round of measuring. Default: by effort. */
  readonly roundTime?: Seconds;
  /** Probability of a wrong claim of the verification that follows. */
  readonly alpha: number;
  readonly store: Store;
  readonly context: Omit<PassContext, "calibration">;
  /**
   * Seconds that are left. Scans, training and judging are broken off when they are over; of measuring the
   * first five rounds are run all the same.
   */
  readonly secondsLeft: () => number;
  readonly onEvent: (event: SearchEvent) => void;
}

/** What happens, for progress. */
export type SearchEvent =
  | { readonly kind: "stage"; readonly stage: string; readonly total: number | null }
  | { readonly kind: "candidate"; readonly candidate: Candidate; readonly done: number }
  | { readonly kind: "refused"; readonly what: string; readonly reason: string }
  | { readonly kind: "out-of-time" };

/** Options of a search that has begun: what is refused is written down. */
export interface SearchUnderWay extends SearchOptions {
  readonly onRefused: (what: string, reason: string) => void;
}
