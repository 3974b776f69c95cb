// The metric that goes with a loss, where none is named.

import type { TensorValue } from "../../engine/index.ts";
import { type Metric, metricNamed, wilsonInterval } from "../data/metrics/index.ts";

/** Name of the metric that suits a loss. */
export function metricFor(loss: string): string {
  switch (loss) {
    case "cross-entropy":
    case "kl-divergence":
      return "accuracy";
    case "binary-cross-entropy":
      return binaryAccuracy.name;
    default:
      return loss === "mse" ? "mse" : "mae";
  }
}

/** The metric of a name, those of logits included. Throws UserError. */
export const trainingMetric = (name: string): Metric =>
  name === binaryAccuracy.name ? binaryAccuracy : metricNamed(name);

/** Share of yes-or-no answers that are right; predictions are logits, above 0 for yes. */
const binaryAccuracy: Metric = {
  name: "binary-accuracy",
  better: "higher",
  of(predictions, truth) {
    const labels = numbersOf(truth);
    const hits = Float64Array.from(numbersOf(predictions), (logit, at) =>
      logit > 0 === (labels[at] ?? 0) > 0.5 ? 1 : 0,
    );
    const right = hits.reduce((sum, hit) => sum + hit, 0);
    const [samples = 0] = predictions.dims;
    return {
      metric: binaryAccuracy.name,
      value: right / hits.length,
      interval: wilsonInterval(right, hits.length),
      samples,
      scores: samples === hits.length ? hits : null,
    };
  },
};

const numbersOf = ({ data }: TensorValue): readonly number[] =>
  Array.from(data as ArrayLike<number | bigint>, Number);
