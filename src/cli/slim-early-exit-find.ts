// Exits for a classifier: where it can be left, heads fitted there, what they cost on this machine, and which
// of them are worth it. What cannot be is refused with the reason.

import { basename } from "node:path";
import { seconds, UserError } from "../core/index.ts";
import { type EngineOptions, nativeRuntime } from "../engine/index.ts";
import {
  type Feeds,
  feedsOf,
  likelyBound,
  runSteps,
  simplify,
  stepOf,
  threeSplits,
  tuneSession,
} from "../models/compress/index.ts";
import { columnOf, subset } from "../models/data/index.ts";
import {
  type CandidateCut,
  type ChosenExits,
  candidateCuts,
  chooseExits,
  classesOf,
  type ExitCosts,
  type ExitPlan,
  type FittedHeads,
  fitHeads,
  measureExits,
} from "../models/dynamic/index.ts";
import { loadOperators, type Model, type OperatorTable } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { refuseHopeless } from "./slim-baseline.ts";
import type { ExitOptions } from "./slim-early-exit-options.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import { openSlimInputs, openSlimModel, type SlimInputs, type SlimModel } from "./slim-inputs.ts";
import type { SearchProgress } from "./slim-progress.ts";

/** What is asked. */
export interface ExitRequest {
  /** Path of the model. */
  readonly model: string;
  readonly options: ExitOptions;
}

/** How work is followed and ended. */
export interface Way {
  readonly progress: SearchProgress;
  readonly signal: AbortSignal;
}

/** Row numbers of each part; they share none. */
interface ExitParts {
  readonly heads: readonly number[];
  readonly temperatures: readonly number[];
  readonly thresholds: readonly number[];
  readonly verify: readonly number[];
}

export interface ExitFound {
  readonly request: ExitRequest;
  readonly model: SlimModel;
  readonly inputs: SlimInputs;
  readonly operators: OperatorTable;
  readonly parts: ExitParts;
  /** The model that exits are put on: the original, simplified. */
  readonly base: Model;
  readonly settings: EngineOptions;
  readonly candidates: readonly CandidateCut[];
  readonly fitted: FittedHeads;
  readonly costs: ExitCosts;
  /** Exits that are worth a verification, the cheapest first and then safer ones. */
  readonly chosen: readonly (ChosenExits & Trial)[];
  /** What would be chosen if nothing had to be shown; null where nothing pays even so. */
  readonly wished: ChosenExits | null;
}

/** One of the verifications. */
interface Trial {
  /** Its part of the chance of a wrong claim, 5 % in all (Bonferroni). */
  readonly alpha: number;
  /** Probability with which its success was expected. */
  readonly power: number;
}

/**
 * Thresholds are the best of hundreds on the samples they were chosen on, so that what was expected of them
 * flatters: where a first verification shows that, safer ones are left.
 */
export const TRIALS: readonly Trial[] = [
  { alpha: 0.03, power: 0.8 },
  { alpha: 0.015, power: 0.95 },
  { alpha: 0.005, power: 0.99 },
];

/** Share of the rows for temperatures: one number a head is fitted on them. */
const TEMPERATURES = 0.05;

/** Rows of a part at most: fits and choices take time for each, and hardly get better. */
const MOST_ROWS = { heads: 6000, temperatures: 500, thresholds: 4000 } as const;

