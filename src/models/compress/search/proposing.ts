// What proposing recipes works with.

import type { Feeds, PassContext } from "../pass.ts";
import type { Candidate, Objective } from "./candidate.ts";
import type { Store } from "./memo.ts";
import type { RecipeStep } from "./recipe.ts";

/** Kinds of pass that the search may use beside simplifying. */
export type Allowed = "quantise" | "prune" | "factorise" | "distil";

export interface ProposeOptions {
  readonly allow: readonly Allowed[];
  /** `quick`: int8 only, few variants. `normal`. `high`: more shares and methods. */
  readonly effort: "quick" | "normal" | "high";
  readonly objective: Objective;
  readonly store: Store;
  /** Its signal ends the proposing. */
  readonly context: PassContext;
  /** One run's inputs, for times of nodes. */
  readonly feeds: Feeds;
  /** Samples in one of the context's calibration inputs. */
  readonly batch: number;
  /** Judges a recipe on few rows; null for one that cannot be built. */
  readonly judge: (steps: readonly RecipeStep[], signal: AbortSignal) => Promise<Candidate | null>;
  /** Whether a candidate may be within the budget of quality. */
  readonly isWithin: (candidate: Candidate) => boolean;
  /** Whether the metric compares classes; students then learn softened probabilities. */
  readonly match: "logits" | "features";
  /** Rows that students learn from, and how long the original takes for one. */
  readonly trainingRows: number;
  readonly secondsARow: number;
  readonly secondsLeft: () => number;
  readonly onRefused: (what: string, reason: string) => void;
}

/** The step that goes before all others. */
export const SIMPLIFY: RecipeStep = { pass: "simplify", options: {} };

/** Simplifying alone. */
export const SIMPLIFIED: readonly RecipeStep[] = [SIMPLIFY];

/** Samples that scans look at: every node, and every share of every group, runs them all. */
const SCAN_SAMPLES = 8;

/** Calibration inputs that hold the samples of a scan. */
export const inputsFor = ({ batch }: ProposeOptions): number => Math.ceil(SCAN_SAMPLES / batch);
