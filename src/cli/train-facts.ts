// What a training run's card says beside what was metered: size, parameters, operations, quality and the
// quality of a guess.

import { statSync } from "node:fs";
import { basename } from "node:path";
import { exact, mean, median } from "../core/index.ts";
import { countModel, numberOf } from "../measure/profile/index.ts";
import type { Ending } from "../measure/run/index.ts";
import { type Dataset, readColumn } from "../models/data/index.ts";
import {
  evaluate,
  type FitResult,
  metricNamed,
  type Quality,
  type Recipe,
} from "../models/train/index.ts";
import type { Model } from "../onnx/index.ts";
import type { TrainInputs } from "./train-inputs.ts";

export interface Facts {
  readonly extra: NonNullable<Ending["extra"]>;
  /** Absent where there are no rows to judge by. */
  readonly quality?: NonNullable<Ending["quality"]>;
  readonly notes: readonly string[];
}

/** Judges the model on rows that it was not chosen by, where there are any. */
export async function factsOf(
  { parts, recipe }: TrainInputs,
  of: { readonly result: FitResult; readonly output: string; readonly resumed: boolean },
): Promise<Facts> {
  const { result, output, resumed } = of;
  const judged = parts.test ?? parts.validation;
  const quality =
    judged === null ? undefined : await qualityOf(result.model, { judged, parts, recipe });
  return {
    extra: {
      modelSize: exact("B", statSync(output).size, {
        method: "measured",
        source: `size of ${basename(output)}`,
      }),
      ...countsOf(result, recipe, parts.train),
    },
    ...(quality === undefined ? {} : { quality }),
    notes: [
      ...(parts.test === null && judged !== null && result.best !== null
        ? ["the quality is that of the rows by which the best epoch was chosen: it is flattering"]
        : []),
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
  const baseline = await guess(metric.name, parts.train, judged);
  return {
    ...qualityFields(quality),
    split: judged.name,
    ...(baseline === null ? {} : { baseline }),
  };
}

/** A quality in the words of a card. */
export const qualityFields = ({ metric, value, interval, samples }: Quality) => ({
  ...{ metric, value, samples },
  ...(interval === null ? {} : { low: interval[0], high: interval[1] }),
});

/** What needs no model: the most frequent class, the mean or median of the training rows. */
export async function guess(
  metric: string,
  train: Dataset,
  judged: Dataset,
): Promise<{ readonly name: string; readonly value: number } | null> {
  const column = train.columns.find(({ name }) => name === "label" || name === "target");
  if (column === undefined) return null;
  const numbers = async (of: Dataset): Promise<readonly number[]> =>
    Array.from((await readColumn(of, column.name)).data as ArrayLike<number | bigint>, Number);
  const [seen, truth] = [await numbers(train), await numbers(judged)];
  switch (metric) {
    case "accuracy": {
      const counts = new Map<number, number>();
      for (const label of seen) counts.set(label, (counts.get(label) ?? 0) + 1);
      const [top] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [0];
      const right = truth.filter((label) => label === top).length;
      return { name: "most frequent class", value: right / truth.length };
    }
    case "mae": {
      const middle = median(seen);
      return { name: "median", value: mean(truth.map((value) => Math.abs(value - middle))) };
    }
    case "mse": {
      const centre = mean(seen);
      return { name: "mean", value: mean(truth.map((value) => (value - centre) ** 2)) };
    }
    default:
      return null;
  }
}

/** Three forward passes a row: the rule by which the backward pass takes twice the forward work. */
function countsOf(result: FitResult, recipe: Recipe, train: Dataset): Facts["extra"] {
  const [input] = result.model.graph?.inputs ?? [];
  const shape = input?.type?.kind === "tensor" ? input.type.shape : undefined;
  const sample = train.columns.find(({ name }) => name !== "label")?.shape ?? [];
  const dims = [
    1,
    ...(shape?.slice(1).map(({ value }, axis) => Number(value ?? sample[axis] ?? 1)) ?? []),
  ];
  const count = countModel(
    result.model,
    input === undefined ? {} : { inputs: { [input.name]: dims } },
  );
  const macs = count.totals.macs === null ? null : numberOf(count.totals.macs);
  const updates = result.checkpoint.state.updates * recipe.accumulate;
  const rows = updates * recipe.batchSize;
  const parameters = exact("parameters", count.parameters.total, {
    method: "measured",
    source: "initializers of the model",
  });
  if (macs === null) return { parameters };
  const source = `3 x ${macs} MACs a row x ${rows} rows: the backward pass counts as two forward passes`;
  return {
    parameters,
    operations: { macs: exact("MAC", 3 * macs * rows, { method: "estimated", source }) },
  };
}
