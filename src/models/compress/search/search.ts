// The search: propose along the predicted front, judge on small slices first, measure what is left, look
// around the best ones, and say in which order to verify them. Method notes: docs/methods/slim.md.

import { type Seconds, seconds } from "../../../core/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { type SessionTuning, tuneSession } from "../cost/tune-session.ts";
import type { Judge } from "../judge/evaluate.ts";
import { CALIBRATION_BATCH, feedsOf, inputsOf, type Samples } from "../judge/samples.ts";
import type { ThreeSplits } from "../judge/three-splits.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { assess, type Bench, measured } from "./assess.ts";
import { type Candidate, distinct, namedApart, type Objective } from "./candidate.ts";
import { evolved } from "./evolving.ts";
import { finalistsOf } from "./finalists.ts";
import { hashOfModel, remembered, type Store } from "./memo.ts";
import { neighboursOf } from "./neighbours.ts";
import { paretoFront } from "./pareto.ts";
import { propose } from "./propose.ts";
import { type Allowed, SIMPLIFIED } from "./proposing.ts";
import type { RecipeStep } from "./recipe.ts";
import { beforeTheEnd, endingAfter } from "./time.ts";
import { createWorkshop, type Workshop } from "./workshop.ts";

export interface SearchOptions {
  readonly samples: Omit<Samples, "rows">;
  readonly splits: ThreeSplits;
  readonly judge: Judge;
  /** Largest drop of the mean score; 0 or less allows only what leaves outputs as they are. */
  readonly maxDrop: number;
  readonly objective: Objective;
  readonly allow: readonly Allowed[];
  readonly effort: "quick" | "normal" | "high";
  /** Samples in a run of the deployed model. */
  readonly batch: number;
  /** How long each candidate runs in each round of measuring. Default: by effort. */
  readonly roundTime?: Seconds;
  /** Probability of a wrong claim of the verification that follows. */
  readonly alpha: number;
  readonly store: Store;
  readonly context: Omit<PassContext, "calibration">;
  /**
   * Seconds that are left. Scans, training and judging are broken off when they are over; of measuring the
   * first five rounds are run all the same.
   */
  readonly secondsLeft: () => number;
  readonly onEvent: (event: SearchEvent) => void;
}

/** What happens, for progress. */
export type SearchEvent =
  | { readonly kind: "stage"; readonly stage: string; readonly total: number | null }
  | { readonly kind: "candidate"; readonly candidate: Candidate; readonly done: number }
  | { readonly kind: "refused"; readonly what: string; readonly reason: string }
  | { readonly kind: "out-of-time" };

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

/** Rows of the rungs: the next rung sees all rows of the one before. */
const FIRST_RUNG = 32;
const RUNG_FACTOR = 4;

/** Candidates that are measured and judged on all rows. */
const FINAL = 8;

