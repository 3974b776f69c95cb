// Heads on a frozen model: features once through the model, a convex fit, a temperature from other samples,
// and what each head says of yet others, on which thresholds are chosen.

import { UserError } from "../../../core/index.ts";
import type { RuntimeName } from "../../../engine/index.ts";
import { attribute, type Model, type ValueInfo } from "../../../onnx/index.ts";
import { nodeOf } from "../../compress/node-of.ts";
import { type Dataset, readLabels } from "../../data/index.ts";
import { predict, type WiringChoice } from "../../train/index.ts";
import { type CutPoint, cutPoints } from "./cut-points.ts";
import { type Confidence, type ExitHead, poolPiece } from "./head.ts";
import { fitLogistic, fitTemperature } from "./logistic.ts";
import { onlyOutput, takesOneRow } from "./segments.ts";
import type { HeadAnswers } from "./thresholds.ts";

export interface FitHeadsOptions {
  /** Values to put heads on, from `cutPoints`, in order. */
  readonly at: readonly string[];
  /** Samples for the heads, for their temperatures, and for the thresholds: three parts, none in common. */
  readonly train: Dataset;
  readonly calibrate: Dataset;
  readonly choose: Dataset;
  readonly confidence?: Confidence;
  /** Column of the labels. Default: label. */
  readonly labels?: string;
  readonly columns?: WiringChoice;
  readonly engine?: { readonly runtime?: RuntimeName; readonly threads?: number };
}

/** Heads, and what they and the model itself say of the samples of `choose`. */
export interface FittedHeads {
  readonly heads: readonly ExitHead[];
  readonly confidence: Confidence;
  readonly answers: readonly HeadAnswers[];
  /** 1 where the model itself is right. */
  readonly right: Uint8Array;
}

/** Fits a head for each cut, each by itself. Throws UserError for what is no cut and labels that do not fit. */
export async function fitHeads(model: Model, options: FitHeadsOptions): Promise<FittedHeads> {
  const { confidence = "max" } = options;
  const cuts = checkedCuts(model, options.at);
  const probe = withFeatures(model, cuts);
  const seen = await lookAt(probe, options.train, options);
  const other = await lookAt(probe, options.calibrate, options);
  const classes = seen.scores.width;
  const heads = cuts.map(({ value, shape }, at): ExitHead => {
    const { data: features, width } = seen.features[at] ?? NONE;
    const fitted = fitLogistic({ features, labels: seen.labels, classes });
    const unseen = scoresOf(other.features[at] ?? NONE, { ...fitted, classes });
    const temperature = fitTemperature(unseen, other.labels, classes);
    return {
      value,
      rank: shape.length,
      features: width,
      classes,
      weights: fitted.weights.map((weight) => weight / temperature),
      bias: fitted.bias.map((bias) => bias / temperature),
    };
  });
  const last = await lookAt(probe, options.choose, options);
  const by = { classes, confidence };
  return {
    ...{ heads, confidence },
    answers: heads.map((head, at) =>
      judged(scoresOf(last.features[at] ?? NONE, head), last.labels, by),
    ),
    right: judged(last.scores.data, last.labels, by).right,
  };
}

function checkedCuts(model: Model, at: readonly string[]): readonly CutPoint[] {
  const cuts = cutPoints(model);
  const places = at.map((value) => cuts.findIndex((cut) => cut.value === value));
  const wrong = places.findIndex(
    (place, i) => place < 0 || (i > 0 && place <= (places[i - 1] ?? 0)),
  );
  if (wrong >= 0) {
    const names = cuts.map(({ value }) => value).join(", ");
    throw new UserError("usage", `"${at[wrong]}" is no cut in order; cuts are: ${names}`, {
      hint: "Name cuts in the order of the graph.",
    });
  }
  return places.flatMap((place) => cuts[place] ?? []);
}

interface Block {
  readonly data: Float64Array;
  readonly width: number;
}

const NONE: Block = { data: new Float64Array(), width: 0 };

/** The model with pooled features of every cut, side by side with its own scores, as its only output. */
function withFeatures(model: Model, cuts: readonly CutPoint[]) {
  const { graph, output } = onlyOutput(model);
  const pieces = cuts.map(({ value, shape }, at) =>
    poolPiece(value, shape.length, `probe${at + 1}`),
  );
  const all = [...pieces.map((piece) => piece.output), output];
  const axis = [attribute.int("axis", 1)];
  const concat = nodeOf("Concat", all, { outputs: ["probe/all"], attributes: axis });
  const outputs: readonly ValueInfo[] = [{ name: "probe/all", metadata: [] }];
  const widths = cuts.map(({ shape }) => Number(shape.length === 3 ? shape[2] : shape[1]));
  const probed: Model = {
    ...model,
    graph: {
      ...graph,
      nodes: [...graph.nodes, ...pieces.flatMap(({ nodes }) => nodes), concat],
      initializers: [...graph.initializers, ...pieces.flatMap(({ initializers }) => initializers)],
      outputs,
    },
  };
  return { model: probed, widths };
}

/** Features of each cut, scores of the model and labels of a dataset. */
async function lookAt(
  { model, widths }: { readonly model: Model; readonly widths: readonly number[] },
  dataset: Dataset,
  { columns, engine, labels = "label" }: FitHeadsOptions,
) {
  const value = await predict(model, dataset, {
    thread: "caller",
    ...(takesOneRow(model) ? { batchSize: 1 } : {}),
    ...(columns === undefined ? {} : { columns }),
    ...(engine === undefined ? {} : { engine }),
  });
  const [rows = 0, width = 0] = value.dims;
  let from = 0;
  const take = (size: number): Block => {
    const start = from;
    from += size;
    const data = Float64Array.from({ length: rows * size }, (_, at) => {
      return Number(value.data[Math.floor(at / size) * width + start + (at % size)]);
    });
    return { data, width: size };
  };
  const features = widths.map(take);
  return { features, scores: take(width - from), labels: await readLabels(dataset, labels) };
}

/** Rows of features times weights plus bias. */
function scoresOf(
  { data, width }: Block,
  { weights, bias, classes }: Pick<ExitHead, "weights" | "bias" | "classes">,
): Float64Array {
  const rows = data.length / width;
  const scores = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < classes; k++) {
      let sum = bias[k] ?? 0;
      for (let j = 0; j < width; j++)
        sum += (data[row * width + j] ?? 0) * (weights[j * classes + k] ?? 0);
      scores[row * classes + k] = sum;
    }
  }
  return scores;
}

/** Confidence of each row, and whether its class is right. */
function judged(
  scores: Float64Array,
  labels: Int32Array,
  of: { readonly classes: number; readonly confidence: Confidence },
): HeadAnswers {
  const confidence = new Float64Array(labels.length);
  const right = new Uint8Array(labels.length);
  for (const [row, label] of labels.entries()) {
    const own = scores.subarray(row * of.classes, (row + 1) * of.classes);
    const sorted = own.toSorted().reverse();
    const [most = 0, second = 0] = sorted;
    const total = own.reduce((sum, score) => sum + Math.exp(score - most), 0);
    confidence[row] = (of.confidence === "max" ? 1 : 1 - Math.exp(second - most)) / total;
    right[row] = own[label] === most ? 1 : 0;
  }
  return { confidence, right };
}
