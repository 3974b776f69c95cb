// Gradients of convolutions, of any number of axes, groups, strides and dilations.
//
// With y[n,m,o] = sum over c, k of x[n,c, o s + k d - p] w[m,c,k] (ONNX, Conv) the gradients are
// correlations again (Dumoulin & Visin, A guide to convolution arithmetic, 2018, chapter 4).

import {
  attribute,
  attributeOf,
  intsOf,
  type Node,
  textOf,
  withAttributes,
  withoutAttributes,
} from "../../../onnx/index.ts";
import { type ConvCase, readPart, writeConv } from "./convolution-case.ts";
import { convInputGradient } from "./convolution-input.ts";
import { convWeightGradient } from "./convolution-weight.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { groupsOf, windowsOf } from "./window.ts";
import { range, type Value } from "./writer.ts";

/** The sizes and attributes of a Conv. */
function caseOf({ node, input, output }: Site): ConvCase {
  const [x, w, y] = [input(0).dims, input(1).dims, output().dims];
  const spatial = { input: x.slice(2), output: y.slice(2), kernel: w.slice(2) };
  const { strides, dilations, begin, end } = windowsOf(node, spatial);
  return { x, w, y, group: groupsOf(node), strides, dilations, begin, end };
}

/** The sum over everything but the channels. */
const byChannel = ({ write }: Site, dy: Value): Value =>
  write.sum(dy, [0, ...range(2, dy.dims.length)], false);

/** A factor on each channel of dy is one on the weights' outputs, and those are small. */
const conv: Vjp = (site) => {
  const of = caseOf(site);
  const { write, choose } = site;
  const { value: dy, factor } = site.scaledDy;
  const scaled = (w: Value): Value => {
    if (factor === null) return w;
    return write.mul(
      w,
      write.reshape(
        factor,
        w.dims.map((dim, axis) => (axis === 0 ? dim : 1)),
      ),
    );
  };
  return [
    () => choose(convInputGradient, of, write, [dy, scaled(site.input(1))]),
    () => scaled(choose(convWeightGradient, of, write, [site.input(0), dy])),
    () => scaled(byChannel(site, dy)),
  ];
};

/**
 * ConvTranspose is the adjoint of a Conv from the sizes of its output to those of its input, so that its
 * gradient by x is that Conv, and its gradient by w that Conv's, with x in the place of dy.
 */
const convTranspose: Vjp = (site) => {
  const { write, dy, choose } = site;
  const of = adjointCaseOf(site);
  const part = readPart(write, dy, of);
  return [
    () => writeConv(write, part.x, site.input(1), { ...of, dims: of.y, end: part.end }),
    () => choose(convWeightGradient, of, write, [dy, site.input(0)]),
    () => byChannel(site, dy),
  ];
};

/** Padding of a ConvTranspose is what is cut off; a stated shape or SAME decides it (ONNX). */
function adjointCaseOf({ node, input, output }: Site): ConvCase {
  const [x, w, y] = [input(0).dims, input(1).dims, output().dims];
  const sizes = { input: y.slice(2), output: x.slice(2), kernel: w.slice(2) };
  const { strides, dilations, begin, end } = windowsOf(withStatedPads(node, sizes), sizes);
  return { x: y, w, y: x, group: groupsOf(node), strides, dilations, begin, end };
}

function withStatedPads(node: Node, sizes: Parameters<typeof windowsOf>[1]): Node {
  const automatic = textOf(node, "auto_pad", "NOTSET");
  if (automatic === "NOTSET" && attributeOf(node, "output_shape") === null) return node;
  const bare = withoutAttributes(node, "auto_pad", "pads");
  const { end } = windowsOf(bare, sizes);
  // Before any padding `end` is all that is to be cut; for SAME_UPPER the odd one from the end.
  const extra = intsOf<null>(node, "output_padding", null) ?? end.map(() => 0);
  const total = end.map((size, axis) => Math.max(0, size + (extra[axis] ?? 0)));
  const upper = automatic === "SAME_UPPER";
  const half = total.map((size) => (upper ? Math.floor(size / 2) : Math.ceil(size / 2)));
  const rest = total.map((size, axis) => size - (half[axis] ?? 0));
  return withAttributes(bare, [attribute.ints("pads", [...half, ...rest])]);
}

export const convolutions: Rules = { Conv: conv, ConvTranspose: convTranspose };
