// Runs candidates on rows of the search: how much each loses, and what it costs.

import type { Seconds } from "../../../core/index.ts";
import {
  createSession,
  type EngineOptions,
  type Session,
  type TensorValue,
} from "../../../engine/index.ts";
import { encodeModel, type Model } from "../../../onnx/index.ts";
import { type Cost, measureCosts } from "../cost/measure-cost.ts";
import { evaluate, type Judge, scoresOf } from "../judge/evaluate.ts";
import { predict } from "../judge/predict.ts";
import { asDeployed, type Samples, withRows } from "../judge/samples.ts";
import type { Feeds } from "../pass.ts";
import type { Candidate } from "./candidate.ts";
import { remembered, type Store, sha256 } from "./memo.ts";
import { type RecipeStep, recipeText } from "./recipe.ts";
import type { Workshop } from "./workshop.ts";

/** What candidates are held against, and with what. */
export interface Bench {
  readonly workshop: Workshop;
  readonly samples: Omit<Samples, "rows">;
  /** Samples in a run of the deployed model. */
  readonly batch: number;
  readonly judge: Judge;
  readonly settings: EngineOptions;
  readonly store: Store;
  readonly signal?: AbortSignal;
}

interface Judged {
  readonly quality: number;
  readonly scores: readonly number[];
}

/** Scores of a model on rows; those of the original where there is no truth to hold it against. */
async function judged(
  model: Model,
  hash: string,
  rows: readonly number[],
  bench: Bench,
  original: Model,
): Promise<Judged> {
  const { judge, store, settings, signal } = bench;
  const samples = asDeployed(model, bench.samples, bench.batch);
  const shape = [judge.metric.name, judge.output ?? "", judge.truth, samples.batch];
  const key = ["scores", hash, ...shape, rows];
  return remembered(store, key, async () => {
    const session = await createSession(model, settings);
    try {
      const own = withRows(samples, rows);
      const options = signal === undefined ? {} : { signal };
      const reference =
        judge.truth === null && model !== original
          ? { reference: await originalAnswers(original, own, bench) }
          : {};
      const { quality } = await evaluate(session, own, judge, { ...options, ...reference });
      return { quality: quality.value, scores: [...scoresOf(quality, judge.metric.better)] };
    } finally {
      await session.close();
    }
  });
}

async function originalAnswers(
  original: Model,
  samples: Samples,
  { judge, settings, signal }: Bench,
): Promise<TensorValue> {
  const session = await createSession(original, settings);
  try {
    return await predict(session, samples, judge, signal === undefined ? {} : { signal });
  } finally {
    await session.close();
  }
}

/**
 * A candidate judged on these rows; null where it cannot be built or run, with the reason told. Throws the
 * reason of the bench's signal.
 */
export async function assess(
  steps: readonly RecipeStep[],
  rows: readonly number[],
  bench: Bench,
  onRefused: (what: string, reason: string) => void,
): Promise<Candidate | null> {
  const name = recipeText(steps);
  try {
    const before = await bench.workshop.build([]);
    const after = await bench.workshop.build(steps, bench.signal);
    const last = steps.at(-1)?.pass;
    if (last !== undefined && last !== "simplify" && !after.changes.some((c) => c.pass === last)) {
      onRefused(
        name,
        after.refused.find(({ pass }) => pass === last)?.reason ?? "nothing to change",
      );
      return null;
    }
    const bytes = encodeModel(after.model);
    const [first, second] = [encodeModel(before.model), bytes];
    const original = await judged(before.model, await sha256(first), rows, bench, before.model);
    const own = await judged(after.model, await sha256(second), rows, bench, before.model);
    return {
      ...compared(original, own),
      ...{ name, steps: [...steps], bytes: bytes.length },
      ...{ rows: rows.length, cpu: null, latency: null, ratio: null },
      refusals: after.refused.length,
    };
  } catch (error) {
    bench.signal?.throwIfAborted();
    onRefused(name, error instanceof Error ? error.message : String(error));
    return null;
  }
}

function compared(before: Judged, after: Judged) {
  const differences = before.scores.map((score, at) => {
    const other = after.scores[at] ?? Number.NaN;
    return score === other ? 0 : score - other;
  });
  const count = differences.length;
  const drop = differences.reduce((sum, one) => sum + one, 0) / count;
  const spread = differences.reduce((sum, one) => sum + (one - drop) ** 2, 0) / count;
  const changed = differences.filter((one) => one !== 0).length / count;
  return { quality: after.quality, drop, spread, changed };
}

/** The candidates with their costs against the original's, all run in turns. */
export async function measured(
  candidates: readonly Candidate[],
  feeds: Feeds,
  bench: Bench,
  options: {
    readonly items: number;
    readonly rounds: number;
    readonly roundTime: Seconds;
    readonly goOn: () => boolean;
  },
): Promise<readonly Candidate[]> {
  const sessions: Session[] = [];
  try {
    const models = [[] as readonly RecipeStep[], ...candidates.map(({ steps }) => steps)];
    for (const steps of models) {
      sessions.push(await createSession((await bench.workshop.build(steps)).model, bench.settings));
    }
    const { items, ...costs } = options;
    const variants = sessions.map((session, at) => ({
      name: candidates[at - 1]?.name ?? "original",
      items,
      run: () => session.run(feeds),
    }));
    const signal = bench.signal === undefined ? {} : { signal: bench.signal };
    const [, ...found] = await measureCosts(variants, { ...costs, ...signal });
    return candidates.map((candidate, at) => withCost(candidate, found[at]));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

function withCost(candidate: Candidate, cost: Cost | undefined): Candidate {
  if (cost === undefined) return candidate;
  const { value, low, high } = cost.ratio;
  return {
    ...candidate,
    ...{ cpu: cost.cpu.median, latency: cost.latency.p50, ratio: { value, low, high } },
  };
}
