// A card's facts in words, the same in every format.

import type { Card, Signal } from "../core/card.ts";
import { significant } from "../core/index.ts";
import { legible } from "./markup.ts";

/** `FR 2025, average, life-cycle, by the time zone (Europe/Paris)`. */
export function signalText(signal: Signal): string {
  const zone = signal.year === undefined ? signal.zone : `${signal.zone} ${signal.year}`;
  const scope = signal.scope === "unknown" ? [] : [signal.scope];
  return legible([zone, signal.kind, ...scope, signal.rung].join(", "));
}

/** `0.0123 EUR (0.0101 to 0.0150)`: money knows its currency, which no unit does. */
function moneyText({ currency, amount }: NonNullable<Cost["carbon"]>): string {
  const range =
    amount.low === amount.high ? "" : ` (${amountText(amount.low)} to ${amountText(amount.high)})`;
  return legible(`${amountText(amount.value)} ${currency}${range}`);
}

/** Currencies have no prefixes: what is below a thousandth is written with a power of ten. */
const amountText = (amount: number): string =>
  amount === 0 || amount >= 1e-3 ? significant(amount) : amount.toExponential(2);

type Cost = NonNullable<Card["measures"]["cost"]>;

/** What a run cost, by kind; empty when no price was known. */
export const costTexts = (cost: Cost = {}): readonly (readonly [kind: string, text: string])[] => [
  ...(cost.electricity === undefined
    ? []
    : [["electricity", moneyText(cost.electricity)] as const]),
  ...(cost.carbon === undefined ? [] : [["carbon", moneyText(cost.carbon)] as const]),
];

/** `accuracy 0.941 (0.930 to 0.951) on test, 2000 samples; most frequent class 0.120`. */
export function qualityText(quality: NonNullable<Card["quality"]>): string {
  const { low, high, split, samples, baseline } = quality;
  const range =
    low === undefined || high === undefined ? "" : ` (${significant(low)} to ${significant(high)})`;
  const on = split === undefined ? "" : ` on ${split}`;
  const count = samples === undefined ? "" : `, ${samples} samples`;
  const beside = baseline === undefined ? "" : `; ${baseline.name} ${significant(baseline.value)}`;
  return legible(`${quality.metric} ${significant(quality.value)}${range}${on}${count}${beside}`);
}
