// Gradients of softmax and of the losses that end in it.

import { intOf, textOf } from "../../../onnx/index.ts";
import type { Prepare, Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, sizeOf, type Value } from "./writer.ts";

const axisOf = (site: Site): number =>
  axisFrom(intOf(site.node, "axis", -1), site.input(0).dims.length);

/** dx = y (dy - sum(y dy)) */
const softmax: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const y = site.output();
    const weighted = write.mul(dy, y);
    const total = write.sum(weighted, [axisOf(site)]);
    return write.sub(weighted, write.mul(y, total));
  },
];

/** dx = dy - softmax(x) sum(dy) */
const logSoftmax: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const total = write.sum(dy, [axisOf(site)]);
    return write.sub(dy, write.mul(write.unary("Exp", site.output()), total));
  },
];

/** What a sample counts: its class's weight, and 0 where its label is to be ignored. */
function sampleWeights(site: Site, labels: Value): Value | null {
  const { write, node } = site;
  const scores = site.input(0);
  const ignored = intOf<null>(node, "ignore_index", null);
  let weights: Value | null = null;
  if (site.has(2)) {
    const safe =
      ignored === null
        ? labels
        : write.where(
            write.compare("Equal", labels, write.scalar(ignored, labels.dataType)),
            write.scalar(0, labels.dataType),
            labels,
          );
    weights = write.op("Gather", [site.input(2), safe], { dims: labels.dims });
  }
  if (ignored === null) return weights;
  const same = write.compare("Equal", labels, write.scalar(ignored, labels.dataType));
  const counted = write.cast(write.op("Not", [same], { dims: labels.dims }), scores.dataType);
  return weights === null ? counted : write.mul(weights, counted);
}

/** The gradient of the loss by each sample's own loss, with the class axis kept as 1. */
function perSample(site: Site, labels: Value): Value {
  const { write, node, dy } = site;
  const scores = site.input(0);
  const withClass = (x: Value): Value =>
    write.reshape(x, [labels.dims[0] ?? 1, 1, ...labels.dims.slice(1)]);
  const reduction = textOf(node, "reduction", "mean");
  const weights = sampleWeights(site, labels);
  if (reduction === "none") {
    const own = withClass(dy);
    return weights === null ? own : write.mul(own, withClass(weights));
  }
  const count =
    weights === null
      ? write.scalar(sizeOf(labels.dims), scores.dataType)
      : write.sum(weights, range(0, labels.dims.length), false);
  const whole = write.reshape(reduction === "mean" ? write.div(dy, count) : dy, []);
  return weights === null ? whole : write.mul(whole, withClass(weights));
}

function oneHot({ write, input }: Site, labels: Value): Value {
  const scores = input(0);
  const classes = scores.dims[1] ?? 1;
  const values = write.constant(scores.dataType, [2], [0, 1]);
  const depth = write.constant("int64", [], [classes]);
  return write.op("OneHot", [labels, depth, values], {
    dims: scores.dims,
    dataType: scores.dataType,
    attributes: { axis: 1 },
  });
}

/**
 * d loss / d scores = (softmax(scores) - onehot(label)) weight (ONNX, SoftmaxCrossEntropyLoss). The
 * log-probabilities are LogSoftmax of the scores; a gradient of a gradient reads them.
 */
const softmaxCrossEntropy: Vjp = (site) => [
  () => {
    const { write } = site;
    const labels = site.input(1);
    const probabilities = write.unary("Exp", site.output(1));
    const byLogs = site.upstream(1);
    if (byLogs === null) return throughLoss(site, labels, probabilities);
    const total = write.sum(byLogs, [1]);
    const throughLogs = write.sub(byLogs, write.mul(probabilities, total));
    if (site.upstream(0) === null) return throughLogs;
    return write.add(throughLoss(site, labels, probabilities), throughLogs);
  },
];

function throughLoss(site: Site, labels: Value, probabilities: Value): Value {
  const residual = site.write.sub(probabilities, oneHot(site, labels));
  return site.write.mul(residual, perSample(site, labels));
}

/** d loss / d x = -onehot(label) weight */
const negativeLogLikelihood: Vjp = (site) => [
  () => {
    const { write } = site;
    const labels = site.input(1);
    return write.unary("Neg", write.mul(oneHot(site, labels), perSample(site, labels)));
  },
];

/** The log-probabilities, which the loss computes anyway. */
export const withLogProbabilities: Prepare = (node, extra) =>
  (node.outputs[1] ?? "") === ""
    ? { ...node, outputs: [node.outputs[0] ?? "", extra("log_prob")] }
    : node;

export const softmaxes: Rules = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
};
