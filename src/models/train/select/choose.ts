// The rows of a training run and their order, chosen by the methods of this folder. What scores rows by a model
// trains the run's own model for it first, on the run's own terms; that belongs to the price of the run.

import { createRandom, UserError } from "../../../core/index.ts";
import { extendModel, type Model, type OperatorTable } from "../../../onnx/index.ts";
import { allRows, type Dataset, readLabels, shuffled, subset } from "../../data/index.ts";
import { accuracy, type Metric } from "../../data/metrics/index.ts";
import type { KeptRows } from "../checkpoint.ts";
import { predict } from "../evaluate.ts";
import { fit as fitModel } from "../fit.ts";
import type { FitOptions } from "../fit-options.ts";
import { graphOf } from "../graph-surgery.ts";
import { truthColumn, wireInputs } from "../wiring.ts";
import { byDifficulty, curriculum, linearPacing, rootPacing } from "./curriculum.ts";
import { projectRows, valueSets } from "./features.ts";
import { gradientNorms } from "./gradient-norm.ts";
import { countForgetting, el2n } from "./importance.ts";
import { kCentre } from "./k-centre.ts";
import { deduplicateSets } from "./min-hash.ts";
import { highest } from "./uncertainty.ts";

/** Which rows are trained on. */
export type Selection =
  /** A share of the rows, drawn evenly: what every other choice has to beat. */
  | { readonly kind: "random"; readonly fraction: number }
  /** A share such that every other row is near one of it: greedy k-centre on random projections. */
  | { readonly kind: "coreset"; readonly fraction: number }
  /** The share with the highest scores of a model that is trained for some epochs first. */
  | {
      readonly kind: "el2n" | "grand" | "forgetting";
      readonly fraction: number;
      /** Default: 2; 6 for forgetting, which takes time. */
      readonly epochs?: number | undefined;
    }
  /** Of rows that are nearly the same only the first; similarity from 0.8 on is near. */
  | { readonly kind: "dedup"; readonly threshold?: number | undefined };

/** Easy rows first, by the EL2N of a model that is trained for some epochs before. */
export interface EasyFirst {
  /** Epochs until all rows are in use. */
  readonly duration: number;
  /** Share of the rows in the first epoch. Default: 0.3. */
  readonly start?: number | undefined;
  /** Default: root. */
  readonly pacing?: "linear" | "root" | undefined;
  /** Epochs of the model that scores. Default: 1. */
  readonly epochs?: number | undefined;
}

export interface Choice {
  readonly select?: Selection | undefined;
  readonly curriculum?: EasyFirst | undefined;
}

export interface Chosen extends KeptRows {
  /** Those rows. */
  readonly train: Dataset;
  /** Absent where rows come in any order. */
  readonly order?: NonNullable<FitOptions["order"]>;
  /** Forward passes of single rows that choosing took, where a row that is trained on counts as three. */
  readonly forwards: number;
}

/**
 * Chooses what a run trains on, to be put over its options: `fit(model, { ...options, ...chosen })`. Follows
 * from the seed bit by bit. Throws UserError for scores that the loss does not allow, and the signal's reason
 * when it is aborted.
 */
export async function chooseRows(
  model: Model,
  options: FitOptions,
  choice: Choice,
): Promise<Chosen> {
  const { select, curriculum: easyFirst } = choice;
  const first = select === undefined ? ALL : await rowsBy(select, model, options);
  const rows = first.rows ?? allRows(options.train.length);
  if (easyFirst === undefined) {
    const kept = { rows, easiestFirst: null };
    return { ...rowsAsKept(kept, options, choice), forwards: first.forwards };
  }
  const train = select === undefined ? options.train : subset(options.train, rows);
  const { scores, forwards } = await el2nScores(
    model,
    { ...options, train },
    easyFirst.epochs ?? 1,
  );
  const kept = { rows, easiestFirst: byDifficulty(scores) };
  return { ...rowsAsKept(kept, options, choice), forwards: first.forwards + forwards };
}

/** The rows and their order as they were chosen before, which costs nothing. */
export function rowsAsKept(
  { rows, easiestFirst }: KeptRows,
  { train }: Pick<FitOptions, "train">,
  { select, curriculum: easyFirst }: Choice,
): Chosen {
  const kept = {
    ...{ rows, easiestFirst, forwards: 0 },
    train: select === undefined ? train : subset(train, rows),
  };
  if (easiestFirst === null || easyFirst === undefined) return kept;
  const { duration, start = 0.3, pacing = "root" } = easyFirst;
  const paced = pacing === "linear" ? linearPacing(start) : rootPacing(start);
  return { ...kept, order: curriculum(easiestFirst, { duration, pacing: paced }) };
}

interface Rows {
  /** Null for all. */
  readonly rows: readonly number[] | null;
  readonly forwards: number;
}

const ALL: Rows = { rows: null, forwards: 0 };

