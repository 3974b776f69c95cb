// Operators that multiply by matrices and kernels: an output axis has its source in the weight, an input
// axis its sink.

import { attribute, intOf, textOf, withAttributes } from "../../../../onnx/index.ts";
import type { AxisRef } from "../coupling.ts";
import { type Relating, type Rule, shapeOf, Unfollowed } from "../relating.ts";

function freezeSpatial(at: Relating, value: string): void {
  const rank = shapeOf(at, value).length;
  for (let axis = 2; axis < rank; axis++) at.freeze([value, axis], "it is a spatial axis");
}

function sizeOf(at: Pick<Relating, "shape">, [value, axis]: AxisRef): number {
  const size = shapeOf(at, value)[axis];
  if (typeof size !== "number")
    throw new Unfollowed(`axis ${axis} of "${value}" has no fixed size`);
  return size;
}

/** Conv keeps its weight as [outputs, inputs / groups, ...], ConvTranspose as [inputs, outputs / groups, ...]. */
function convolution(kind: "Conv" | "ConvTranspose"): Rule {
  return {
    relate(at) {
      const [x = "", weight = "", bias = ""] = at.node.inputs;
      const [y = ""] = at.node.outputs;
      for (const value of [x, weight, y]) freezeSpatial(at, value);
      at.same([x, 0], [y, 0]);
      const groups = intOf(at.node, "group", 1);
      const [inputAxis, outputAxis] = kind === "Conv" ? [1, 0] : [0, 1];
      if (bias !== "") at.same([bias, 0], [y, 1]);
      at.role([weight, outputAxis], "produces");
      if (groups === 1) {
        at.same([x, 1], [weight, inputAxis]);
        at.same([y, 1], [weight, outputAxis]);
        at.role([weight, inputAxis], "consumes");
        return;
      }
      relateGroups(at, { x, y, weight, groups });
    },
    rewrite(at) {
      const groups = intOf(at.node, "group", 1);
      const [x = ""] = at.node.inputs;
      const kept = at.kept([x, 1]);
      if (groups === 1 || kept === null) return at.node;
      const each = sizeOf(at, [x, 1]) / groups;
      return withAttributes(at.node, [attribute.int("group", kept.length / each)]);
    },
  };
}

/** A group of inputs and its outputs stand or fall together; its weight is a block of axis 0. */
function relateGroups(
  at: Relating,
  of: { readonly x: string; readonly y: string; readonly weight: string; readonly groups: number },
): void {
  const { x, y, weight, groups } = of;
  const inputsEach = sizeOf(at, [x, 1]) / groups;
  const outputsEach = sizeOf(at, [y, 1]) / groups;
  const rowsEach = sizeOf(at, [weight, 0]) / groups;
  at.blocks([x, 1], inputsEach);
  at.blocks([y, 1], outputsEach);
  at.blocks([weight, 0], rowsEach);
  at.map([weight, 0], [x, 1], (row) => Math.floor(row / rowsEach) * inputsEach);
  at.map([weight, 0], [y, 1], (row) => Math.floor(row / rowsEach) * outputsEach);
  at.freeze([weight, 1], "it lies within a group of a convolution");
}

const gemm: Rule = {
  relate(at) {
    const [a = "", b = "", c = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const [rows, inner] = intOf(at.node, "transA", 0) === 0 ? [0, 1] : [1, 0];
    const [innerB, columns] = intOf(at.node, "transB", 0) === 0 ? [0, 1] : [1, 0];
    at.same([a, rows], [y, 0]);
    at.same([a, inner], [b, innerB]);
    at.same([b, columns], [y, 1]);
    at.role([b, columns], "produces");
    at.role([b, innerB], "consumes");
    if (c === "") return;
    const rank = shapeOf(at, c).length;
    for (let axis = 0; axis < rank; axis++) at.same([c, axis], [y, axis + 2 - rank]);
  },
};

const matMul: Rule = {
  relate(at) {
    const [a = "", b = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const [rankA, rankB, rankY] = [a, b, y].map((value) => shapeOf(at, value).length);
    if (rankA === undefined || rankB === undefined || rankY === undefined) return;
    const [innerA, innerB] = [rankA - 1, Math.max(0, rankB - 2)];
    at.same([a, innerA], [b, innerB]);
    at.role([b, innerB], "consumes");
    at.role([a, innerA], "consumes");
    if (rankA > 1) {
      const row = rankB > 1 ? rankY - 2 : rankY - 1;
      at.same([a, rankA - 2], [y, row]);
      at.role([a, rankA - 2], "produces");
    }
    if (rankB > 1) {
      at.same([b, rankB - 1], [y, rankY - 1]);
      at.role([b, rankB - 1], "produces");
    }
    // Leading axes are broadcast against each other.
    for (let back = 3; back <= Math.max(rankA, rankB); back++) {
      const refs: AxisRef[] = [[y, rankY - back]];
      if (back <= rankA) refs.push([a, rankA - back]);
      if (back <= rankB) refs.push([b, rankB - back]);
      for (const ref of refs.slice(1)) at.same(ref, refs[0] ?? ref);
    }
  },
};

/** Axes of one letter are one axis, summed over or not. */
const einsum: Rule = {
  relate(at) {
    const equation = textOf(at.node, "equation", "").replaceAll(" ", "");
    const [left = "", right] = equation.split("->");
    if (right === undefined || equation.includes(".")) {
      throw new Unfollowed(`the equation "${equation}" leaves axes out`);
    }
    const first = new Map<string, AxisRef>();
    const terms = [...left.split(","), right];
    const values = [...at.node.inputs, at.node.outputs[0] ?? ""];
    for (const [index, term] of terms.entries()) {
      for (const [axis, letter] of [...term].entries()) {
        const ref: AxisRef = [values[index] ?? "", axis];
        const known = first.get(letter);
        if (known === undefined) first.set(letter, ref);
        else at.same(ref, known);
        if (index < terms.length - 1)
          at.role(ref, right.includes(letter) ? "produces" : "consumes");
      }
    }
  },
};

export const linearRules: Readonly<Record<string, Rule>> = {
  Conv: convolution("Conv"),
  ConvTranspose: convolution("ConvTranspose"),
  Gemm: gemm,
  MatMul: matMul,
  Einsum: einsum,
};
