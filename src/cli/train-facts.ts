// What a training run's card says beside what was metered: size, parameters, operations, quality and the
// quality of a guess.

import { statSync } from "node:fs";
import { basename } from "node:path";
import { exact } from "../core/index.ts";
import { countModel, numberOf } from "../measure/profile/index.ts";
import type { Ending } from "../measure/run/index.ts";
import { type Dataset, readColumn } from "../models/data/index.ts";
import {
  type Metric,
  majorityClass,
  meanTarget,
  metricNamed,
  type Quality,
} from "../models/data/metrics/index.ts";
import { evaluate, type FitResult, type Recipe } from "../models/train/index.ts";
import type { Model } from "../onnx/index.ts";
import type { TrainInputs } from "./train-inputs.ts";

/** What a run came to. */
export interface Outcome {
  readonly result: FitResult;
  /** The recipe that makes the model again, with what was found out on the way. */
  readonly recipe: Recipe;
  readonly rows: { readonly chosen: number; readonly of: number };
  /** Forward passes of single rows that choosing rows took. */
  readonly choosing: number;
}

export interface Facts {
  readonly extra: NonNullable<Ending["extra"]>;
  /** Absent where there are no rows to judge by. */
  readonly quality?: NonNullable<Ending["quality"]>;
  readonly notes: readonly string[];
}

/** Judges the model on rows that it was not chosen by, where there are any. */
export async function factsOf(
  { parts, recipe }: TrainInputs,
  of: { readonly outcome: Outcome; readonly output: string; readonly resumed: boolean },
): Promise<Facts> {
  const { output, resumed } = of;
  const { result, rows, choosing } = of.outcome;
  const judged = parts.test ?? parts.validation;
  const quality =
    judged === null ? undefined : await qualityOf(result.model, { judged, parts, recipe });
  return {
    extra: {
      modelSize: sizeOf(output),
      ...countsOf(result.model, parts.train, {
        rows: rowsOf(result, recipe),
        ...{ passes: 3, before: choosing },
      }),
    },
    ...(quality === undefined ? {} : { quality }),
    notes: [
      ...(parts.test === null && judged !== null && result.best !== null
        ? ["the quality is that of the rows by which the best epoch was chosen: it is flattering"]
        : []),
      ...(recipe.select === undefined
        ? []
        : [
            `trained on ${rows.chosen} of ${rows.of} rows, chosen by ${recipe.select.kind}; ${choosing === 0 && resumed ? "they are those of the part before, which has what choosing took" : "what choosing took is in these figures"}`,
          ]),
      ...(resumed
        ? ["this run went on from a checkpoint: what came before is not on this card"]
        : []),
    ],
  };
}

async function qualityOf(
  model: Model,
  of: { readonly judged: Dataset; readonly parts: TrainInputs["parts"]; readonly recipe: Recipe },
): Promise<NonNullable<Facts["quality"]>> {
  const { judged, parts, recipe } = of;
  const metric = metricNamed(recipe.metric);
  const quality = await evaluate(model, judged, {
    metric,
    ...(recipe.columns === undefined ? {} : { columns: recipe.columns }),
    ...(recipe.threads === undefined ? {} : { engine: { threads: recipe.threads } }),
  });
  const baseline = await guess(metric, parts.train, judged);
  return {
    ...qualityFields(quality),
    split: judged.name,
    ...(baseline === null ? {} : { baseline }),
  };
}

/** What the card of an evaluation says: one forward pass a row. */
export function evalFacts(of: {
  readonly quality: Quality;
  readonly dataset: Dataset;
  readonly model: Model;
  readonly file: string;
}): Omit<Facts, "notes"> {
  const { quality, dataset, model, file } = of;
  return {
    quality: { ...qualityFields(quality), split: dataset.name },
    extra: {
      modelSize: sizeOf(file),
      ...countsOf(model, dataset, { rows: dataset.length, passes: 1 }),
    },
  };
}

const sizeOf = (file: string) =>
  exact("B", statSync(file).size, { method: "measured", source: `size of ${basename(file)}` });

/** A quality in the words of a card. */
const qualityFields = ({ metric, value, interval, samples }: Quality) => ({
  ...{ metric, value, samples },
  ...(interval === null ? {} : { low: interval[0], high: interval[1] }),
});

/** What needs no model: the most frequent class, or the mean, of the training rows. */
async function guess(
  metric: Metric,
  train: Dataset,
  judged: Dataset,
): Promise<{ readonly name: string; readonly value: number } | null> {
  const column = train.columns.find(({ name }) => name === "label" || name === "target");
  if (column === undefined) return null;
  const [seen, truth] = await Promise.all(
    [train, judged].map((dataset) => readColumn(dataset, column.name)),
  );
  if (seen === undefined || truth === undefined) return null;
  switch (metric.name) {
    case "accuracy": {
      const labels = Int32Array.from(seen.data as ArrayLike<number | bigint>, Number);
      const guessed = majorityClass(labels, judged.length);
      return { name: "most frequent class", value: metric.of(guessed, truth).value };
    }
    case "mae":
    case "mse":
      return {
        name: "mean of the training rows",
        value: metric.of(meanTarget(seen, judged.length), truth).value,
      };
    default:
      return null;
  }
}

/** Rows that went through the model, each as often as it did. */
const rowsOf = ({ checkpoint }: FitResult, { accumulate, batchSize }: Recipe): number =>
  checkpoint.state.updates * accumulate * batchSize;

/**
 * Parameters and operations. In training a row counts as three forward passes: the rule by which the
 * backward pass takes twice the forward work.
 */
function countsOf(
  model: Model,
  dataset: Dataset,
  {
    rows,
    passes,
    before = 0,
  }: {
    readonly rows: number;
    readonly passes: 1 | 3;
    /** Forward passes of single rows that went before. */
    readonly before?: number;
  },
): Facts["extra"] {
  const inputs = (model.graph?.inputs ?? []).map(({ name, type }) => {
    const column =
      dataset.columns.find((one) => one.name === name) ??
      dataset.columns.find((one) => one.name !== "label");
    const stated = type?.kind === "tensor" ? type.shape?.slice(1) : undefined;
    const sample = column?.shape ?? [];
    const sizes = stated?.map(({ value }, axis) => Number(value ?? sample[axis] ?? 1)) ?? sample;
    return [name, [1, ...sizes]] as const;
  });
  const count = countModel(model, { inputs: Object.fromEntries(inputs) });
  const macs = count.totals.macs === null ? null : numberOf(count.totals.macs);
  const parameters = exact("parameters", count.parameters.total, {
    method: "measured",
    source: "initializers of the model",
  });
  if (macs === null) return { parameters };
  const choosing = before === 0 ? "" : ` + ${before} forward passes to choose rows`;
  const source = `${passes} x ${macs} MACs a row x ${rows} rows${choosing}`;
  const rule = "; the backward pass counts as two forward passes";
  const origin = { method: "estimated", source: passes === 3 ? source + rule : source } as const;
  return {
    parameters,
    operations: { macs: exact("MAC", macs * (passes * rows + before), origin) },
  };
}
