// Holds a changed model against the original on samples that neither calibration nor search has seen.

import {
  createSession,
  type EngineOptions,
  type ModelSource,
  type Session,
  type TensorValue,
} from "../../../engine/index.ts";
import type { Quality } from "../../data/index.ts";
import { concatBatches } from "../../data/stack.ts";
import { answerText } from "./answers.ts";
import { portDifferences } from "./check-ports.ts";
import { type OutputDifference, outputComparison, unequalOutputs } from "./compare-outputs.ts";
import { type Judge, scoresOf, truthFor } from "./evaluate.ts";
import { type MarginOptions, type NonInferiority, testNonInferiority } from "./non-inferiority.ts";
import { overRows, type RowsOptions, read } from "./predict.ts";
import type { Samples } from "./samples.ts";

/** What was found of a changed model. */
export interface Verification {
  /** Why the file cannot stand in for the original, whatever its quality; none is good. */
  readonly faults: readonly string[];
  readonly before: Quality;
  readonly after: Quality;
  readonly test: NonInferiority;
  readonly difference: OutputDifference;
  /** What the models say of the samples that changed most, where that can be said in a word. */
  readonly answers: readonly ChangedAnswer[];
  /**
   * `equal`: outputs are the same up to rounding and no answer changed. `shown`: the test passed.
   * `not-shown`: it did not. `faulty`: see `faults`.
   */
  readonly verdict: "equal" | "shown" | "not-shown" | "faulty";
}

/** A sample's answers before and after. */
interface ChangedAnswer {
  readonly row: number;
  readonly before: string | null;
  readonly after: string | null;
}

export interface VerifyOptions extends MarginOptions, RowsOptions {
  readonly before?: EngineOptions;
  readonly after?: EngineOptions;
  /** Whether the changed model may take one row a run where the original takes any number. */
  readonly oneRow?: boolean;
}

/** Largest difference that another order of summing makes, of the largest output. */
const ROUNDING = 1e-4;

/** Verifies the second model. Throws UserError for what cannot be loaded, run or judged. */
export async function verify(
  original: ModelSource,
  changed: ModelSource,
  of: { readonly samples: Samples; readonly judge: Judge },
  options: VerifyOptions,
): Promise<Verification> {
  const sessions: Session[] = [];
  try {
    sessions.push(await createSession(original, options.before));
    sessions.push(await createSession(changed, options.after));
    return await compare(sessions, of, options);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

async function compare(
  sessions: readonly Session[],
  { samples, judge }: { readonly samples: Samples; readonly judge: Judge },
  options: VerifyOptions,
): Promise<Verification> {
  const [first, second] = sessions as readonly [Session, Session];
  const faults: string[] = [...portDifferences(first, second, options.oneRow)];
  const comparison = outputComparison();
  const answers: readonly TensorValue[][] = [[], []];
  let isFirst = true;
  await overRows(
    sessions,
    samples,
    async ({ rows, feeds }, outputs) => {
      const [before = {}, after = {}] = outputs;
      if (isFirst) {
        const again = unequalOutputs(after, await second.run(feeds));
        if (again.length > 0)
          faults.push(`two runs on the same inputs differ in ${again.join(", ")}`);
        isFirst = false;
      }
      comparison.add(rows, before, after);
      answers[0]?.push(read(before, rows.length, judge));
      answers[1]?.push(read(after, rows.length, judge));
    },
    options,
  );
  const difference = comparison.result();
  const [odd] = difference.nonFinite;
  if (odd !== undefined) {
    faults.push(`outputs are not finite where the original's are: ${odd}`);
  }
  const [was, is] = answers.map((parts) => concatBatches(parts)) as [TensorValue, TensorValue];
  const truth = await truthFor(samples, judge, was);
  const before = judge.metric.of(was, truth);
  // A metric would refuse what is not finite: the answers count as wrong then.
  const after = odd === undefined ? judge.metric.of(is, truth) : worstOf(before);
  const { better } = judge.metric;
  const test = testNonInferiority(scoresOf(before, better), scoresOf(after, better), options);
  const places = new Map(samples.rows.map((row, place) => [row, place]));
  const changed = difference.worst.map(({ row }): ChangedAnswer => {
    const place = places.get(row) ?? 0;
    return { row, before: answerText(was, place), after: answerText(is, place) };
  });
  const verdict = verdictOf(faults, difference, test);
  return { faults, before, after, test, difference, answers: changed, verdict };
}

const worstOf = (quality: Quality): Quality => ({
  ...quality,
  ...{ value: Number.NaN, interval: null },
  scores: quality.scores === null ? null : new Float64Array(quality.scores.length),
});

function verdictOf(
  faults: readonly string[],
  { relative }: OutputDifference,
  test: NonInferiority,
): Verification["verdict"] {
  if (faults.length > 0) return "faulty";
  // Scores that are numbers move with rounding; those that are right or wrong must not.
  const isUnmoved = test.method === "bootstrap" || test.lost + test.won === 0;
  const isSame = relative <= ROUNDING && isUnmoved;
  if (isSame) return "equal";
  return test.isShown ? "shown" : "not-shown";
}
