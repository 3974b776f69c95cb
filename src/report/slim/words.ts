// A search for a smaller model in words, for all kinds of report.

import { formatFigure, significant, withPrefix } from "../../core/index.ts";
import type { Fidelity } from "../../models/compress/index.ts";
import type { SlimCost, SlimReport, SlimTrial } from "./report.ts";

/** `-43 %`, `+2 %`. */
export function changeText(ratio: number): string {
  const change = 100 * (ratio - 1);
  return `${change > 0 ? "+" : change < 0 ? "\u2212" : ""}${significant(Math.abs(change), 2)} %`;
}

/** CPU time against the tuned original: `-43 % (-45 to -41)`, or that it is within noise. */
export function ratioText({ value, low, high, verdict }: SlimCost["ratio"]): string {
  if (low === 1 && high === 1) return "the base";
  const range = `${changeText(low)} to ${changeText(high)}`;
  return verdict === "noise" ? `within noise (${range})` : `${changeText(value)} (${range})`;
}

export const megabytes = (bytes: number): string => `${significant(bytes / 1e6)} MB`;

export const secondsText = (value: number): string => withPrefix(value, "s");

/** What a pass promises about outputs. */
export const FIDELITY_TEXTS: Readonly<Record<Fidelity, string>> = {
  exact: "outputs stay the same bit for bit",
  reordered:
    "outputs move by rounding at most (sums in another order, constants multiplied before)",
  approximate: "outputs are approximate",
};

/** Samples of each part. */
export function partsText({ calibration, training, search, verify }: SlimReport["data"]): string {
  const first =
    training > 0
      ? `${training} to learn from, ${calibration} of them to calibrate`
      : `${calibration} to calibrate`;
  return `${first}, ${search} to search, ${verify} to verify`;
}

/** A quality or a drop; proportions as percent and points. */
export function qualityText(metric: string, value: number): string {
  return isShare(metric) ? `${significant(100 * value, 4)} %` : significant(value, 4);
}

export function dropText(metric: string, value: number): string {
  if (!Number.isFinite(value)) return "not known";
  const sign = value < 0 ? "\u2212" : "";
  const size = Math.abs(value);
  // Rounding is no drop worth digits.
  if (size > 0 && size < TINY) return `below ${isShare(metric) ? "0.0001 pp" : TINY}`;
  return isShare(metric)
    ? `${sign}${significant(100 * size, 2)} pp`
    : `${sign}${significant(size, 2)}`;
}

/** Drops below this are shown as that. */
const TINY = 1e-6;

const SHARES = /^(accuracy|agreement|exact-match|top-\d+|f1-\w+)$/;
const isShare = (metric: string): boolean => SHARES.test(metric);

/** What the test of one candidate says. */
export function trialText(metric: string, { verdict, test, before, after, difference }: SlimTrial) {
  const values = `${metric} ${qualityText(metric, before.value)} to ${qualityText(metric, after.value)}`;
  const bound = `drop ${dropText(metric, test.drop)}, below ${dropText(metric, test.upper)} with ${significant(100 * (1 - test.alpha), 3)} % confidence (${test.method} test, ${test.samples} samples, ${test.lost} worse, ${test.won} better)`;
  switch (verdict) {
    case "equal":
      return `${values}; outputs are the same up to rounding (largest difference ${difference.relative.toExponential(1)} of the largest output)`;
    case "shown":
      return `${values}; ${bound}`;
    case "not-shown":
      return `${values}; ${bound}: NOT SHOWN to be within ${dropText(metric, test.margin)}${neededText(test.needed)}`;
    case "faulty":
      return "the file failed its checks";
    default:
      return verdict satisfies never;
  }
}

const neededText = (needed: number | null): string =>
  needed === null ? "" : `; about ${needed.toLocaleString("en")} samples could show it`;

/** What the search cost and when that is paid back. */
export function payBackText({ energy }: Pick<SlimReport, "energy">): string {
  const { spent, paidBackAfter } = energy;
  if (spent === null) return "the energy of this search is not known";
  const used = `this search used ${formatFigure(spent)} (${spent.method})`;
  if (paidBackAfter === null) return used;
  return `${used}, paid back after ${Math.ceil(paidBackAfter).toLocaleString("en")} samples`;
}
