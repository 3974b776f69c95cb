// Heads on a frozen model: features once through the model, a convex fit, a temperature from other
// samples, thresholds from yet others. Method notes: docs/methods/early-exit.md.

import { UserError } from "../../../core/index.ts";
import type { RuntimeName } from "../../../engine/index.ts";
import { countModel, numberOf } from "../../../measure/profile/index.ts";
import type { Model, ValueInfo } from "../../../onnx/index.ts";
import { attribute } from "../../../onnx/index.ts";
import { nodeOf } from "../../compress/node-of.ts";
import { type Dataset, readLabels } from "../../data/index.ts";
import { predict, type WiringChoice } from "../../train/index.ts";
import { cutPoints } from "./cut-points.ts";
import { type Confidence, type ExitHead, poolPiece } from "./head.ts";
import { fitLogistic, fitTemperature } from "./logistic.ts";
import { type ExitDesign, onlyOutput } from "./segments.ts";
import { exitStages } from "./stages.ts";
import { chooseThresholds, type ExitPlan, type HeadRecord, NEVER } from "./thresholds.ts";

export interface TrainExitsOptions {
  /** Values to put heads on, from `cutPoints`, in order; one to three. */
  readonly at: readonly string[];
  /** Samples for the heads, for their temperatures, and for the thresholds: three parts, none in common. */
  readonly train: Dataset;
  readonly calibrate: Dataset;
  readonly choose: Dataset;
  /** Accuracy that may be lost on `choose`, as a share. Default: 0.005. */
  readonly maxDrop?: number;
  readonly confidence?: Confidence;
  /** Column of the labels. Default: label. */
  readonly labels?: string;
  readonly columns?: WiringChoice;
  /** Measured cost of each stage, heads included. Default: multiply-accumulates of one row. */
  readonly costs?: readonly number[];
  readonly engine?: { readonly runtime?: RuntimeName; readonly threads?: number };
}

export interface TrainedExits extends ExitDesign {
  /** What the thresholds do on `choose`. */
  readonly plan: ExitPlan;
  /** Accuracy of the model itself on the same samples. */
  readonly baseAccuracy: number;
  /** Cost of each stage; a row that leaves at exit k has paid for stages 0 to k. */
  readonly costs: readonly number[];
  /** Cost of the model itself: a row that goes to the end pays more, by the heads. */
  readonly baseCost: number;
}

/** Trains heads and chooses thresholds. The model is not changed; see `exitModel` and `exitStages`. */
export async function trainExits(model: Model, options: TrainExitsOptions): Promise<TrainedExits> {
  const { maxDrop = 0.005, confidence = "max" } = options;
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
  const whole = { model, heads, confidence, thresholds: heads.map(() => NEVER) };
  const costs = options.costs ?? exitStages(whole).map(({ model: stage }) => macsOf(stage));
  const last = await lookAt(probe, options.choose, options);
  const records = heads.map((head, at): HeadRecord => {
    const scores = scoresOf(last.features[at] ?? NONE, head);
    return { ...judged(scores, last.labels, { classes, confidence }), cost: upTo(costs, at) };
  });
  const end = judged(last.scores.data, last.labels, { classes, confidence });
  const baseAccuracy = end.right.reduce((sum, right) => sum + right, 0) / end.right.length;
  const final = { right: end.right, cost: upTo(costs, heads.length) };
  const plan = chooseThresholds(records, final, baseAccuracy - maxDrop);
  return {
    ...whole,
    thresholds: plan.thresholds,
    plan,
    baseAccuracy,
    costs,
    baseCost: macsOf(model),
  };
}

const upTo = (costs: readonly number[], at: number): number =>
  costs.slice(0, at + 1).reduce((sum, cost) => sum + cost, 0);

function checkedCuts(model: Model, at: readonly string[]) {
  if (at.length < 1 || at.length > 3)
    throw new UserError("usage", `${at.length} heads; one to three are fitted`, {
      hint: "Name one to three of the values that `cutPoints` lists.",
    });
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
function withFeatures(
  model: Model,
  cuts: readonly { readonly value: string; readonly shape: readonly unknown[] }[],
) {
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
  { columns, engine, labels = "label" }: TrainExitsOptions,
) {
  const value = await predict(model, dataset, {
    thread: "caller",
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
): { readonly confidence: Float64Array; readonly right: Uint8Array } {
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

function macsOf(model: Model): number {
  const inputs = (model.graph?.inputs ?? []).map(({ name, type }) => {
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    return [name, shape.map(({ value }) => Number(value ?? 1n))] as const;
  });
  const { totals } = countModel(model, { inputs: Object.fromEntries(inputs) });
  const macs = totals.macs === null ? null : numberOf(totals.macs);
  if (macs === null) {
    throw new UserError("unsupported", "the work of a stage cannot be counted", {
      hint: "Give the measured cost of each stage as `costs`.",
    });
  }
  return macs;
}
