// What a plan is: for each job when and where it runs, what that is expected to emit, what it would have
// emitted if started when submitted, and why it was decided so.

import type { Figure } from "../../core/index.ts";
import type { ScaledRun } from "./policies/carbon-scaler.ts";
import type { SignalBasis, SignalKind } from "./signal.ts";

/** Why a job was placed as it was; a plan is only as good as what it can defend. */
export type Reason =
  | { readonly kind: "policy"; readonly text: string }
  | { readonly kind: "pinned"; readonly text: string }
  | { readonly kind: "deadline"; readonly text: string }
  | { readonly kind: "noise"; readonly text: string }
  | { readonly kind: "zone"; readonly text: string };

/** The job as a scheduler without a signal would have run it. */
export interface Counterfactual {
  readonly zone: string;
  /** When it was submitted, or first allowed to start. Unix seconds. */
  readonly start: number;
  readonly emissions: Figure<"gCO2e">;
}

/** The same plan seen by a signal of another kind. Never added to the plan's own figures. */
export interface SecondView {
  readonly kind: SignalKind;
  readonly basis: SignalBasis;
  /** Grams saved by that signal; negative when the plan emits more. */
  readonly savedGrams: number;
}

export interface JobPlan {
  readonly id: string;
  readonly zone: string;
  /** In order of time. */
  readonly runs: readonly ScaledRun[];
  /** Last moment of a start that keeps the deadline with probability 0.95. */
  readonly latestStart: number;
  readonly expected: Figure<"gCO2e">;
  readonly counterfactual: Counterfactual;
  /** Counterfactual less expected; negative when the plan costs more. */
  readonly saving: Figure<"gCO2e">;
  /** Seconds by which its end is expected to be later than the counterfactual's. */
  readonly delayS: number;
  readonly reasons: readonly Reason[];
  readonly secondViews: readonly SecondView[];
}

export interface Plan {
  readonly schema: "godwit.plan/1";
  readonly plannedAt: number;
  readonly policy: string;
  /** The signal that decided: never two in one plan. */
  readonly kind: SignalKind;
  readonly basis: SignalBasis;
  readonly sources: readonly string[];
  readonly jobs: readonly JobPlan[];
  readonly warnings: readonly string[];
}

/**
 * What may be said of a saving. By average intensity emissions are only reallocated among consumers;
 * what the grid emits less is a marginal question (arXiv 2411.06560), and always an estimate.
 */
export function savingVerb(kind: SignalKind): "reallocated" | "avoided (estimate)" {
  switch (kind) {
    case "average":
      return "reallocated";
    case "marginal":
      return "avoided (estimate)";
    default:
      return kind satisfies never;
  }
}
