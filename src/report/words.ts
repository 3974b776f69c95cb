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
