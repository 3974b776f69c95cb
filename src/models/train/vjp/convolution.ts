// Gradients of convolutions, of any number of axes, groups, strides and dilations.
//
// With y[n,m,o] = sum over c, k of x[n,c, o s + k d - p] w[m,c,k] (ONNX, Conv) the gradients are
// correlations again (Dumoulin & Visin, A guide to convolution arithmetic, 2018, chapter 4).

import type { ConvCase } from "./convolution-case.ts";
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

const conv: Vjp = (site) => {
  const of = caseOf(site);
  const { write, dy, choose } = site;
  return [
    () => choose(convInputGradient, of, write, [dy, site.input(1)]),
    () => choose(convWeightGradient, of, write, [site.input(0), dy]),
    () => byChannel(site, dy),
  ];
};

export const convolutions: Rules = { Conv: conv };
