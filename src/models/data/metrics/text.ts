// Metrics of texts: how many letters or words must be changed to make the truth of the prediction.

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { ratioInterval } from "./interval.ts";
import { type Metric, rowCount } from "./metric.ts";
import { proportion } from "./proportion.ts";

/** Insertions, deletions and replacements from one sequence to another (Levenshtein 1966). */
export function levenshtein(from: readonly string[], to: readonly string[]): number {
  let last = Int32Array.from({ length: to.length + 1 }, (_, column) => column);
  let current = new Int32Array(to.length + 1);
  for (let row = 1; row <= from.length; row++) {
    current[0] = row;
    for (let column = 1; column <= to.length; column++) {
      const replaced = (last[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const deleted = (last[column] as number) + 1;
      const inserted = (current[column - 1] as number) + 1;
      current[column] = Math.min(replaced, deleted, inserted);
    }
    [last, current] = [current, last];
  }
  return last[to.length] ?? 0;
}

/** Edits over the length of the truth, both summed over all samples: long texts weigh more. */
function errorRate(name: string, parts: (text: string) => readonly string[]): Metric {
  return {
    name,
    better: "lower",
    of(predictions, truth) {
      const rows = rowCount(name, predictions, truth);
      const read = textsOf(name, predictions).map(parts);
      const actual = textsOf(name, truth).map(parts);
      const edits = Float64Array.from(actual, (text, row) => levenshtein(read[row] ?? [], text));
      const lengths = Float64Array.from(actual, (text) => text.length);
      const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
      if (sum(lengths) === 0) {
        throw new UserError("invalid-input", `${name}: all texts are empty`, {
          hint: "Give the texts that are to be read.",
        });
      }
      return {
        metric: name,
        value: sum(edits) / sum(lengths),
        interval: ratioInterval(edits, lengths),
        samples: rows,
        // An empty text read as empty is right, read as anything else all wrong.
        scores: edits.map((count, row) =>
          count === 0 ? 0 : count / Math.max(1, lengths[row] ?? 1),
        ),
      };
    },
  };
}

/** Texts as they are compared: blanks at the ends count for nothing, and several between words for one. */
function textsOf(metric: string, { data }: TensorValue): readonly string[] {
  if (!ArrayBuffer.isView(data)) return data.map((text) => text.trim().replace(/\s+/g, " "));
  throw new UserError("invalid-input", `${metric}: numbers where texts are compared`, {
    hint: "Decode the model's output to text first.",
  });
}

/** Character error rate, over code points. */
export const characterErrorRate = errorRate("cer", (text) => [...text]);

/** Word error rate; words are parted by white space. */
export const wordErrorRate = errorRate("wer", (text) => text.split(/\s+/).filter((w) => w !== ""));

/** Share of texts that are read without a fault, blanks aside. */
export const exactMatch: Metric = {
  name: "exact-match",
  better: "higher",
  of(predictions, truth) {
    rowCount("exact-match", predictions, truth);
    const read = textsOf("exact-match", predictions);
    const actual = textsOf("exact-match", truth);
    return proportion(
      "exact-match",
      Float64Array.from(actual, (text, row) => (read[row] === text ? 1 : 0)),
    );
  },
};
