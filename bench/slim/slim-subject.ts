// One model through the whole of slim: searched, verified, measured in turns; one line of a table.

import { seconds } from "../../src/core/index.ts";
import { createSession, nativeRuntime, type Session } from "../../src/engine/index.ts";
import {
  feedsOf,
  type Judge,
  measureCosts,
  memoryStore,
  type Objective,
  type Samples,
  search,
  threeSplits,
  verify,
  withRows,
} from "../../src/models/compress/index.ts";
import type { Dataset } from "../../src/models/data/index.ts";
import { encodeModel, type Model } from "../../src/onnx/index.ts";
import { operators } from "../../test/operators.ts";

export interface Subject {
  readonly name: string;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly samples: Omit<Samples, "rows">;
  readonly judge: Judge;
  /** Largest drop that is accepted. */
  readonly margin: number;
}

export interface SubjectOptions {
  readonly effort: "quick" | "normal" | "high";
  readonly allow: readonly ("quantise" | "prune" | "factorise")[];
  readonly objective?: Objective;
  readonly timeLimit: number;
}

/** Slims a model and tells what came of it, line by line. */
export async function* slimmed(subject: Subject, options: SubjectOptions): AsyncGenerator<string> {
  const { name, model, dataset, samples, judge, margin } = subject;
  const started = performance.now();
  const before = process.cpuUsage();
  const splits = await threeSplits(dataset, { calibration: 32 });
  const result = await search(model, {
    ...{ samples, splits, judge, maxDrop: margin, batch: 1, alpha: 0.03, store: memoryStore() },
    ...{ objective: options.objective ?? "energy", effort: options.effort, allow: options.allow },
    context: { operators, runtime: nativeRuntime(), seed: 1 },
    secondsLeft: () => options.timeLimit - (performance.now() - started) / 1000,
    onEvent: () => {},
  });
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
  const first = await result.workshop.build([]);
  yield `${name}: ${megabytes(encodeModel(first.model).length)}, ${judge.metric.name}, ${splits.verify.length} samples to verify`;
  const [defaults, tuned] = result.tuning.tried;
  if (defaults !== undefined && tuned !== undefined) {
    yield `  session   ${ratio(tuned.cost.ratio)} of ONNX Runtime's defaults`;
  }
  for (const candidate of result.candidates) {
    const cost = candidate.ratio === null ? "not measured" : ratio({ ...candidate.ratio });
    yield `  candidate ${candidate.name}: ${megabytes(candidate.bytes)}, CPU ${cost}, drop ${candidate.drop.toPrecision(2)}`;
  }
  for (const [at, finalist] of result.finalists.slice(0, 3).entries()) {
    const small = (await result.workshop.build(finalist.steps)).model;
    const of = { samples: withRows(samples, splits.verify), judge };
    const alpha = [0.03, 0.015, 0.005][at] ?? 0.005;
    const found = await verify(model, small, of, { margin, alpha });
    const { test, verdict, difference } = found;
    yield `  verify    ${finalist.name}: ${verdict}, ${found.before.value.toPrecision(5)} to ${found.after.value.toPrecision(5)}, drop below ${test.upper.toPrecision(2)} (${test.method}), largest change ${difference.relative.toExponential(1)}`;
    if (verdict !== "equal" && verdict !== "shown") continue;
    const feeds = await feedsOf(samples, splits.search.slice(0, 1));
    const [, cost] = await inTurns(model, small, (session) => session.run(feeds));
    yield `  result    ${megabytes(finalist.bytes)}, CPU ${cost === undefined ? "?" : ratio(cost.ratio)}`;
    break;
  }
  const refused = [...new Set(result.refused.map(({ what, reason }) => `${what}: ${reason}`))];
  for (const line of refused.slice(0, 3)) yield `  refused   ${line}`;
  const { user, system } = process.cpuUsage(before);
  yield `  searching took ${((user + system) / 1e6).toFixed(0)} s of CPU time, ${((performance.now() - started) / 1000).toFixed(0)} s`;
}

const ratio = (of: {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}): string => `${of.value.toFixed(2)} (${of.low.toFixed(2)} to ${of.high.toFixed(2)})`;

async function inTurns(a: Model, b: Model, run: (session: Session) => Promise<unknown>) {
  const sessions = [await createSession(a, { threads: 1 }), await createSession(b, { threads: 1 })];
  try {
    return await measureCosts(
      sessions.map((session, at) => ({ name: `${at}`, run: () => run(session) })),
      { rounds: 15, roundTime: seconds(0.1) },
    );
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}
