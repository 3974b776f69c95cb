// Gradients of operators that draw random numbers.

import type { Prepare, Rules, Vjp } from "./rule.ts";

/** dx = dy mask / (1 - ratio); without training mode Dropout changes nothing. */
const dropout: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const training = site.has(2) && site.numbers(2)[0] === 1;
    const ratio = site.has(1) ? (site.numbers(1)[0] ?? 0) : 0.5;
    if (!training || ratio === 0) return dy;
    const mask = write.cast({ ...site.output(1), dataType: "bool" }, dy.dataType);
    return write.mul(dy, write.scale(mask, 1 / (1 - ratio)));
  },
];

/** Which elements were kept. */
export const withMask: Prepare = (node, extra) =>
  (node.outputs[1] ?? "") === ""
    ? { ...node, outputs: [node.outputs[0] ?? "", extra("mask")] }
    : node;

export const randoms: Rules = { Dropout: dropout };
