// How surprised a model is by the next token, for language models and classifiers alike.

import { UserError } from "../../../core/index.ts";
import { ratioInterval } from "./interval.ts";
import { type Metric, numbersOf, rowCount } from "./metric.ts";

/** Target that is left out, as PyTorch's cross-entropy has it: padding, prompts. */
const IGNORED = -100;

/**
 * exp of the mean negative log-likelihood over all tokens. Predictions are logits [samples, ..., classes]
 * (log-probabilities are logits too), truth is [samples, ...] with -100 for what does not count. Scores
 * are the mean negative log-likelihood of each sample, in nats.
 */
export const perplexity: Metric = {
  name: "perplexity",
  better: "lower",
  of(predictions, truth) {
    const rows = rowCount("perplexity", predictions, truth);
    const logits = numbersOf("perplexity", "logit", predictions);
    const targets = numbersOf("perplexity", "token", truth);
    const classes = predictions.dims.at(-1) ?? 1;
    if (logits.length !== targets.length * classes) {
      const fault = `logits of [${predictions.dims}] for tokens of [${truth.dims}]`;
      throw new UserError("invalid-input", `perplexity: ${fault}`, {
        hint: "Give one row of logits for each token.",
      });
    }
    const width = targets.length / rows;
    const losses = new Float64Array(rows);
    const counts = new Float64Array(rows);
    targets.forEach((target, at) => {
      if (target === IGNORED) return;
      const row = Math.floor(at / width);
      losses[row] = (losses[row] as number) + surprise(logits, at * classes, classes, target);
      counts[row] = (counts[row] as number) + 1;
    });
    const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    if (sum(counts) === 0) {
      throw new UserError("invalid-input", "perplexity: no token counts", {
        hint: "All targets are -100.",
      });
    }
    return {
      metric: "perplexity",
      value: Math.exp(sum(losses) / sum(counts)),
      interval: ratioInterval(losses, counts, Math.exp),
      samples: rows,
      scores: losses.map((loss, row) => loss / Math.max(1, counts[row] ?? 1)),
    };
  },
};

/** -log softmax(logits)[target], in nats, without overflow. */
function surprise(logits: Float64Array, start: number, classes: number, target: number): number {
  const own =
    Number.isInteger(target) && target >= 0 && target < classes
      ? logits[start + target]
      : undefined;
  if (own === undefined) {
    throw new UserError("invalid-input", `perplexity: token ${target} of ${classes} classes`, {
      hint: "Tokens are whole numbers below the number of classes; -100 does not count.",
    });
  }
  let highest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) highest = Math.max(highest, logits[start + c] as number);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp((logits[start + c] as number) - highest);
  return highest + Math.log(sum) - own;
}
