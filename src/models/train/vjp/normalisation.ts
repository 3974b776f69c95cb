// Gradients of normalisation within a sample: by layer, instance, group, root mean square, and across
// neighbouring channels.
//
// With z = (x - mean) r, r = 1 / deviation and g the gradient by z (Ba et al., Layer Normalization,
// 2016): dx = r (g - mean(g) - z mean(g z)), means over what was normalised together.

import { floatOf, intOf } from "../../../onnx/index.ts";
import type { Gradient, Prepare, Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, sizeOf, type Value, type Writer } from "./writer.ts";

/** A normalised tensor before scale and bias, and how it was reached. */
interface Normalised {
  readonly z: Value;
  /** 1 / deviation, with 1 on the axes that were normalised. */
  readonly inverse: Value;
  readonly axes: readonly number[];
  /** False for the root mean square, from which no mean was taken. */
  readonly centred: boolean;
}

/** The gradient by x from the gradient by z. */
function backThrough(write: Writer, g: Value, of: Normalised): Value {
  const { z, inverse, axes, centred } = of;
  const mean = (value: Value): Value => write.reduce("ReduceMean", value, axes);
  const along = write.mul(z, mean(write.mul(g, z)));
  const rest = centred ? write.sub(g, mean(g)) : g;
  return write.mul(write.sub(rest, along), inverse);
}

/** x normalised over axes by its own statistics. */
function normalised(
  { write, node }: Site,
  x: Value,
  { axes, centred }: { readonly axes: readonly number[]; readonly centred: boolean },
): Normalised {
  const shifted = centred ? write.sub(x, write.reduce("ReduceMean", x, axes)) : x;
  const variance = write.reduce("ReduceMean", write.mul(shifted, shifted), axes);
  const epsilon = write.scalar(floatOf(node, "epsilon", 1e-5), x.dataType);
  const deviation = write.unary("Sqrt", write.add(variance, epsilon));
  const inverse = write.unary("Reciprocal", deviation);
  return { z: write.mul(shifted, inverse), inverse, axes, centred };
}

/** Gradients of `z scale + bias` with everything behind it. */
function scaledGradients(site: Site, x: Value, of: Normalised, scale: Value): readonly Gradient[] {
  const { write } = site;
  const dy = write.reshape(site.dy, x.dims);
  return [
    () => write.reshape(backThrough(write, write.mul(dy, scale), of), site.input(0).dims),
    () => write.reshape(write.sumTo(write.mul(dy, of.z), scale.dims), site.input(1).dims),
    () => write.reshape(write.sumTo(dy, scale.dims), site.input(1).dims),
  ];
}

/** Normalises over the last axes; the operator hands on its mean and 1 / deviation. */
const layerNormalization: Vjp = (site) => {
  const { write, node } = site;
  const x = site.input(0);
  const rank = x.dims.length;
  const axes = range(axisFrom(intOf(node, "axis", -1), rank), rank);
  const [mean, inverse] = [site.output(1), site.output(2)];
  const z = write.mul(write.sub(x, mean), inverse);
  const [dx, dscale] = scaledGradients(site, x, { z, inverse, axes, centred: true }, site.input(1));
  const dbias = (): Value => write.sumTo(site.dy, site.input(2).dims);
  return [dx ?? null, dscale ?? null, dbias];
};

/** The statistics that layer normalisation takes anyway. */
export const withStatistics: Prepare = (node, extra) => {
  const [y = "", mean = "", inverse = ""] = node.outputs;
  return { ...node, outputs: [y, mean || extra("mean"), inverse || extra("inverse")] };
};

/** Root mean square (Zhang & Sennrich, 2019): no mean, no bias. */
const rmsNormalization: Vjp = (site) => {
  const x = site.input(0);
  const axis = axisFrom(intOf(site.node, "axis", -1), x.dims.length);
  const of = { axes: range(axis, x.dims.length), centred: false };
  const [dx, dscale] = scaledGradients(site, x, normalised(site, x, of), site.input(1));
  return [dx ?? null, dscale ?? null];
};

/** Each channel of each sample on its own (Ulyanov et al., 2016). */
const instanceNormalization: Vjp = (site) => {
  const x = site.input(0);
  const of = { axes: range(2, x.dims.length), centred: true };
  const scale = overChannels(site, x.dims.length);
  return scaledGradients(site, x, normalised(site, x, of), scale);
};

const overChannels = ({ write, input }: Site, rank: number): Value =>
  write.reshape(input(1), [sizeOf(input(1).dims), ...range(2, rank).map(() => 1)]);

/** Channels in groups (Wu & He, 2018); a scale for each channel, before opset 21 for each group. */
const groupNormalization: Vjp = (site) => {
  const { write, node } = site;
  const [n = 1, c = 1, ...size] = site.input(0).dims;
  const groups = intOf(node, "num_groups", 1);
  const x = write.reshape(site.input(0), [n, groups, c / groups, ...size]);
  const axes = range(2, x.dims.length);
  const own = sizeOf(site.input(1).dims);
  const ones = size.map(() => 1);
  const scale = write.reshape(site.input(1), [groups, own / groups, ...ones]);
  return scaledGradients(site, x, normalised(site, x, { axes, centred: true }), scale);
};

/**
 * Across neighbouring channels (Krizhevsky et al., 2012): y = x s^-b with s = k + a/n sum(x^2), so that
 * dx = dy s^-b - 2 a b / n x sum(dy y / s) over the channels whose window holds this one.
 */
const localResponse: Vjp = (site) => [
  () => {
    const { write, node, dy } = site;
    const x = site.input(0);
    const size = intOf(node, "size", 1);
    const alpha = floatOf(node, "alpha", 1e-4);
    const beta = floatOf(node, "beta", 0.75);
    const before = Math.floor((size - 1) / 2);
    const squares = neighbours(write, write.mul(x, x), size, before);
    const bias = write.scalar(floatOf(node, "bias", 1), x.dataType);
    const s = write.add(write.scale(squares, alpha / size), bias);
    const ratio = write.div(write.mul(dy, site.output()), s);
    const gathered = neighbours(write, ratio, size, size - 1 - before);
    const power = write.binary("Pow", s, write.scalar(-beta, x.dataType));
    const through = write.scale(write.mul(x, gathered), (2 * alpha * beta) / size);
    return write.sub(write.mul(dy, power), through);
  },
];

/** The sum over a window of channels that starts `before` channels earlier. */
function neighbours(write: Writer, x: Value, size: number, before: number): Value {
  const channels = x.dims[1] ?? 1;
  const none = x.dims.map(() => 0);
  const pads = [none, none].map((list, end) =>
    list.map((_, axis) => {
      if (axis !== 1) return 0;
      return end === 0 ? before : size - 1 - before;
    }),
  );
  const padded = write.pad(x, pads.flat());
  const shifted = range(0, size).map((start) =>
    write.slice(padded, [{ axis: 1, start, end: start + channels }]),
  );
  return shifted.length === 1 ? x : write.op("Sum", shifted, { dims: x.dims });
}

export const normalisations: Rules = {
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LRN: localResponse,
};
