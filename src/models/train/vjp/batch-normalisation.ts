// Gradient of batch normalisation.

import { floatOf, intOf } from "../../../onnx/index.ts";
import type { Lowering, LoweringFamily } from "./lowering.ts";
import { product } from "./matrix.ts";
import type { Rules, Scaled, Site, Vjp } from "./rule.ts";
import { range, sizeOf, type Value } from "./writer.ts";

/** The sizes of two tensors whose axis 1 are the channels. */
interface Moment {
  readonly dims: readonly number[];
}

/** All products, then their sum. */
const products: Lowering<Moment> = {
  name: "products",
  applies: () => true,
  write(write, [a, b], { dims }) {
    if (a === undefined || b === undefined) throw new TypeError("two operands are needed");
    return write.sum(write.mul(a, b), otherAxes(dims.length), false);
  },
};

/** The scalar product of each channel of each sample, which writes next to nothing, then their sum. */
const dots: Lowering<Moment> = {
  name: "dots",
  applies: ({ dims }, target) => target !== "webgpu" && dims.length > 2,
  write(write, [a, b], { dims }) {
    if (a === undefined || b === undefined) throw new TypeError("two operands are needed");
    const [n = 1, c = 1, ...size] = dims;
    const rows = (of: Value): Value => write.reshape(of, [n * c, 1, sizeOf(size)]);
    const each = product({ write, target: "cpu" }, rows(a), rows(b), { b: true });
    return write.sum(write.reshape(each, [n, c]), [0], false);
  },
};

/** From (a, b): the sum of a b over everything but the channels. */
const channelMoment: LoweringFamily<Moment> = {
  name: "channel-moment",
  lowerings: [products, dots],
  // Each scalar product is a call of its own, which short ones do not pay for.
  guess: ({ dims }) => (sizeOf(dims.slice(2)) >= 256 ? dots.name : products.name),
};

/** Statistics of one channel each, and what follows from them. */
interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
}

/** All axes but that of the channels. */
const otherAxes = (rank: number): readonly number[] => [0, ...range(2, rank)];

function inverseDeviation({ write, node }: Site, variance: Value): Value {
  const epsilon = write.scalar(floatOf(node, "epsilon", 1e-5), variance.dataType);
  const deviation = write.unary("Sqrt", write.add(variance, epsilon));
  return write.unary("Reciprocal", deviation);
}

/** The statistics that the node normalised by: stored ones, or those of the batch. */
function statisticsOf(site: Site, training: boolean): Statistics {
  const { write, node } = site;
  const of = (mean: Value, variance: Value): Statistics => ({
    mean,
    variance,
    inverse: inverseDeviation(site, variance),
  });
  if (!training) return of(site.input(3), site.input(4));
  // With momentum 0 the node's further outputs are the batch's own statistics.
  if (node.outputs.length >= 3 && floatOf(node, "momentum", 0.9) === 0) {
    return of(site.output(1), site.output(2));
  }
  const x = site.input(0);
  const axes = otherAxes(x.dims.length);
  const mean = write.reduce("ReduceMean", x, axes, true);
  const centred = write.sub(x, mean);
  const variance = write.reduce("ReduceMean", write.mul(centred, centred), axes, false);
  return of(write.reshape(mean, variance.dims), variance);
}

/**
 * Batch normalisation (Ioffe & Szegedy, 2015, section 3): with g = sum(dy (x - mean)) inverse,
 * dgamma = g, dbeta = sum(dy) and, when the statistics are the batch's own,
 * dx = gamma inverse (dy - dbeta / n - (x - mean) inverse g / n). Stored statistics have no gradient.
 */
const batchNormalization: Vjp = (site) => {
  const { write, dy, node } = site;
  const x = site.input(0);
  const axes = otherAxes(x.dims.length);
  const count = sizeOf(axes.map((axis) => x.dims[axis] ?? 1));
  const training = intOf(node, "training_mode", 0) !== 0;
  const { mean, variance, inverse } = statisticsOf(site, training);
  const dbeta = write.sum(dy, axes, false);
  const moment = site.choose(channelMoment, { dims: x.dims }, write, [dy, x]);
  const dgamma = write.mul(write.sub(moment, write.mul(mean, dbeta)), inverse);
  const dx = (): Scaled => {
    const factor = write.mul(site.input(1), inverse);
    if (!training) return { value: dy, factor };
    // The part that is affine in x, in one pass: what the operator itself computes.
    const slope = write.scale(dgamma, -1 / count);
    const operands = [x, slope, write.scale(dbeta, -1 / count), mean, variance];
    const attributes = { epsilon: floatOf(node, "epsilon", 1e-5) };
    const affine = write.op("BatchNormalization", operands, { dims: x.dims, attributes });
    return { value: write.add(dy, affine), factor };
  };
  return [dx, () => dgamma, () => dbeta, null, null];
};

export const batchNormalisations: Rules = { BatchNormalization: batchNormalization };
