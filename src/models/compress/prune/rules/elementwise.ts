// Operators that work element by element, with broadcasting.

import { type Relating, type Rule, shapeOf } from "../relating.ts";

/** Axes counted from the end couple; an operand's axis of size 1 stands for all. */
function relateBroadcast(at: Relating): void {
  const { inputs, outputs } = at.node;
  for (const output of outputs) {
    if (output === "") continue;
    const rank = shapeOf(at, output).length;
    for (const input of inputs) {
      if (input === "") continue;
      const own = shapeOf(at, input).length;
      for (let axis = 0; axis < own; axis++) {
        at.same([input, axis], [output, axis + rank - own]);
      }
    }
  }
}

export const elementwise: Rule = { relate: relateBroadcast };

/** Only the first input is a tensor of the output's shape; the others are numbers or flags. */
export const firstInput: Rule = {
  relate(at) {
    const [input = ""] = at.node.inputs;
    const rank = shapeOf(at, input).length;
    for (const output of at.node.outputs) {
      if (output === "") continue;
      for (let axis = 0; axis < rank; axis++) at.same([input, axis], [output, axis]);
    }
  },
};

/** Q and DQ: scales and zero points run along one axis, or stand for all of them. */
export const quantise: Rule = {
  relate(at) {
    const [input = "", ...parameters] = at.node.inputs;
    firstInput.relate(at);
    const rank = shapeOf(at, input).length;
    const attribute = at.node.attributes.find(({ name }) => name === "axis");
    const axis = attribute?.kind === "int" ? Number(attribute.value) : 1;
    for (const parameter of parameters) {
      if (parameter === "") continue;
      const own = shapeOf(at, parameter);
      if (own.length === 1) at.same([parameter, 0], [input, axis < 0 ? axis + rank : axis]);
      if (own.length > 1) at.freezeValue(input, "it is quantised in blocks");
    }
  },
};
