// Comparing two sets of cards, measure by measure: how much, how sure, and whether it may be
// compared at all. The tests and their assumptions: docs/methods/comparison.md.

import { type AnyFigure, mean } from "../../core/index.ts";
import { refusals, type Sides, warnings } from "./boundary.ts";
import { figuresOf, MEASURES, type Measure } from "./measures.ts";
import { compareQuality, type QualityRow } from "./quality.ts";
import { type RatioTest, ratioOf } from "./ratio.ts";
import { meanInterval } from "./test-of-difference.ts";

export const COMPARISON_SCHEMA = "godwit.comparison/1";

/**
 * `differs`: beyond noise, of a measure where neither direction is better. `not comparable`: the
 * reason says why.
 */
export type Verdict = "better" | "worse" | "within noise" | "differs" | "not comparable";

/** What one side has of a measure. */
export interface SideSummary {
  /** The value, or the geometric mean of several. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  readonly methods: readonly string[];
}

export interface ComparisonRow {
  readonly key: string;
  readonly label: string;
  readonly unit: Measure["unit"];
  readonly baseline: SideSummary | null;
  readonly candidate: SideSummary | null;
  readonly ratio: RatioTest | null;
  readonly verdict: Verdict;
  /** Why there is no ratio, or what the verdict rests on. */
  readonly reason: string | null;
}

export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA;
  readonly baseline: readonly string[];
  readonly candidate: readonly string[];
  /** The one row that the verdict is about: the headline energy, else the running time. */
  readonly headline: string;
  readonly verdict: Verdict;
  readonly rows: readonly ComparisonRow[];
  readonly quality: QualityRow | null;
  readonly warnings: readonly string[];
  /** How the intervals were obtained, in a sentence. */
  readonly method: string;
  /** Relative standard deviation assumed between runs; null when repeats told it. */
  readonly assumedSpread: number | null;
}

export interface CompareOptions {
  /**
   * Relative standard deviation from run to run that is assumed when neither side was repeated.
   * Ours, not measured: 5 %.
   */
  readonly spread?: number;
}

/** Compares a candidate with a baseline. Throws RangeError when a side has no card. */
export function compareCards(sides: Sides, options: CompareOptions = {}): Comparison {
  const { baseline, candidate } = sides;
  if (baseline.length === 0 || candidate.length === 0) throw new RangeError("a side has no card");
  const spread = options.spread ?? 0.05;
  const refused = refusals(sides);
  const rows = MEASURES.map((measure) => {
    const reason = refused[measure.rests];
    return compareMeasure(measure, sides, { spread, reason });
  }).filter((row) => row !== null);
  const quality = compareQuality(sides);
  const headline = headlineKey(sides, rows);
  const repeated = baseline.length > 1 || candidate.length > 1;
  return {
    schema: COMPARISON_SCHEMA,
    baseline: baseline.map(({ id }) => id),
    candidate: candidate.map(({ id }) => id),
    headline,
    verdict: rows.find(({ key }) => key === headline)?.verdict ?? "not comparable",
    rows,
    quality,
    warnings: warnings(sides),
    method: repeated ? WELCH : zText(spread),
    assumedSpread: repeated ? null : spread,
  };
}

const WELCH =
  "Welch's t test on logarithms, 90 % interval; the error of one sensor, common to both sides, cancels.";

const zText = (spread: number): string =>
  `One run each: z test on the logarithm of the ratio, 90 % interval; sensor errors are taken as ` +
  `independent, and ${spread * 100} % from run to run is assumed. Repeats tell more.`;

/** The energy that both sides headline, else running time. */
function headlineKey({ baseline, candidate }: Sides, rows: readonly ComparisonRow[]): string {
  const headlines = new Set([...baseline, ...candidate].map(({ boundary }) => boundary.headline));
  const [only] = headlines;
  const key = `energy_${headlines.size === 1 ? only : "gross"}`;
  return rows.some((row) => row.key === key) ? key : "duration";
}

function compareMeasure(
  measure: Measure,
  sides: Sides,
  given: { readonly spread: number; readonly reason: string | null },
): ComparisonRow | null {
  const first = figuresOf(measure, sides.baseline);
  const second = figuresOf(measure, sides.candidate);
  if (first.length === 0 && second.length === 0) return null;
  const { key, label, unit } = measure;
  const row = {
    key,
    label,
    unit,
    baseline: summaryOf(first),
    candidate: summaryOf(second),
  };
  const reason = given.reason ?? obstacle(first, second, sides);
  if (reason !== null) return { ...row, ratio: null, verdict: "not comparable", reason };
  const ratio = ratioOf(measure, sides, given.spread);
  return { ...row, ratio, verdict: verdictOf(measure, ratio), reason: null };
}

/** Why two lists of figures have no ratio. */
function obstacle(
  first: readonly AnyFigure[],
  second: readonly AnyFigure[],
  { baseline, candidate }: Sides,
): string | null {
  if (first.length === 0) return "only the candidate has it";
  if (second.length === 0) return "only the baseline has it";
  if (first.length < baseline.length || second.length < candidate.length) {
    const missing = baseline.length + candidate.length - first.length - second.length;
    return `${missing} of ${baseline.length + candidate.length} runs do not have it`;
  }
  const values = [...first, ...second].map(({ value }) => value);
  return values.every((value) => value > 0) ? null : "zero has no ratio: below the resolution";
}

function summaryOf(figures: readonly AnyFigure[]): SideSummary | null {
  const [only] = figures;
  if (only === undefined) return null;
  const about = {
    runs: figures.length,
    methods: [...new Set(figures.map(({ method }) => method))],
  };
  if (figures.length === 1) return { value: only.value, low: only.low, high: only.high, ...about };
  const values = figures.map(({ value }) => value);
  if (values.some((value) => value <= 0)) {
    return { value: mean(values), low: Math.min(...values), high: Math.max(...values), ...about };
  }
  const { value, low, high } = meanInterval(values.map(Math.log));
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), ...about };
}

function verdictOf({ better }: Measure, { low, high }: RatioTest): Verdict {
  if (low <= 1 && 1 <= high) return "within noise";
  if (better === "neither") return "differs";
  return high < 1 ? "better" : "worse";
}