/** Searches. Throws UserError for models and data that cannot be used, and the signal's reason. */
export async function search(original: Model, options: SearchOptions): Promise<SearchResult> {
  const refused: { what: string; reason: string }[] = [];
  const onRefused = (what: string, reason: string): void => {
    refused.push({ what, reason });
    options.onEvent({ kind: "refused", what, reason });
  };
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
  const halving = { ...options, onRefused };
  const recipes =
    options.maxDrop > 0
      ? await propose(workshop, {
          ...halving,
          ...judgingFor(bench, halving),
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
    halving,
  );
  const near = await lookAround(survivors, bench, halving);
  const items = firstRows(options).length;
  const last = distinct([
    ...(await evolvedFrom(near, { bench, feeds, items, options: halving })),
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
function judgingFor(bench: Bench, { splits, maxDrop, onRefused, judge, onEvent }: Halving) {
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

type Halving = SearchOptions & { readonly onRefused: (what: string, reason: string) => void };

/** Successive halving: the worse half is dropped on each slice, the slices grow (Jamieson & Talwalkar 2016). */
async function halve(
  recipes: readonly (readonly RecipeStep[])[],
  bench: Bench,
  options: Halving,
): Promise<readonly Candidate[]> {
  const { splits, onEvent, onRefused, secondsLeft } = options;
  let alive = recipes;
  let judged: readonly Candidate[] = [];
  let rung = Math.min(FIRST_RUNG, splits.search.length);
  for (;;) {
    const rows = splits.search.slice(0, rung);
    onEvent({ kind: "stage", stage: `judging on ${rung} samples`, total: alive.length });
    const seen: Candidate[] = [];
    for (const [done, steps] of alive.entries()) {
      bench.signal?.throwIfAborted();
      // Without time what the last rung said stands; two are judged in any case.
      const isFirst = judged.length === 0 && seen.length < 2;
      if (secondsLeft() <= 0 && !isFirst) break;
      const own = isFirst ? bench : { ...bench, signal: endingAfter(secondsLeft(), bench.signal) };
      const candidate = await beforeTheEnd(() => assess(steps, rows, own, onRefused));
      if (candidate === null) continue;
      seen.push(candidate);
      onEvent({ kind: "candidate", candidate, done: done + 1 });
    }
    if (seen.length > 0 || judged.length === 0) judged = seen;
    const ranked = rankedOf(judged, options);
    if (rung >= splits.search.length || secondsLeft() <= 0) return ranked;
    rung = nextRung(rung, splits.search.length);
    alive = bestOf(ranked, Math.max(FINAL, Math.ceil(ranked.length / 2))).map(({ steps }) => steps);
  }
}

/** A last rung that hardly adds rows would judge all the others once more. */
const nextRung = (rung: number, all: number): number =>
  2 * rung * RUNG_FACTOR > all ? all : rung * RUNG_FACTOR;

/** The first so many, and the simplified original: it is what there is where nothing else holds. */
function bestOf(ranked: readonly Candidate[], count: number): readonly Candidate[] {
  const plain = ranked.slice(count).filter((of) => isPlain(of) && of.steps.length > 0);
  return [...ranked.slice(0, count), ...plain];
}

/** The original, and the simplified one. */
const isPlain = ({ steps }: Candidate): boolean => steps.length <= 1;

/**
 * Those within the budget, smallest file first as the cheapest guess of cost, then the others by how far
 * they miss it.
 */
function rankedOf(candidates: readonly Candidate[], options: SearchOptions): readonly Candidate[] {
  const fits = (of: Candidate): boolean => isWithin(of, options.maxDrop);
  const plain = candidates.filter((of) => isPlain(of) && of.steps.length > 0);
  const others = candidates.filter((of) => !isPlain(of));
  return [
    ...inTurns(
      others.filter(fits).sort((a, b) => a.bytes - b.bytes),
      ({ steps }) => steps,
    ),
    ...plain,
    ...others.filter((of) => !fits(of)).sort((a, b) => a.drop - b.drop),
  ];
}

/** The first of each way to make a model smaller, then the second of each: variants of one way are many. */
function inTurns<T>(all: readonly T[], stepsOf: (one: T) => readonly RecipeStep[]): readonly T[] {
  const places = new Map<string, number>();
  const turns = all.map((one) => {
    const way = stepsOf(one)
      .map(({ pass }) => pass)
      .join();
    const place = places.get(way) ?? 0;
    places.set(way, place + 1);
    return { one, place };
  });
  return turns.toSorted((a, b) => a.place - b.place).map(({ one }) => one);
}

/** Whether the drop may be within the budget, chance allowed for. */
const isWithin = (of: Candidate, maxDrop: number): boolean => of.drop <= maxDrop + slackOf(of);

/** What chance alone may add to a drop on so few rows. */
const slackOf = ({ spread, rows }: Candidate): number => Math.sqrt(spread / Math.max(1, rows));

/** Local search: the best recipes with one node more or less in 8 bits. */
async function lookAround(
  ranked: readonly Candidate[],
  bench: Bench,
  options: Halving,
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
    readonly options: Halving;
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
