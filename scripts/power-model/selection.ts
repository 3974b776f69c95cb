// Which form is used, decided by servers available up to 2021 alone: each candidate is fitted on
// the years up to 2018, 2019 and 2020 and judged on the year that follows. Servers of 2022, the
// outer test, play no part.

import { mean } from "../../src/core/index.ts";
import { blend, type Form, type Input, powerLaw, tdpShares } from "./forms.ts";
import type { MeasuredServer } from "./spec-systems.ts";
import { type Held, later, mape } from "./validation.ts";

/** Last year that the choice may see. */
export const LAST_TRAINING_YEAR = 2021;

const INNER_YEARS = [2018, 2019, 2020] as const;

/** Candidates whose scores differ by less than this are taken as equal. */
const TIE = 0.001;

const HALF_LIVES = [Infinity, 3, 1.5] as const;

const INPUT_SETS: readonly (readonly Input[])[] = [
  ["tdp", "memory"],
  ["tdp", "frequency"],
  ["tdp", "memory", "frequency"],
  ["tdp", "memory", "cores"],
  ["tdp", "memory", "sockets"],
  ["tdp", "memory", "cores", "frequency"],
  ["tdp", "memory", "sockets", "frequency"],
  ["tdp", "memory", "frequency", "year"],
  ["tdp", "memory", "frequency", "amd"],
  ["tdp", "memory", "cores", "year"],
  ["tdp", "memory", "cores", "sockets", "frequency"],
  ["tdp", "memory", "cores", "sockets", "frequency", "year", "amd"],
];

/** Every form that is judged. */
export function candidates(): readonly Form[] {
  const trainings = [2013, 2015, 2017].flatMap((from) =>
    HALF_LIVES.map((halfLife) => ({ from, halfLife })),
  );
  return [
    ...trainings.map(tdpShares),
    ...INPUT_SETS.flatMap((inputs) => trainings.map((training) => powerLaw(inputs, training))),
    ...trainings.map((training) =>
      blend(tdpShares(training), powerLaw(["tdp", "memory", "frequency"], training)),
    ),
  ];
}

/** What was predicted for the year after each inner cut. */
export function innerFolds(form: Form, systems: readonly MeasuredServer[]): readonly Held[][] {
  return INNER_YEARS.map((year) => [
    ...later(form, systems, { fitUntil: year, testUntil: year + 1 }),
  ]);
}

export interface Judged {
  readonly form: Form;
  /** Mean over the inner years. */
  readonly score: number;
  readonly byYear: readonly number[];
}

/** The candidates, best first. */
export function judge(
  forms: readonly Form[],
  systems: readonly MeasuredServer[],
): readonly Judged[] {
  return forms
    .map((form) => {
      const byYear = innerFolds(form, systems).map(mape);
      return { form, score: mean(byYear), byYear };
    })
    .sort((a, b) => a.score - b.score);
}

/**
 * The lowest score wins; among ties the form with the fewest inputs, then the one that forgets
 * most slowly, then the one that looks back furthest.
 */
export function choose(judged: readonly Judged[]): Judged {
  const best = Math.min(...judged.map(({ score }) => score));
  const [winner] = judged
    .filter(({ score }) => score < best + TIE)
    .sort(
      ({ form: a }, { form: b }) =>
        a.inputs - b.inputs || compare(b.halfLife, a.halfLife) || a.from - b.from,
    );
  if (winner === undefined) throw new RangeError("no candidate to choose from");
  return winner;
}

/** Infinity minus Infinity is not a number, so half-lives are compared, not subtracted. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
