// Ways to write the gradient of a convolution by its weights: from (x, dy) to the sizes of w.

import {
  type ConvCase,
  isDepthwise,
  isPointwise,
  readPart,
  writeConv,
} from "./convolution-case.ts";
import { diagonal } from "./depthwise-diagonal.ts";
import type { Lowering, LoweringFamily } from "./lowering.ts";
import { product } from "./matrix.ts";
import { range, sizeOf, type Value, type Writer } from "./writer.ts";

/**
 * A convolution whose channels are the samples: x [C/g, g N, in] with kernels dy [M, N, out], strides
 * and dilations exchanged, gives dw [C/g, M, k].
 */
const swapped: Lowering<ConvCase> = {
  name: "swapped-axes",
  applies: () => true,
  write(write, inputs, of) {
    const { x, dy, end } = operands(write, inputs, of);
    const { group } = of;
    const [n = 1, c = 1, ...size] = x.dims;
    const [m = 1, perGroup = 1, ...kernel] = of.w;
    const grouped = write.reshape(x, [n, group, perGroup, ...size]);
    const spatial = size.map((_, axis) => axis + 3);
    const turned = write.transpose(grouped, [2, 1, 0, ...spatial]);
    const images = write.reshape(turned, [perGroup, (c / perGroup) * n, ...size]);
    const kernels = write.transpose(dy, [1, 0, ...range(2, dy.dims.length)]);
    const dw = writeConv(write, images, kernels, {
      dims: [perGroup, m, ...kernel],
      group,
      strides: of.dilations,
      dilations: of.strides,
      begin: of.begin,
      end,
    });
    return write.transpose(dw, [1, 0, ...range(2, dw.dims.length)]);
  },
};

/** Depthwise: every channel of every sample on its own, then the sum over samples. */
const perSample: Lowering<ConvCase> = {
  name: "per-sample",
  applies: isDepthwise,
  write(write, inputs, of) {
    const { x, dy, end } = operands(write, inputs, of);
    const [n = 1, c = 1, ...size] = x.dims;
    const kernel = of.w.slice(2);
    const images = write.reshape(x, [1, n * c, ...size]);
    const kernels = write.reshape(dy, [n * c, 1, ...dy.dims.slice(2)]);
    const dw = writeConv(write, images, kernels, {
      dims: [1, n * c, ...kernel],
      group: n * c,
      strides: of.dilations,
      dilations: of.strides,
      begin: of.begin,
      end,
    });
    return write.reshape(write.sum(write.reshape(dw, [n, c, ...kernel]), [0], false), of.w);
  },
};

/** Windows as columns by a convolution with one-hot kernels, then one matrix product a sample. */
const oneHot: Lowering<ConvCase> = {
  name: "one-hot-columns",
  applies: () => true,
  write(write, inputs, of) {
    const { x, dy, end } = operands(write, inputs, of);
    const { group, w, y } = of;
    const [n = 1] = of.x;
    const [m = 1, perGroup = 1] = w;
    const pixels = sizeOf(y.slice(2));
    const columns = isPointwise(of) ? x : asColumns(write, x, of, end);
    const rows = perGroup * sizeOf(w.slice(2));
    const batch = group === 1 ? [n] : [n, group];
    const target = { write, target: "cpu" } as const;
    const dw = product(
      target,
      write.reshape(dy, [...batch, m / group, pixels]),
      write.reshape(columns, [...batch, rows, pixels]),
      { b: true },
    );
    return write.reshape(write.sum(dw, [0], false), w);
  },
};

/** [N, C k, out]: every window of every channel, by kernels with a single 1. */
function asColumns(write: Writer, x: Value, of: ConvCase, end: readonly number[]): Value {
  const channels = of.x[1] ?? 1;
  const kernel = of.w.slice(2);
  const places = sizeOf(kernel);
  const ones = new Float32Array(channels * places * places);
  for (const row of range(0, channels * places)) ones[row * places + (row % places)] = 1;
  const w = write.constant(x.dataType, [channels * places, 1, ...kernel], ones);
  return writeConv(write, x, w, {
    dims: [x.dims[0] ?? 1, channels * places, ...of.y.slice(2)],
    group: channels,
    strides: of.strides,
    dilations: of.dilations,
    begin: of.begin,
    end,
  });
}

function operands(
  write: Writer,
  [input, dy]: readonly Value[],
  of: ConvCase,
): { readonly x: Value; readonly dy: Value; readonly end: readonly number[] } {
  if (input === undefined || dy === undefined) throw new TypeError("x and dy are needed");
  return { ...readPart(write, input, of), dy };
}

/** From (x, dy). docs/methods/gradients.md has the timings that the guess goes by. */
export const convWeightGradient: LoweringFamily<ConvCase> = {
  name: "conv-weight-gradient",
  lowerings: [oneHot, swapped, perSample, diagonal],
  guess(of) {
    const unit = of.strides.every((step) => step === 1);
    if (isDepthwise(of)) return unit && (of.x[3] ?? 0) <= 64 ? diagonal.name : perSample.name;
    // With few channels on either side matrix products are thin, and columns do not pay.
    const windows = (of.w[1] ?? 1) * sizeOf(of.w.slice(2));
    const thin = windows < 200 && (of.w[0] ?? 1) < 32;
    return !isPointwise(of) && thin ? swapped.name : oneHot.name;
  },
};