/** Throws UserError with the code of what cannot be used: the model or the data. */
export async function findExits(
  context: CliContext,
  request: ExitRequest,
  { progress, signal }: Way,
): Promise<ExitFound> {
  const { options } = request;
  progress.stage(`opening ${basename(request.model)} and ${options.data ?? "its data"}`);
  const model = await openSlimModel(request.model);
  const classes = await endingWith(SLIM_EXIT.badModel, () => classesOf(model.whole));
  const inputs = await openSlimInputs(context, model, options);
  const [labels, parts] = await endingWith(
    SLIM_EXIT.badData,
    async () => [labelsOf(inputs), await partsOf(inputs, options)] as const,
  );
  const operators = await loadOperators(context.host);
  const feeds = await feedsOf(inputs.samples, parts.thresholds.slice(0, 1));
  const { base, candidates } = await endingWith(SLIM_EXIT.badModel, async () => {
    const own = { operators, runtime: nativeRuntime(), seed: options.seed, signal };
    const simple = await runSteps(model.whole, [stepOf(simplify, undefined)], own);
    return {
      base: simple.model,
      candidates: candidateCuts(simple.model, dimsOf(feeds), options.at),
    };
  });
  if (options.force !== true) await refuseHopeless(model, inputs, parts.thresholds);
  progress.stage("tuning the original's session");
  const { settings } = await tuneSession(base, feeds, { budget: TUNING[options.effort], signal });
  progress.stage(`fitting ${candidates.length} heads for ${classes} classes`);
  const part = (rows: readonly number[]) => subset(inputs.dataset, rows);
  const fitted = await endingWith(SLIM_EXIT.badData, () =>
    fitHeads(base, {
      ...{ at: candidates.map(({ value }) => value), labels, confidence: options.confidence },
      ...{ train: part(parts.heads), calibrate: part(parts.temperatures) },
      ...{ choose: part(parts.thresholds), columns: Object.fromEntries(inputs.samples.columns) },
    }),
  );
  signal.throwIfAborted();
  progress.stage("measuring what heads cost and save");
  const measuring = { rounds: 9, roundTime: ROUND[options.effort], signal };
  const costs = await endingWith(SLIM_EXIT.badModel, () =>
    measureExits(base, fitted, { operators, settings, feeds, measuring }),
  );
  const found = { request, model, inputs, operators, parts, base, settings, candidates };
  return { ...found, fitted, costs, ...chosenOf(fitted, costs, { options, parts }) };
}

/** Sizes of inputs. */
const dimsOf = (feeds: Feeds): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    Object.entries(feeds).flatMap(([name, feed]) => ("dims" in feed ? [[name, feed.dims]] : [])),
  );

/** Exits that are likely to be shown, for each verification. */
function chosenOf(
  fitted: FittedHeads,
  costs: ExitCosts,
  { options, parts }: { readonly options: ExitOptions; readonly parts: ExitParts },
): Pick<ExitFound, "chosen" | "wished"> {
  const choose = (isAccepted: (plan: ExitPlan) => boolean): ChosenExits | null =>
    chooseExits(fitted, costs, { most: options.exits, isAccepted });
  const verified = parts.verify.length;
  const chosen = TRIALS.flatMap((trial) => {
    const found = choose((plan) => likelyBound(plan, { verified, ...trial }) <= options.maxDrop);
    return found === null ? [] : [{ ...found, ...trial }];
  });
  return {
    // A verification that failed would not do better for the same thresholds.
    chosen: chosen.filter(({ plan }, at) => chosen[at - 1]?.plan.cost !== plan.cost),
    wished: choose(({ lost, won, samples }) => (lost - won) / samples <= options.maxDrop),
  };
}

const TUNING = { quick: seconds(0.2), normal: seconds(1), high: seconds(2) } as const;
const ROUND = { quick: seconds(0.01), normal: seconds(0.05), high: seconds(0.1) } as const;

/** The column of the labels. */
function labelsOf({ dataset, judge, samples }: SlimInputs): string {
  if (Object.keys(samples.fixed).length > 0) {
    throw new UserError("unsupported", "heads are not fitted to models with fixed inputs here", {
      hint: "Leave --fixed out; godwit slim simplify writes inputs that never change into a model.",
    });
  }
  const { truth } = judge;
  if (truth === null) {
    throw new UserError("invalid-input", `${dataset.name} has no labels to fit exits to`, {
      hint: "Early exit needs the class of each sample: a column label, or another by --label.",
    });
  }
  const { dataType } = columnOf(dataset, truth);
  if (judge.metric.name === "accuracy") return truth;
  throw new UserError("invalid-input", `column ${truth} of ${dataset.name} is ${dataType}`, {
    hint: "Labels are whole numbers, from 0, in the order of the model's classes.",
  });
}

/** A fifth and more for heads, a twentieth for temperatures, a fifth for thresholds, the rest to verify on. */
async function partsOf({ dataset }: SlimInputs, { seed, force }: ExitOptions): Promise<ExitParts> {
  const { calibration, training, search, verify } = await threeSplits(dataset, {
    ...{ seed, force: force === true, training: MOST_ROWS.heads },
    calibration: Math.min(MOST_ROWS.temperatures, Math.ceil(TEMPERATURES * dataset.length)),
  });
  return {
    heads: training.slice(calibration.length),
    temperatures: calibration,
    thresholds: search.slice(0, MOST_ROWS.thresholds),
    verify,
  };
}
