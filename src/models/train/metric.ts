// What quality is measured by.

import type { TensorValue } from "../../engine/index.ts";

/** A quality and what is known of how sure it is. */
export interface Quality {
  readonly metric: string;
  readonly value: number;
  /** 90 % interval over samples; null where there is none. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly samples: number;
}

/** A measure of predictions against the truth, one row a sample. */
export interface Metric {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** Throws UserError where the two do not fit. */
  of(predictions: TensorValue, truth: TensorValue): Quality;
}
