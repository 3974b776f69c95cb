// Quality beside cost: a saving that lost accuracy is not one. Qualities differ by subtraction, since
// they may be zero or negative.

import type { Card } from "../../core/card.ts";
import { mean, Z90 } from "../../core/index.ts";
import type { Sides } from "./boundary.ts";
import { type Difference, welchTest, zTest } from "./test-of-difference.ts";

/** Metrics whose direction is known by name; for others a difference is only a difference. */
const MORE_IS_BETTER =
  /accuracy|precision|recall|f1|f-score|auc|auroc|map$|iou|dice|bleu|rouge|r2$|r\^2|correct/i;
const LESS_IS_BETTER =
  /loss|error|rmse|mae$|mse$|mape|perplexity|(?:^|_)ppl$|wer$|cer$|crps|brier/i;

export interface QualityRow {
  readonly metric: string;
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Candidate less baseline, with its 90 % interval; null when no spread is known. */
  readonly difference: Pick<Difference, "value" | "low" | "high" | "p"> | null;
  readonly verdict: "better" | "worse" | "within noise" | "differs" | "not comparable";
  readonly reason: string | null;
}

type Quality = NonNullable<Card["quality"]>;

/** The row of quality; null when no card has one. */
export function compareQuality({ baseline, candidate }: Sides): QualityRow | null {
  const first = qualitiesOf(baseline);
  const second = qualitiesOf(candidate);
  const [any] = [...first, ...second];
  if (any === undefined) return null;
  const row = { metric: any.metric, baseline: meanOf(first), candidate: meanOf(second) };
  const reason = obstacle(first, second, baseline.length + candidate.length);
  if (reason !== null) return { ...row, difference: null, verdict: "not comparable", reason };
  const test = differenceOf(first, second);
  if (test === null) {
    const verdict = row.baseline === row.candidate ? "within noise" : "differs";
    return { ...row, difference: null, verdict, reason: "no interval is known" };
  }
  const { value, low, high, p } = test;
  const verdict = low <= 0 && 0 <= high ? "within noise" : directionOf(any.metric, value);
  return { ...row, difference: { value, low, high, p }, verdict, reason: null };
}

const qualitiesOf = (cards: readonly Card[]): readonly Quality[] =>
  cards.map(({ quality }) => quality).filter((quality) => quality !== undefined);

const meanOf = (qualities: readonly Quality[]): number | null =>
  qualities.length === 0 ? null : mean(qualities.map(({ value }) => value));

function obstacle(
  first: readonly Quality[],
  second: readonly Quality[],
  runs: number,
): string | null {
  const all = [...first, ...second];
  if (all.length < runs) return `${runs - all.length} of ${runs} runs do not have it`;
  const kinds = new Set(
    all.map(({ metric, split }) => `${metric} on ${split ?? "no stated split"}`),
  );
  return kinds.size === 1 ? null : `unlike qualities: ${[...kinds].join(" against ")}`;
}

function differenceOf(first: readonly Quality[], second: readonly Quality[]): Difference | null {
  const a = first.map(({ value }) => value);
  const b = second.map(({ value }) => value);
  if (a.length > 1 || b.length > 1) return welchTest(a, b);
  const [before] = first;
  const [after] = second;
  const sigmaA = before && sigmaOf(before);
  const sigmaB = after && sigmaOf(after);
  if (before === undefined || after === undefined) return null;
  if (sigmaA === undefined || sigmaB === undefined) return null;
  return zTest({ value: before.value, sigma: sigmaA }, { value: after.value, sigma: sigmaB });
}

/** From a 90 % interval to a standard deviation. */
function sigmaOf({ low, high }: Quality): number | undefined {
  return low === undefined || high === undefined ? undefined : (high - low) / (2 * Z90);
}

function directionOf(metric: string, change: number): "better" | "worse" | "differs" {
  const more = MORE_IS_BETTER.test(metric);
  const less = LESS_IS_BETTER.test(metric);
  if (more === less) return "differs";
  return change > 0 === more ? "better" : "worse";
}
