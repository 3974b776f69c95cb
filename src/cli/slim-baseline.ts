// The original model on some samples, before anything is changed: where it does no better than chance,
// the preprocessing or the labels are wrong and every later figure would be too.

import { UserError } from "../core/index.ts";
import { createSession, type Session, type TensorValue } from "../engine/index.ts";
import {
  answerText,
  type Evaluation,
  evaluate,
  feedsOf,
  withRows,
} from "../models/compress/index.ts";
import { majorityClass } from "../models/data/index.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import type { SlimInputs, SlimModel } from "./slim-inputs.ts";

/** Samples that are looked at. */
const SAMPLES = 64;

/** Throws UserError for a model at the level of chance, and for one whose answers are not repeatable. */
export const refuseHopeless = (
  model: SlimModel,
  { samples, judge }: SlimInputs,
  rows: readonly number[],
): Promise<void> =>
  endingWith(SLIM_EXIT.badData, async () => {
    const own = withRows(samples, rows.slice(0, SAMPLES));
    const session = await createSession(model.path, { threads: 1 });
    try {
      await refuseOddOutputs(session, samples, own.rows);
      const first = await evaluate(session, own, judge);
      const second = await evaluate(session, own, judge);
      if (!Object.is(first.quality.value, second.quality.value)) {
        const values = `${first.quality.value} and ${second.quality.value}`;
        throw new UserError("invalid-input", `the original gives ${values} on the same samples`, {
          hint: "It draws random numbers, or the metric does: fix its seed, or take the drawing out.",
        });
      }
      const truth = judge.truth === null ? null : await own.dataset.batch(own.rows, [judge.truth]);
      const labels = judge.truth === null ? undefined : truth?.get(judge.truth);
      if (labels !== undefined) refuseChance(first, labels);
    } finally {
      await session.close();
    }
  });

/** Outputs that are not finite can neither be compared nor calibrated on. */
async function refuseOddOutputs(
  session: Session,
  samples: SlimInputs["samples"],
  rows: readonly number[],
): Promise<void> {
  const odd = new Set<string>();
  for (const row of rows) {
    const outputs = await session.run(await feedsOf(samples, [row]));
    for (const [name, { data }] of Object.entries(outputs)) {
      if (data instanceof Float32Array && !data.every(Number.isFinite)) odd.add(`"${name}"`);
    }
  }
  if (odd.size === 0) return;
  const message = `outputs of the original are not finite: ${[...odd].join(", ")}`;
  throw new UserError("invalid-input", message, {
    hint: "Look for NaN and infinities in the samples (scale, mean, deviation), and whether the model divides by what may be 0.",
  });
}

function refuseChance({ quality, predictions }: Evaluation, truth: TensorValue): void {
  const { metric, value } = quality;
  const chance = chanceOf(metric, truth);
  if (chance === null || value > chance) return;
  const shown = `${(100 * value).toFixed(1)} %`;
  const guess =
    chance === 0 ? "nothing" : `always the same answer gives ${(100 * chance).toFixed(1)} %`;
  const examples = [0, 1, 2].map(
    (row) => `${answerText(predictions, row)} for ${answerText(truth, row)}`,
  );
  throw new UserError(
    "invalid-input",
    `the original reaches ${shown} by ${metric}, no better than chance (${guess})`,
    {
      hint: `Check the preprocessing (size, layout, mean, channels), the order of the classes and --output. It says ${examples.join("; ")}. --force goes on.`,
    },
  );
}

/** What a guess reaches; null for metrics that have no such level. */
function chanceOf(metric: string, truth: TensorValue): number | null {
  if (metric === "exact-match") return 0;
  if (metric !== "accuracy") return null;
  const labels = Int32Array.from(truth.data as ArrayLike<number | bigint>, Number);
  const [guess] = majorityClass(labels, 1).data as Int32Array;
  const hits = labels.filter((label) => label === guess).length;
  return new Set(labels).size === 1 ? 0 : hits / labels.length;
}
