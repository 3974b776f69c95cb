// Cards of a search in the ledger: of the original, of the smaller model, and of the search itself.

import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Card } from "../core/card.ts";
import { exact, type Figure, figure } from "../core/index.ts";
import { createSession, type EngineOptions } from "../engine/index.ts";
import { countModel } from "../measure/profile/index.ts";
import type { Feeds } from "../models/compress/index.ts";
import { headlineEnergy } from "../report/headline.ts";
import type { CliContext } from "./context.ts";
import { type MeteredRun, startRun } from "./metered-run.ts";
import { ledgerOf } from "./open-ledger.ts";
import { signalOf } from "./run-options.ts";
import type { SlimOptions } from "./slim-options.ts";

/** What cards are made by, of a command line. */
export interface CardRequest {
  /** Path of the original model. */
  readonly model: string;
  readonly options: Pick<SlimOptions, "effort" | "ledger" | "location" | "intensity">;
}

/** Starts the meter of the search; `what` is the command in words. */
export const meterSearch = (
  context: CliContext,
  request: CardRequest,
  what = "slim",
): Promise<MeteredRun> =>
  startRun(context, {
    subject: { kind: "job", name: `${what} ${basename(request.model)}`, tags: {} },
    ...whereOf(context, request),
  });

const whereOf = (context: CliContext, { options }: CardRequest) => ({
  place: ledgerOf(context, options.ledger),
  signal: signalOf(options, context),
});

/** A model to be metered. */
export interface CardSubject {
  readonly path: string;
  readonly model: Parameters<typeof countModel>[0];
  /** Inputs of runs, which take turns: a model may cost more for one sample than for another. */
  readonly feeds: readonly [Feeds, ...Feeds[]];
  /** Samples in a run. */
  readonly items: number;
  readonly settings: EngineOptions;
  readonly quality: Card["quality"];
}

/** The card of a model, with the energy of one sample; null where nothing tells it. */
export interface ModelCard {
  readonly id: string;
  readonly perSample: Figure<"J"> | null;
  readonly notices: readonly string[];
}

/** How long each model runs for its card, seconds: sensors and models of power need a while. */
const RUNS_FOR = { quick: 0.8, normal: 3, high: 6 } as const;

/** Runs a model under a meter and keeps its card. */
export async function cardOfModel(
  context: CliContext,
  request: CardRequest,
  subject: CardSubject,
): Promise<ModelCard> {
  const { path, model, feeds, items, settings, quality } = subject;
  const session = await createSession(path, settings);
  try {
    await session.run(feeds[0]);
    const name = `${basename(path, ".onnx")} inference`;
    const run = await startRun(context, {
      subject: { kind: "inference", name, tags: { slim: basename(request.model) } },
      ...whereOf(context, request),
    });
    const end = performance.now() + RUNS_FOR[request.options.effort] * 1000;
    let runs = 0;
    for (; performance.now() < end; runs++) await session.run(feeds[runs % feeds.length] as Feeds);
    const { card, notices } = await run.finish({
      extra: { modelSize: sizeOf(path), parameters: parametersOf(model) },
      ...(quality === undefined ? {} : { quality }),
    });
    return { id: card.id, notices, perSample: perSampleOf(card, runs * items) };
  } finally {
    await session.close();
  }
}

const sizeOf = (path: string) =>
  exact("B", statSync(path).size, { method: "measured", source: `size of ${basename(path)}` });

const parametersOf = (model: CardSubject["model"]) =>
  exact("parameters", countModel(model).parameters.total, {
    method: "measured",
    source: "initializers of the model",
  });

function perSampleOf(card: Card, samples: number): Figure<"J"> | null {
  const energy = headlineEnergy(card)?.figure;
  if (energy === undefined || samples === 0) return null;
  return figure(
    "J",
    energy.value / samples,
    { low: energy.low / samples, high: energy.high / samples },
    { method: energy.method, source: `${energy.source}, over ${samples} samples` },
  );
}

/** Cards of the original and of the result; null where nothing was written. */
export interface TwoCards {
  readonly before: ModelCard | null;
  readonly after: ModelCard | null;
}

/**
 * What a sample saves; null where that is nothing or not known. Both were told by the same sensors or the same
 * model, so that their errors move together: the interval has the differences of like ends.
 */
export function savedPerSample({ before, after }: TwoCards): Figure<"J"> | null {
  const [was, is] = [before?.perSample ?? null, after?.perSample ?? null];
  if (was === null || is === null) return null;
  const ends = [was.low - is.low, was.value - is.value, was.high - is.high] as const;
  if (ends.some((saved) => !(saved > 0))) return null;
  const range = { low: Math.min(...ends), high: Math.max(...ends) };
  return figure("J", ends[1], range, {
    method: was.method,
    source: "energy of a sample before, less that of one after",
  });
}

/** Ends the run of the work, whose card says what its result saves; and the energies for a report. */
export async function finishWork(metered: MeteredRun, cards: TwoCards) {
  const saved = savedPerSample(cards);
  const { card } = await metered.finish(saved === null ? {} : { extra: { savedPerUse: saved } });
  return {
    id: card.id,
    energy: {
      before: cards.before?.perSample ?? null,
      after: cards.after?.perSample ?? null,
      spent: headlineEnergy(card)?.figure ?? null,
      paidBackAfter: card.measures.paidBackAfter?.value ?? null,
    },
  };
}
