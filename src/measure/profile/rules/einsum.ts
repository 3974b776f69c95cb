// Einsum: operands are multiplied two at a time from left to right, and a letter is summed away as soon
// as neither a later operand nor the output has it.

import { addSizes, productOfSizes, type Size, textOf } from "../../../onnx/index.ts";
import { axis, inputShape, type Site, Uncountable } from "../site.ts";
import { FREE, type Work } from "./work.ts";

export function einsumWork(site: Site): Work {
  const equation = textOf(site.node, "equation", "").replace(/\s/g, "");
  const [left = "", right] = equation.split("->");
  const operands = left.split(",").map((labels, index) => lettersOf(labels, site, index));
  const [first, ...others] = operands;
  if (first === undefined) throw new Uncountable("an equation without operands");
  const output = right === undefined ? onceIn(operands) : outputLetters(right, operands);
  const sizes = sizesOf(operands);
  const sizeOf = (letters: Iterable<string>): Size =>
    productOfSizes([...letters].map((letter) => sizes.get(letter) ?? 1));
  if (others.length === 0) {
    // A sum over letters adds each input once; without one it is a transposition.
    return [...first.keys()].every((letter) => output.has(letter))
      ? FREE
      : { macs: 0, other: sizeOf(first.keys()) };
  }
  let macs: Size = 0;
  let other: Size = 0;
  let held = new Set(first.keys());
  for (const [index, operand] of others.entries()) {
    const joint = new Set([...held, ...operand.keys()]);
    const later = others.slice(index + 1);
    const kept = [...joint].filter(
      (letter) => output.has(letter) || later.some((next) => next.has(letter)),
    );
    // Without a sum it is a product of elements, not a dot product.
    if (kept.length < joint.size) macs = addSizes(macs, sizeOf(joint));
    else other = addSizes(other, sizeOf(joint));
    held = new Set(kept);
  }
  return { macs, other };
}

type Letters = ReadonlyMap<string, Size>;

/** Sizes by letter; the axes of an ellipsis are called by their place from the right. */
function lettersOf(labels: string, site: Site, index: number): Letters {
  const shape = inputShape(site, index);
  const [front = "", back] = labels.split("...");
  const sizes = new Map<string, Size>();
  [...front].forEach((letter, at) => void sizes.set(letter, axis(shape, at)));
  if (back === undefined) return sizes;
  [...back].forEach((letter, at) => void sizes.set(letter, axis(shape, at - back.length)));
  const middle = shape.slice(front.length, shape.length - back.length);
  middle.forEach((size, at) => void sizes.set(`.${middle.length - at}`, size));
  return sizes;
}

/** Without an arrow the output has the letters that occur once, and the ellipsis. */
function onceIn(operands: readonly Letters[]): ReadonlySet<string> {
  const all = operands.flatMap((operand) => [...operand.keys()]);
  return new Set(
    all.filter(
      (letter) => letter.startsWith(".") || all.indexOf(letter) === all.lastIndexOf(letter),
    ),
  );
}

function outputLetters(labels: string, operands: readonly Letters[]): ReadonlySet<string> {
  const ellipsis = operands.flatMap((operand) =>
    [...operand.keys()].filter((letter) => letter.startsWith(".")),
  );
  const letters = labels.replace("...", "");
  return new Set(labels.includes("...") ? [...letters, ...ellipsis] : letters);
}

/** An axis of 1 stretches to that of another operand. */
function sizesOf(operands: readonly Letters[]): Letters {
  const sizes = new Map<string, Size>();
  for (const operand of operands) {
    for (const [letter, size] of operand) {
      const known = sizes.get(letter) ?? 1;
      sizes.set(letter, known === 1 ? size : known);
    }
  }
  return sizes;
}
