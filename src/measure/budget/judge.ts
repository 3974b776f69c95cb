// Is a budget kept? It is exceeded only when the whole 90 % interval lies above the limit, kept when the
// whole interval lies at or below it, and inconclusive in between: noise fails no build, and no noise
// passes as a success. Method: docs/methods/budget.md.

import type { Card } from "../../core/card.ts";
import {
  type AnyFigure,
  type Method,
  mean,
  standardDeviation,
  type Unit,
  Z90,
} from "../../core/index.ts";
import { compareCards, studentQuantile } from "../compare/index.ts";
import type { Budget, Metric } from "./budget-file.ts";
import {
  COUNTED,
  comparisonKey,
  figureOf,
  PROXIES,
  perItem,
  type Terms,
  UNIT_OF,
} from "./metrics.ts";

/**
 * `within` and `exceeded` are sure at 90 %. `inconclusive`: the limit lies within the interval, or there
 * are fewer runs than the budget asks for. `missing`: there is nothing to judge, which is a fault of
 * the set-up.
 */
export type BudgetVerdict = "within" | "exceeded" | "inconclusive" | "missing";

/** A value, or a ratio to the base, with its 90 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BudgetResult {
  readonly name: string;
  readonly metric: Metric;
  readonly unit: Unit;
  readonly verdict: BudgetVerdict;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Of the runs, in the unit; null where nothing is known. */
  readonly observed: Interval | null;
  /** Of the runs over the base; null for an absolute budget. */
  readonly ratio: Interval | null;
  /** Absolute, in the unit; or the highest ratio. */
  readonly limit: number;
  readonly kind: "absolute" | "relative";
  /** How the figures came to be. */
  readonly methods: readonly Method[];
  /** Stands for energy, and is not energy. */
  readonly isProxy: boolean;
  readonly runs: readonly string[];
  readonly baseRuns: readonly string[];
}

/** What a budget is judged by. */
export interface Evidence {
  readonly runs: readonly Card[];
  /** Empty for an absolute budget. */
  readonly base: readonly Card[];
  /** gCO2e/kWh of the file. */
  readonly intensity: number | null;
}

/** Relative standard deviation that is assumed from run to run when there is one; as in comparisons. */
const ASSUMED_SPREAD = 0.05;

/** Judges one budget. */
export function judgeBudget(budget: Budget, evidence: Evidence): BudgetResult {
  const { metric } = budget;
  const terms: Terms = { metric, items: budget.items ?? null, intensity: evidence.intensity };
  const figures = evidence.runs.map((card) => figureOf(card, terms));
  const known = figures.filter((figure) => typeof figure !== "string");
  const about = {
    name: budget.name,
    metric,
    unit: UNIT_OF[metric],
    limit: budget.limit ?? 1 + (budget.tolerance ?? 0),
    kind: budget.limit === undefined ? ("relative" as const) : ("absolute" as const),
    methods: [...new Set(known.map(({ method }) => method))],
    isProxy: PROXIES.has(metric),
    runs: evidence.runs.map(({ id }) => id),
    baseRuns: evidence.base.map(({ id }) => id),
  };
  const nothing = { ...about, verdict: "missing" as const, observed: null, ratio: null };
  if (figures.length === 0) {
    return { ...nothing, reason: `there is no complete run ${budget.runs.name}` };
  }
  const fault = figures.find((figure) => typeof figure === "string");
  if (fault !== undefined) return { ...nothing, reason: `a run cannot be judged: ${fault}` };
  const observed = intervalOf(known, COUNTED.has(metric));
  const judged =
    about.kind === "absolute"
      ? { ...about, observed, ratio: null, ...against(observed, about.limit) }
      : { ...about, observed, ...judgeRatio(terms, evidence, about.limit) };
  const short = budget.repeats - evidence.runs.length;
  if (short <= 0 || judged.verdict === "missing") return judged;
  const reason = `${evidence.runs.length} of ${budget.repeats} runs are there`;
  return { ...judged, verdict: "inconclusive", reason };
}

