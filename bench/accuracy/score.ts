// What an error table says of one estimator: how far off, to which side, how far in the worst tenth,
// and whether its interval holds what it says.

import { mean, quantile } from "../../src/core/index.ts";

/** One measured power and what was said of it, watts. */
export interface Judged {
  readonly truth: number;
  readonly estimate: number;
  /** 90 % interval; absent where the estimator states none. */
  readonly low?: number;
  readonly high?: number;
}

export interface Score {
  readonly points: number;
  /** Mean of |estimate / truth - 1|. */
  readonly mape: number;
  /** Mean of estimate / truth - 1; negative when too little is said. */
  readonly bias: number;
  /** 90 % quantile of |estimate / truth - 1|. */
  readonly p90: number;
  /** Share of truths inside the interval; null where none is stated. */
  readonly coverage: number | null;
}

/** One line of an error table: a score, or why there is none. */
export type Row =
  | {
      readonly name: string;
      readonly kind: "godwit" | "tool" | "formula";
      readonly scope: string;
      readonly score: Score;
    }
  | { readonly name: string; readonly kind: "silent"; readonly reason: string };

export interface Table {
  readonly title: string;
  readonly truth: string;
  readonly rows: readonly Row[];
}

/** Throws RangeError when there is nothing to score. */
export function scoreOf(judged: readonly Judged[]): Score {
  if (judged.length === 0) throw new RangeError("nothing to score");
  const errors = judged.map(({ truth, estimate }) => estimate / truth - 1);
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const inside = judged.flatMap(({ truth, low, high }) =>
    low === undefined || high === undefined ? [] : [truth >= low && truth <= high ? 1 : 0],
  );
  return {
    points: judged.length,
    mape: mean(sizes),
    bias: mean(errors),
    p90: quantile(sizes, 0.9),
    coverage: inside.length === judged.length ? mean(inside) : null,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const signed = (share: number): string => (share < 0 ? "−" : "+") + percent(Math.abs(share));

/** The table as Markdown: those with an answer by error, then those without and why. */
export function tableText({ title, truth, rows }: Table): string {
  const scored = rows.flatMap((row) => (row.kind === "silent" ? [] : [row]));
  const silent = rows.flatMap((row) => (row.kind === "silent" ? [row] : []));
  const own = scored.filter(({ kind }) => kind === "godwit");
  const others = scored
    .filter(({ kind }) => kind !== "godwit")
    .sort((a, b) => a.score.mape - b.score.mape);
  const lines = [...own, ...others].map(({ name, scope, score }) => {
    const covered = score.coverage === null ? "none" : percent(score.coverage);
    const cells = [percent(score.mape), signed(score.bias), percent(score.p90), covered];
    return `| ${[name, scope, score.points, ...cells].join(" | ")} |`;
  });
  const reasons = [...new Set(silent.map(({ reason }) => reason))].map((reason) => {
    const those = silent.filter((row) => row.reason === reason);
    return `- ${those.map(({ name }) => name).join(", ")}: ${reason}`;
  });
  return [
    `### ${title}`,
    "",
    truth,
    "",
    "| estimator | claims | points | MAPE | bias | p90 | 90 % interval covers |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    ...(reasons.length === 0 ? [] : ["", "No answer:", "", ...reasons]),
  ].join("\n");
}
