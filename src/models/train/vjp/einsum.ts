// Gradient of Einsum: the gradient of one operand is an Einsum of dy and the other operands.

import { textOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { sizeOf, type Value } from "./writer.ts";

/** The labels of operands and result, one letter an axis. */
interface Labels {
  readonly operands: readonly string[];
  readonly result: string;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function labelsOf(site: Site): Labels {
  const equation = textOf(site.node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const free = [...LETTERS].filter((letter) => !equation.includes(letter));
  const dotted = terms.map((term, at) => {
    if (!term.includes("...")) return 0;
    return site.input(at).dims.length - (term.length - 3);
  });
  const most = Math.max(0, ...dotted);
  const named = (term: string, axes: number): string =>
    term.replace("...", free.slice(most - axes, most).join(""));
  const operands = terms.map((term, at) => named(term, dotted[at] ?? 0));
  const result = right === undefined ? implied(left, free.slice(0, most)) : named(right, most);
  if (operands.some((labels) => new Set(labels).size !== labels.length)) {
    throw site.fault("it takes a diagonal", "Write the diagonal as Gather or a masked sum.");
  }
  return { operands, result };
}

/** Without an arrow: the dotted axes, then labels that occur once, in order of the alphabet. */
function implied(left: string, dotted: readonly string[]): string {
  const letters = [...left.replaceAll(/[.,]/g, "")];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...dotted, ...once.sort()].join("");
}

const einsum: Vjp = (site) => {
  const { operands, result } = labelsOf(site);
  return operands.map((own, at) => () => {
    const others = operands.filter((_, index) => index !== at);
    const inputs = [
      site.dy,
      ...others.map((_, index) => site.input(index < at ? index : index + 1)),
    ];
    return gradientOf(site, own, {
      labels: [result, ...others],
      inputs,
      dims: site.input(at).dims,
    });
  });
};

/** Axes that only this operand has were summed: their gradient is the same all along. */
function gradientOf(
  { write }: Site,
  own: string,
  of: {
    readonly labels: readonly string[];
    readonly inputs: readonly Value[];
    readonly dims: readonly number[];
  },
): Value {
  const { labels, inputs, dims } = of;
  const sizes = new Map<string, number>();
  labels.forEach((term, at) => {
    [...term].forEach((letter, axis) => {
      const size = inputs[at]?.dims[axis] ?? 1;
      sizes.set(letter, Math.max(size, sizes.get(letter) ?? 1));
    });
  });
  const shared = [...own].filter((letter) => sizes.has(letter));
  const sharedDims = shared.map((letter) => sizes.get(letter) ?? 1);
  const equation = `${labels.join(",")}->${shared.join("")}`;
  const product = write.op("Einsum", inputs, { dims: sharedDims, attributes: { equation } });
  const kept = [...own].map((letter) => sizes.get(letter) ?? 1);
  const placed = write.reshape(product, kept);
  const fits = sizeOf(kept) > sizeOf(dims) ? write.sumTo(placed, dims) : placed;
  return write.expand(fits, dims);
}

export const einsums: Rules = { Einsum: einsum };