/** The verdict on an interval and a limit. */
function against(
  interval: Interval | null,
  limit: number,
): { readonly verdict: BudgetVerdict; readonly reason: string } {
  if (interval === null) {
    return { verdict: "inconclusive", reason: "a value of zero is below the resolution" };
  }
  if (interval.low > limit) {
    return { verdict: "exceeded", reason: "the whole 90 % interval lies above the limit" };
  }
  if (interval.high <= limit) {
    return { verdict: "within", reason: "the whole 90 % interval keeps the limit" };
  }
  return { verdict: "inconclusive", reason: "the limit lies within the 90 % interval" };
}

/**
 * Mean of a metric with its 90 % interval, on logarithms: Student's t for repeats, an assumed spread for
 * one run, and always the instrument's own error, which no repetition averages away (JCGM 100:2008,
 * G.4). Null when a value is zero.
 */
function intervalOf(figures: readonly AnyFigure[], isCount: boolean): Interval | null {
  const values = figures.map(({ value }) => value);
  if (isCount) {
    // Counts that differ from run to run are judged by the largest.
    const value = Math.max(...values);
    return { value, low: value, high: value };
  }
  if (values.some((value) => value <= 0)) return null;
  const logs = values.map(Math.log);
  const centre = mean(logs);
  const n = logs.length;
  const own = n === 1 ? ASSUMED_SPREAD ** 2 : standardDeviation(logs) ** 2 / n;
  const reach = (side: "low" | "high"): number => {
    const instrument = Math.max(...figures.map((figure) => distance(figure, side))) / Z90;
    const variance = own + instrument ** 2;
    if (variance === 0) return 0;
    const freedom =
      n === 1 || own === 0 ? Number.POSITIVE_INFINITY : (n - 1) * (variance / own) ** 2;
    return studentQuantile(0.1, freedom) * Math.sqrt(variance);
  };
  return {
    value: Math.exp(centre),
    low: Math.exp(centre - reach("low")),
    high: Math.exp(centre + reach("high")),
  };
}

/** From a value to its bound on the logarithmic scale; a bound at zero is taken as very far. */
function distance({ value, low, high }: AnyFigure, side: "low" | "high"): number {
  if (side === "high") return Math.log(high / value);
  return low > 0 ? Math.log(value / low) : Math.log(1e6);
}

function judgeRatio(
  terms: Terms,
  { runs, base }: Evidence,
  limit: number,
): Pick<BudgetResult, "verdict" | "reason" | "ratio"> {
  const missing = (reason: string) => ({ verdict: "missing" as const, ratio: null, reason });
  if (base.length === 0) return missing("there is no run to compare with");
  const candidate = runs.map((card) => perItem(card, terms));
  const baseline = base.map((card) => perItem(card, terms));
  const fault = [...baseline, ...candidate].find((card) => typeof card === "string");
  if (fault !== undefined) return missing(`a run of the base cannot be judged: ${fault}`);
  const sides = {
    baseline: baseline.filter((card) => typeof card !== "string"),
    candidate: candidate.filter((card) => typeof card !== "string"),
  };
  const headlines = new Set([...runs, ...base].map(({ boundary }) => boundary.headline));
  const [headline = "gross"] = headlines;
  const key = comparisonKey(terms.metric, headline);
  const row = compareCards(sides).rows.find((one) => one.key === key);
  if (key.startsWith("energy") && headlines.size > 1) {
    const reason = `unlike boundaries: ${[...headlines].join(" and ")}`;
    return { verdict: "inconclusive", ratio: null, reason };
  }
  if (row === undefined) return missing("neither side has it");
  if (row.ratio === null) {
    return { verdict: "inconclusive", ratio: null, reason: row.reason ?? "not comparable" };
  }
  const { value, low, high } = row.ratio;
  return { ratio: { value, low, high }, ...against({ value, low, high }, limit) };
}
