// Metrics by the names that the command line takes.

import { suggest, UserError } from "../../../core/index.ts";
import { meanAveragePrecision } from "./average-precision.ts";
import { accuracy, agreement, binaryAccuracy, f1, topK } from "./classification.ts";
import type { Metric } from "./metric.ts";
import { perplexity } from "./perplexity.ts";
import {
  cosine,
  meanAbsoluteError,
  meanSquaredError,
  peakSignalToNoise,
  signalToNoise,
} from "./regression.ts";
import { characterErrorRate, exactMatch, wordErrorRate } from "./text.ts";

/** All metrics with a fixed name; `top-K` for any K comes on top. */
export const METRICS: readonly Metric[] = [
  accuracy,
  binaryAccuracy,
  topK(5),
  f1("macro"),
  f1("micro"),
  meanAveragePrecision,
  agreement,
  meanSquaredError,
  meanAbsoluteError,
  signalToNoise,
  peakSignalToNoise(1),
  cosine,
  characterErrorRate,
  wordErrorRate,
  exactMatch,
  perplexity,
];

/** The metric of a name, such as `accuracy`, `top-3` or `psnr`. Throws UserError with the nearest. */
export function metricNamed(name: string): Metric {
  const found = METRICS.find((metric) => metric.name === name);
  if (found !== undefined) return found;
  const k = /^top-?([1-9]\d*)$/.exec(name)?.[1];
  if (k !== undefined) return topK(Number(k));
  const names = METRICS.map((metric) => metric.name);
  const near = suggest(name, names);
  throw new UserError("usage", `there is no metric ${name}`, {
    hint: near === null ? `There are ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}