async function rowsBy(select: Selection, model: Model, options: FitOptions): Promise<Rows> {
  const { train, seed, columns } = options;
  const wires = wireInputs(model, train, columns).map(({ column }) => column);
  const free = (rows: readonly number[]): Rows => ({ rows: rising(rows), forwards: 0 });
  switch (select.kind) {
    case "random": {
      const order = shuffled(allRows(train.length), createRandom(seed));
      return free(order.slice(0, countOf(select.fraction, train)));
    }
    case "coreset": {
      const features = await projectRows(train, wires, { seed });
      return free(kCentre(features, countOf(select.fraction, train)).rows);
    }
    case "dedup": {
      const { threshold = 0.8 } = select;
      return free(deduplicateSets(await valueSets(train, wires), { threshold, seed }).kept);
    }
    case "el2n":
    case "grand":
    case "forgetting": {
      const { epochs = select.kind === "forgetting" ? 6 : 2, fraction } = select;
      const { scores, forwards } = await SCORES[select.kind](model, options, epochs);
      // Among equals chance decides: rows may lie by their classes.
      const order = shuffled(allRows(train.length), createRandom(seed));
      const own = order.map((row) => scores[row] as number);
      const best = highest(own, countOf(fraction, train)).map((at) => order[at] as number);
      return { rows: rising(best), forwards };
    }
    default:
      return select satisfies never;
  }
}

const rising = (rows: readonly number[]): number[] => [...rows].sort((a, b) => a - b);

const countOf = (fraction: number, { length }: Dataset): number =>
  Math.max(1, Math.round(fraction * length));

interface Scores {
  /** One a row, larger for those that matter more. */
  readonly scores: Float64Array | Float32Array;
  readonly forwards: number;
}

type Score = (model: Model, options: FitOptions, epochs: number) => Promise<Scores>;

async function el2nScores(model: Model, options: FitOptions, epochs: number): Promise<Scores> {
  const { train, columns, operators, engine, thread, signal } = options;
  requireClasses("el2n", options);
  const trained = await trainScorer(model, options, epochs);
  const output = options.predictions?.[0] ?? graphOf(model).outputs[0]?.name ?? "";
  const logits = await predict(withOutput(trained.model, output, operators), train, {
    output,
    ...(columns === undefined ? {} : { columns }),
    ...(engine === undefined ? {} : { engine }),
    ...(thread === undefined ? {} : { thread }),
    ...(signal === undefined ? {} : { signal }),
  });
  const labels = await readLabels(train, truthColumn(train, columns));
  return { scores: el2n(logits, labels), forwards: trained.forwards + train.length };
}

async function gradientScores(model: Model, options: FitOptions, epochs: number): Promise<Scores> {
  const { operators, loss, train, columns, predictions, signal } = options;
  const trained = await trainScorer(model, options, epochs);
  const scores = await gradientNorms(trained.model, train, {
    ...{ operators, loss },
    ...(options.parameters === undefined ? {} : { only: options.parameters }),
    ...(columns === undefined ? {} : { columns }),
    ...(predictions === undefined ? {} : { predictions }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { scores, forwards: trained.forwards + 3 * train.length };
}

/** Rows are judged after each epoch, by a metric that remembers. */
async function forgettingScores(
  model: Model,
  options: FitOptions,
  epochs: number,
): Promise<Scores> {
  const { train } = options;
  requireClasses("forgetting", options);
  const counter = countForgetting(train.length);
  const metric: Metric = {
    ...accuracy,
    of(predictions, truth) {
      const quality = accuracy.of(predictions, truth);
      const right = Array.from(quality.scores ?? [], (score) => score === 1);
      counter.observe(allRows(train.length), right);
      return quality;
    },
  };
  const trained = await trainScorer(model, options, epochs, { validation: train, metric });
  return { scores: counter.counts(), forwards: trained.forwards + epochs * train.length };
}

const SCORES: Readonly<Record<"el2n" | "grand" | "forgetting", Score>> = {
  el2n: el2nScores,
  grand: gradientScores,
  forgetting: forgettingScores,
};

/** Trains the model for the scores alone: nothing is told of it, judged by it or kept. */
async function trainScorer(
  model: Model,
  options: FitOptions,
  epochs: number,
  judged: Pick<FitOptions, "validation" | "metric"> = {},
): Promise<{ readonly model: Model; readonly forwards: number }> {
  const { validation, metric, patience, meter, maxEnergy, usedEnergy, ...rest } = options;
  const { onProgress, save, resume, recipe, order, ...alone } = rest;
  const result = await fitModel(model, { ...alone, ...judged, epochs });
  options.signal?.throwIfAborted();
  if (result.stopped === "not-finite") {
    throw new UserError("invalid-input", "the model that was to score rows did not stay finite", {
      hint: "Make the learning rate smaller.",
    });
  }
  const updates = result.checkpoint.state.updates * (options.accumulate ?? 1);
  return { model: result.model, forwards: 3 * updates * options.batchSize };
}

function requireClasses(score: string, { loss }: FitOptions): void {
  if (loss.name === "cross-entropy") return;
  throw new UserError("usage", `${score} scores classes, the loss is ${loss.name}`, {
    hint: "Choose rows by coreset, grand or dedup, or train with cross-entropy.",
  });
}

/** The model with a value among its outputs. */
function withOutput(model: Model, value: string, operators: OperatorTable): Model {
  if (graphOf(model).outputs.some(({ name }) => name === value)) return model;
  const graph = extendModel(model, { operators });
  graph.output(value);
  return graph.finish();
}
