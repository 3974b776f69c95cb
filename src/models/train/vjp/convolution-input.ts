// Ways to write the gradient of a convolution by its input: from (dy, w) to the sizes of x.

import { type ConvCase, flipped, isDepthwise, writeConv } from "./convolution-case.ts";
import type { Lowering, LoweringFamily } from "./lowering.ts";
import type { Value, Writer } from "./writer.ts";

/** The adjoint as the operator that is defined as such. */
const transposed: Lowering<ConvCase> = {
  name: "conv-transpose",
  applies: () => true,
  write(write, inputs, { x, w, group, strides, dilations, begin, end }) {
    const attributes = {
      kernel_shape: w.slice(2),
      group,
      strides,
      dilations,
      pads: [...begin, ...end.map((pad) => Math.max(0, pad))],
      output_padding: end.map((pad) => Math.max(0, -pad)),
    };
    return write.op("ConvTranspose", inputs, { dims: x, attributes });
  },
};

/** A convolution of dy with the weights turned around, input and output channels exchanged. */
const flip: Lowering<ConvCase> = {
  name: "flipped-conv",
  applies: (of) => of.strides.every((step) => step === 1) && reach(of).every((pad) => pad >= 0),
  write(write, [dy, w], of) {
    const { x, group, dilations, strides } = of;
    if (dy === undefined || w === undefined) throw new TypeError("dy and w are needed");
    const pads = reach(of);
    return writeConv(write, dy, exchanged(write, flipped(write, w), group), {
      dims: x,
      group,
      strides,
      dilations,
      begin: pads.slice(0, strides.length),
      end: pads.slice(strides.length),
    });
  },
};

/** The padding of the flipped convolution: what windows reach beyond the edge. */
const reach = ({ w, dilations, begin, end }: ConvCase): readonly number[] =>
  [begin, end].flatMap((pads) =>
    pads.map((pad, axis) => (dilations[axis] ?? 1) * ((w[axis + 2] ?? 1) - 1) - pad),
  );

/** [M, C/g, k] to [C, M/g, k], within each group. */
function exchanged(write: Writer, w: Value, group: number): Value {
  const [m = 1, c = 1, ...kernel] = w.dims;
  const perGroup = m / group;
  if (perGroup === 1 && c === 1) return w;
  const grouped = write.reshape(w, [group, perGroup, c, ...kernel]);
  const rest = kernel.map((_, axis) => axis + 3);
  const turned = write.transpose(grouped, [0, 2, 1, ...rest]);
  return write.reshape(turned, [group * c, perGroup, ...kernel]);
}

/** From (dy, w). docs/methods/gradients.md has the timings that the guess goes by. */
export const convInputGradient: LoweringFamily<ConvCase> = {
  name: "conv-input-gradient",
  lowerings: [flip, transposed],
  guess(of) {
    if (isDepthwise(of)) return flip.name;
    return (of.w[1] ?? 1) < 16 ? transposed.name : flip.name;
  },
};
