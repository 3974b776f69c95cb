// Softmax cross-entropy on class numbers, and the divergence from given distributions.

import { type GraphBuilder, ModelError } from "../../../onnx/index.ts";
import type { Loss, Prediction } from "./loss.ts";
import { onlyPrediction, scalar, sumOver } from "./terms.ts";

export interface CrossEntropyOptions {
  /** Share of the truth that is spread evenly over all classes, in [0, 1). Default: 0. */
  readonly smoothing?: number;
}

/**
 * Mean of -log softmax(logits)[label] over the batch (and over positions, where there are any).
 * Logits are [batch, classes, ...], labels int64 [batch, ...]. With smoothing s the truth is
 * (1 - s) onehot + s / classes (Szegedy et al. 2016, section 7).
 */
export function crossEntropy({ smoothing = 0 }: CrossEntropyOptions = {}): Loss {
  if (!(smoothing >= 0 && smoothing < 1)) {
    throw new RangeError(`smoothing is a share in [0, 1), not ${smoothing}`);
  }
  return {
    name: "cross-entropy",
    predictions: 1,
    emit(context) {
      const prediction = onlyPrediction(context);
      const labels = context.target("labels", "int64", withoutClasses(prediction));
      const { graph } = context;
      return smoothing === 0
        ? graph.op("SoftmaxCrossEntropyLoss", [prediction.value, labels], { reduction: "mean" })
        : smoothed(graph, prediction, { labels, smoothing });
    },
  };
}

function smoothed(
  graph: GraphBuilder,
  { value, shape }: Prediction,
  { labels, smoothing }: { readonly labels: string; readonly smoothing: number },
): string {
  const classes = shape[1] ?? 1;
  const depth = graph.constant("int64", { dims: [], values: [classes] });
  const rest = smoothing / classes;
  const ends = graph.constant("float32", { dims: [2], values: [rest, 1 - smoothing + rest] });
  const truth = graph.op("OneHot", [labels, depth, ends], { axis: 1 });
  return crossEntropyOf(graph, { logits: value, truth, shape });
}

/** -sum of truth log softmax(logits) over classes, mean over the rest. */
function crossEntropyOf(
  graph: GraphBuilder,
  of: { readonly logits: string; readonly truth: string; readonly shape: readonly number[] },
): string {
  const logs = graph.op("LogSoftmax", [of.logits], { axis: 1 });
  const each = graph.op("Neg", [graph.op("Mul", [of.truth, logs])]);
  return sumOver(graph, each, positions(of.shape));
}

/**
 * Kullback-Leibler divergence of softmax(logits) from given probabilities: sum of t (log t - log
 * softmax), mean over the batch. Targets are float32 in the shape of the logits, 0 log 0 counts 0.
 */
export const klDivergence: Loss = {
  name: "kl-divergence",
  predictions: 1,
  emit(context) {
    const { value, shape } = onlyPrediction(context);
    const truth = context.target("probabilities", "float32", shape);
    return divergence(context.graph, { logits: value, truth, shape });
  },
};

/** KL(truth || softmax(logits)), mean over the batch. No gradient goes into the truth. */
export function divergence(
  graph: GraphBuilder,
  of: { readonly logits: string; readonly truth: string; readonly shape: readonly number[] },
): string {
  const cross = crossEntropyOf(graph, of);
  // Where t is 0 its logarithm must be finite, so that the product is 0.
  const least = scalar(graph, LEAST_NORMAL);
  const logs = graph.op("Log", [graph.op("Max", [of.truth, least])]);
  const entropy = sumOver(graph, graph.op("Mul", [of.truth, logs]), positions(of.shape));
  return graph.op("Add", [cross, entropy]);
}

/** Smallest normal float32. */
const LEAST_NORMAL = 2 ** -126;

const positions = (shape: readonly number[]): number =>
  shape.reduce((product, size, axis) => (axis === 1 ? product : product * size), 1);

function withoutClasses({ value, shape }: Prediction): readonly number[] {
  if (shape.length < 2) {
    throw new ModelError(
      `cross-entropy reads [batch, classes], "${value}" has ${shape.length} axes`,
      "loss",
      { hint: "Name the output that gives one number a class." },
    );
  }
  return shape.filter((_, axis) => axis !== 1);
}
