// Reading the output of a network trained with connectionist temporal classification (Graves et al. 2006).

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { largest, scoresIn } from "./metric.ts";

export interface CtcOptions {
  /** The character of each class; that of the blank is not used. */
  readonly alphabet: readonly string[];
  /** Class that stands for nothing. Default 0. */
  readonly blank?: number;
}

/**
 * Texts by best path: the likeliest class at every step, repetitions taken as one, blanks dropped.
 * Scores are [samples, steps, classes]. Throws UserError for other shapes and too short an alphabet.
 */
export function ctcGreedy(scores: TensorValue, { alphabet, blank = 0 }: CtcOptions): TensorValue {
  const [samples = 0, steps = 0, classes = 0] = scores.dims;
  if (scores.dims.length !== 3 || alphabet.length < classes) {
    const got = `scores of [${scores.dims}] with ${alphabet.length} characters`;
    throw new UserError("invalid-input", `ctc: ${got}`, {
      hint: "Give [samples, steps, classes] and a character for each class.",
    });
  }
  const values = scoresIn("ctc", "score", scores);
  const data = Array.from({ length: samples }, (_, sample) => {
    let text = "";
    let last = blank;
    for (let step = 0; step < steps; step++) {
      const best = largest(values, (sample * steps + step) * classes, classes);
      if (best !== last && best !== blank) text += alphabet[best];
      last = best;
    }
    return text;
  });
  return { dataType: "string", dims: [samples], data };
}
