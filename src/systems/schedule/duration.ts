// How long a job takes, as quantiles. Between two quantiles the distribution is taken as uniform; what
// lies below the first and above the last sits at them, so a known duration is one quantile.

import { mean, standardDeviation, UserError } from "../../core/index.ts";
import { studentQuantile } from "../../measure/compare/index.ts";

/** With probability `p` in (0, 1] the job has ended after this many seconds. */
export interface DurationQuantile {
  readonly p: number;
  readonly seconds: number;
}

export type Duration = readonly DurationQuantile[];

/** A duration known exactly. */
export const fixedDuration = (seconds: number): Duration => duration([{ p: 1, seconds }]);

/** A checked duration. Throws UserError unless probabilities and seconds ascend. */
export function duration(quantiles: Duration): Duration {
  let last = { p: 0, seconds: 0 };
  for (const next of quantiles) {
    const ascends = next.p > last.p && next.p <= 1 && next.seconds >= last.seconds;
    if (!ascends || !(next.seconds > 0) || !Number.isFinite(next.seconds))
      throw invalid(`${next.seconds} s at ${next.p} does not follow ${last.seconds} s`);
    last = next;
  }
  if (quantiles.length === 0) throw invalid("it has no quantiles");
  return quantiles;
}

function invalid(fault: string): UserError {
  return new UserError("invalid-input", `not a duration: ${fault}`, {
    hint: "Give positive seconds that ascend with their probabilities, the last of 0.95 or more.",
  });
}

/** Seconds after which the job has ended with probability `p`. */
export function durationAt(of: Duration, p: number): number {
  let last: DurationQuantile | undefined;
  for (const next of of) {
    if (next.p >= p) {
      if (last === undefined) return next.seconds;
      return last.seconds + ((next.seconds - last.seconds) * (p - last.p)) / (next.p - last.p);
    }
    last = next;
  }
  throw invalid(`it is known only up to probability ${last?.p ?? 0}, ${p} is needed`);
}

/** Mean of the duration, seconds. */
export function meanDuration(of: Duration): number {
  let [expected, p, from] = [0, 0, of[0]?.seconds ?? 0];
  for (const next of of) {
    expected += ((next.p - p) * (from + next.seconds)) / 2;
    [p, from] = [next.p, next.seconds];
  }
  return expected + (1 - p) * from;
}

/** Expectation of a function of the duration, each uniform piece drawn at `POINTS` midpoints. */
export function expectedOver(of: Duration, value: (seconds: number) => number): number {
  let [expected, p, from] = [0, 0, of[0]?.seconds ?? 0];
  for (const next of of) {
    const width = next.seconds - from;
    const points = width > 0 ? POINTS : 1;
    for (let at = 0; at < points; at++)
      expected += ((next.p - p) / points) * value(from + (width * (at + 0.5)) / points);
    [p, from] = [next.p, next.seconds];
  }
  return p < 1 ? expected + (1 - p) * value(from) : expected;
}

const POINTS = 32;

const LEARNED = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * The duration of the next run, from at least two earlier ones: quantiles of the predictive
 * distribution of a log-normal, exp(m + t_p s sqrt(1 + 1/n)) with Student's t at n - 1 degrees of
 * freedom (Geisser 1993, Predictive Inference, 2.2). Few runs give a wide one, as they should.
 */
export function learnedDuration(runs: readonly number[]): Duration {
  if (runs.length < 2) throw invalid("two earlier runs are needed to know how far they vary");
  if (!runs.every((run) => run > 0)) throw invalid("an earlier run took no time");
  const logs = runs.map(Math.log);
  const spread = standardDeviation(logs) * Math.sqrt(1 + 1 / runs.length);
  return LEARNED.map((p) => ({
    p,
    seconds: Math.exp(mean(logs) + spread * studentPoint(p, runs.length - 1)),
  }));
}

/** An earlier run, and the size of what it worked on: rows, epochs, tokens, whatever it grows with. */
export interface SizedRun {
  readonly size: number;
  readonly seconds: number;
}

/**
 * The duration of the next run of some size, from at least three earlier ones of at least two sizes, or two of that
 * very size: seconds are taken to go as a power of the size, and quantiles are those of the predictive
 * distribution of the regression log t = a + b log size (Draper & Smith 1998, Applied Regression Analysis, 1.4),
 * which widens with the distance from the sizes that were seen.
 */
export function learnedDurationAt(runs: readonly SizedRun[], size: number): Duration {
  const same = runs.filter((run) => run.size === size);
  if (same.length === runs.length) return learnedDuration(same.map(({ seconds }) => seconds));
  const [xs, ys] = [
    runs.map((run) => Math.log(run.size)),
    runs.map((run) => Math.log(run.seconds)),
  ];
  const [x, y] = [mean(xs), mean(ys)];
  const sum = (term: (at: number) => number): number =>
    xs.reduce((total, _, at) => total + term(at), 0);
  const dx = (at: number): number => (xs[at] ?? 0) - x;
  const squares = sum((at) => dx(at) ** 2);
  const freedom = runs.length - 2;
  if (freedom < 1 || squares === 0) throw invalid("its runs are too few to tell what size does");
  const slope = sum((at) => dx(at) * ((ys[at] ?? 0) - y)) / squares;
  const left = sum((at) => ((ys[at] ?? 0) - y - slope * dx(at)) ** 2);
  const distance = Math.log(size) - x;
  const spread = Math.sqrt((left / freedom) * (1 + 1 / runs.length + distance ** 2 / squares));
  return LEARNED.map((p) => ({
    p,
    seconds: Math.exp(y + slope * distance + spread * studentPoint(p, freedom)),
  }));
}

/** Student's t below which a share `p` lies; the library's own takes both tails together. */
function studentPoint(p: number, freedom: number): number {
  if (p === 0.5) return 0;
  return p < 0.5 ? -studentQuantile(2 * p, freedom) : studentQuantile(2 * (1 - p), freedom);
}
