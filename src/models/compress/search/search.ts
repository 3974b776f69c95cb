// The search: propose along the predicted front, judge on small slices first, measure what is left, look
// around the best ones, and say in which order to verify them. Method notes: docs/methods/slim.md.

import { type Seconds, seconds } from "../../../core/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { type SessionTuning, tuneSession } from "../cost/tune-session.ts";
import { CALIBRATION_BATCH, feedsOf, inputsOf } from "../judge/samples.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { nodesWithSubGraphs, reasonLeft } from "../sub-graphs.ts";
import { assess, type Bench, measured } from "./assess.ts";
import { type Candidate, distinct, namedApart } from "./candidate.ts";
import { evolved } from "./evolving.ts";
import { finalistsOf } from "./finalists.ts";
import { FIRST_RUNG, halve, RUNG_FACTOR } from "./halve.ts";
import { hashOfModel, remembered } from "./memo.ts";
import { neighboursOf } from "./neighbours.ts";
import { paretoFront } from "./pareto.ts";
import { propose } from "./propose.ts";
import { SIMPLIFIED } from "./proposing.ts";
import { bestOf, FINAL, inTurns, isWithin, rankedOf } from "./ranking.ts";
import type { RecipeStep } from "./recipe.ts";
import type { SearchOptions, SearchUnderWay } from "./search-options.ts";
import { beforeTheEnd, endingAfter } from "./time.ts";
import { createWorkshop, type Workshop } from "./workshop.ts";

export interface SearchResult {
  readonly workshop: Workshop;
  readonly tuning: SessionTuning;
  /** Everything that was judged on all rows that it got to, measured ones first. */
  readonly candidates: readonly Candidate[];
  /** Those that no other beats in drop, CPU time, latency and size. */
  readonly front: readonly Candidate[];
  /** What to verify, best first: cheaper than the original beyond noise, and within the budget. */
  readonly finalists: readonly Candidate[];
  readonly refused: readonly { readonly what: string; readonly reason: string }[];
  readonly outOfTime: boolean;
}

/** Searches. Throws UserError for models and data that cannot be used, and the signal's reason. */
export async function search(original: Model, options: SearchOptions): Promise<SearchResult> {
  const refused: { what: string; reason: string }[] = [];
  const onRefused = (what: string, reason: string): void => {
    refused.push({ what, reason });
    options.onEvent({ kind: "refused", what, reason });
  };
  for (const within of nodesWithSubGraphs(original)) onRefused(within.name, reasonLeft(within));
  const context = contextOf(options);
  const workshop = createWorkshop(original, context);
  const feeds = await feedsOf(options.samples, firstRows(options));
  const tuning = await tuned(original, feeds, options);
  const bench: Bench = {
    ...{ workshop, judge: options.judge, samples: options.samples, store: options.store },
    ...{ settings: tuning.settings, batch: options.batch },
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  };
  options.onEvent({ kind: "stage", stage: "looking for what can be made smaller", total: null });
  const heard: SearchUnderWay = { ...options, onRefused };
  const recipes =
    options.maxDrop > 0
      ? await propose(workshop, {
          ...heard,
          ...judgingFor(bench, heard),
          trainingRows: options.splits.training.length,
          secondsARow: tuning.tried.at(-1)?.cost.latency.p50 ?? 0,
          batch: CALIBRATION_BATCH,
          context,
          feeds,
        })
      : [[], SIMPLIFIED];
  const survivors = await halve(
    inTurns(recipes, (steps) => steps),
    bench,
    heard,
  );
  const near = await lookAround(survivors, bench, heard);
  const items = firstRows(options).length;
  const last = distinct([
    ...(await evolvedFrom(near, { bench, feeds, items, options: heard })),
    ...bestOf(near, FINAL),
  ]);
  options.onEvent({ kind: "stage", stage: "measuring what is left", total: last.length });
  const rounds = options.effort === "quick" ? 7 : 15;
  const goOn = (): boolean => options.secondsLeft() > 0;
  const costs = { items, rounds, roundTime: roundTimeOf(options), goOn };
  const candidates = namedApart(await measured(last, feeds, bench, costs));
  return {
    ...{ workshop, tuning, candidates, refused },
    front: paretoFront(candidates, criteriaOf),
    finalists: finalistsOf(candidates, { ...options, verified: options.splits.verify.length }),
    outOfTime: options.secondsLeft() <= 0,
  };
}

const roundTimeOf = ({ roundTime, effort }: SearchOptions): Seconds =>
  roundTime ?? seconds(effort === "quick" ? 0.03 : 0.1);

