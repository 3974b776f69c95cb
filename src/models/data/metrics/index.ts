// Metrics: pure functions of predictions and truth.

export { averagePrecision, meanAveragePrecision } from "./average-precision.ts";
export { majorityClass, meanTarget } from "./baseline.ts";
export { accuracy, agreement, binaryAccuracy, f1, topK } from "./classification.ts";
export { type CtcOptions, ctcGreedy } from "./ctc.ts";
export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  type Statistic,
  wilsonInterval,
} from "./interval.ts";
export type { Metric, Quality } from "./metric.ts";
export { perplexity } from "./perplexity.ts";
export { METRICS, metricNamed } from "./registry.ts";
export {
  cosine,
  meanAbsoluteError,
  meanSquaredError,
  peakSignalToNoise,
  signalToNoise,
} from "./regression.ts";
export { characterErrorRate, exactMatch, levenshtein, wordErrorRate } from "./text.ts";
