// Exits at values that the caller names: heads, thresholds and what is to be expected of them. Method notes:
// docs/methods/early-exit.md.

import { UserError } from "../../../core/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { type FitHeadsOptions, fitHeads } from "./fit-heads.ts";
import type { ExitDesign } from "./segments.ts";
import { exitStages } from "./stages.ts";
import { chooseThresholds, type ExitPlan, type HeadRecord, NEVER } from "./thresholds.ts";
import { macsOf } from "./work.ts";

/** The values are one to three. */
export interface TrainExitsOptions extends FitHeadsOptions {
  /** Accuracy that may be lost on `choose`, as a share. Default: 0.005. */
  readonly maxDrop?: number;
  /** Measured cost of each stage, heads included. Default: multiply-accumulates of one row. */
  readonly costs?: readonly number[];
}

export interface TrainedExits extends ExitDesign {
  /** What the thresholds do on `choose`. */
  readonly plan: ExitPlan;
  /** Accuracy of the model itself on the same samples. */
  readonly baseAccuracy: number;
  /** Cost of each stage; a row that leaves at exit k has paid for stages 0 to k. */
  readonly costs: readonly number[];
  /** Cost of the model itself: a row that goes to the end pays more, by the heads. */
  readonly baseCost: number;
}

/** Trains heads and chooses thresholds. The model is not changed; see `exitModel` and `exitStages`. */
export async function trainExits(model: Model, options: TrainExitsOptions): Promise<TrainedExits> {
  const { at, maxDrop = 0.005 } = options;
  if (at.length < 1 || at.length > 3)
    throw new UserError("usage", `${at.length} heads; one to three are fitted`, {
      hint: "Name one to three of the values that `cutPoints` lists.",
    });
  const { heads, confidence, answers, right } = await fitHeads(model, options);
  const whole = { model, heads, confidence, thresholds: heads.map(() => NEVER) };
  const costs = options.costs ?? exitStages(whole).map(({ model: stage }) => macsOf(stage));
  const records = answers.map((own, exit): HeadRecord => ({ ...own, cost: upTo(costs, exit) }));
  const baseAccuracy = right.reduce((sum, one) => sum + one, 0) / right.length;
  const plan = chooseThresholds(
    records,
    { right, cost: upTo(costs, heads.length) },
    ({ accuracy }) => accuracy >= baseAccuracy - maxDrop,
  );
  return {
    ...whole,
    thresholds: plan.thresholds,
    plan,
    baseAccuracy,
    costs,
    baseCost: macsOf(model),
  };
}

const upTo = (costs: readonly number[], at: number): number =>
  costs.slice(0, at + 1).reduce((sum, cost) => sum + cost, 0);