const criteriaOf = ({ drop, cpu, latency, bytes }: Candidate) => ({
  ...{ drop, bytes },
  ...{ cpu: cpu ?? Number.POSITIVE_INFINITY, latency: latency ?? Number.POSITIVE_INFINITY },
});

function contextOf({ context, samples, splits }: SearchOptions): PassContext {
  return {
    ...context,
    calibration: inputsOf(samples, splits.calibration, CALIBRATION_BATCH),
    training: inputsOf(samples, splits.training),
  };
}

/** Rows of one run as it is deployed. */
const firstRows = ({ splits, samples, batch }: SearchOptions): readonly number[] =>
  splits.search.slice(0, Math.min(batch, samples.batch));

async function tuned(
  original: Model,
  feeds: Feeds,
  options: SearchOptions,
): Promise<SessionTuning> {
  options.onEvent({ kind: "stage", stage: "tuning the original's session", total: null });
  const items = firstRows(options).length;
  const budget = seconds(20 * roundTimeOf(options));
  const key = ["tuning", await hashOfModel(original), items];
  return remembered(options.store, key, () => tuneSession(original, feeds, { items, budget }));
}

/** How the proposing judges what it goes on from. */
function judgingFor(bench: Bench, { splits, maxDrop, onRefused, judge, onEvent }: SearchUnderWay) {
  const rows = splits.search.slice(0, FIRST_RUNG * RUNG_FACTOR);
  let done = 0;
  return {
    judge: async (steps: readonly RecipeStep[], signal: AbortSignal) => {
      const candidate = await assess(steps, rows, { ...bench, signal }, onRefused);
      if (candidate !== null) onEvent({ kind: "candidate", candidate, done: ++done });
      return candidate;
    },
    isWithin: (candidate: Candidate) => isWithin(candidate, maxDrop),
    match: COMPARES_CLASSES.test(judge.metric.name) ? ("logits" as const) : ("features" as const),
  };
}

/** Metrics of classes, and of texts, which are classes at each position. */
const COMPARES_CLASSES = /^(accuracy|top-|f1|agreement|exact-match|cer|wer|perplexity)/;

/** Local search: the best recipes with one node more or less in 8 bits. */
async function lookAround(
  ranked: readonly Candidate[],
  bench: Bench,
  options: SearchUnderWay,
): Promise<readonly Candidate[]> {
  const [best] = ranked.filter(({ drop }) => drop <= options.maxDrop);
  if (best === undefined || options.effort === "quick" || options.secondsLeft() <= 0) return ranked;
  const known = new Set(ranked.map(({ steps }) => JSON.stringify(steps)));
  const fresh = neighboursOf(best, ranked).filter((steps) => !known.has(JSON.stringify(steps)));
  options.onEvent({ kind: "stage", stage: "looking around the best", total: fresh.length });
  const found: Candidate[] = [];
  for (const [done, steps] of fresh.entries()) {
    if (options.secondsLeft() <= 0) break;
    const rows = options.splits.search.slice(0, best.rows);
    const own = { ...bench, signal: endingAfter(options.secondsLeft(), bench.signal) };
    const candidate = await beforeTheEnd(() => assess(steps, rows, own, options.onRefused));
    if (candidate === null) continue;
    found.push(candidate);
    options.onEvent({ kind: "candidate", candidate, done: done + 1 });
  }
  return rankedOf([...ranked, ...found], options);
}

/** What evolution makes of them, where effort is high; else nothing. */
async function evolvedFrom(
  ranked: readonly Candidate[],
  of: {
    readonly bench: Bench;
    readonly feeds: Feeds;
    readonly items: number;
    readonly options: SearchUnderWay;
  },
): Promise<readonly Candidate[]> {
  const { bench, feeds, items, options } = of;
  const { maxDrop, objective, allow, secondsLeft, onEvent, onRefused, context, splits } = options;
  if (options.effort !== "high" || maxDrop <= 0 || secondsLeft() <= 0) return [];
  // Drops of candidates that were judged on fewer rows are not comparable.
  const most = Math.max(0, ...ranked.map(({ rows }) => rows));
  const start = ranked.filter(({ rows }) => rows === most);
  const best = await evolved(start, bench, {
    ...{ feeds, items, maxDrop, objective, allow, secondsLeft, onRefused, seed: context.seed },
    roundTime: roundTimeOf(options),
    rows: splits.search.slice(0, most),
    isWithin: (candidate) => isWithin(candidate, maxDrop),
    onGeneration: (generation, total) =>
      onEvent({ kind: "stage", stage: `evolving recipes, generation ${generation}`, total }),
    onCandidate: (candidate, done) => onEvent({ kind: "candidate", candidate, done }),
  });
  return best.slice(0, FINAL);
}
