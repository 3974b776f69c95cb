// Operators that mix the elements along an axis, which must then be kept whole.

import { intOf } from "../../../../onnx/index.ts";
import { axesOf } from "../axes-of.ts";
import { fromFront, type Rule, shapeOf } from "../relating.ts";

/** Softmax and its like: all elements of the axis, before opset 13 of all axes from there on. */
const alongAxis = (until: "one" | "end"): Rule => ({
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const rank = shapeOf(at, x).length;
    const from = fromFront(intOf(at.node, "axis", until === "one" ? -1 : 1), rank);
    for (let axis = 0; axis < rank; axis++) {
      at.same([x, axis], [y, axis]);
      const mixed = until === "one" ? axis === from : axis >= from;
      if (mixed) at.freeze([x, axis], `${at.node.opType} mixes it`);
    }
  },
});

export const softmax = alongAxis("one");
export const flattenedSoftmax = alongAxis("end");

export const reduce: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const rank = shapeOf(at, x).length;
    const given = axesOf(at, { attribute: "axes", input: 1 });
    const axes = new Set(
      (given ?? shapeOf(at, x).map((_, axis) => axis)).map((axis) => fromFront(axis, rank)),
    );
    const keeps = intOf(at.node, "keepdims", 1) !== 0;
    let out = 0;
    for (let axis = 0; axis < rank; axis++) {
      if (axes.has(axis)) {
        at.freeze([x, axis], `${at.node.opType} mixes it`);
        if (keeps) out++;
      } else at.same([x, axis], [y, out++]);
    }
  },
};

/** ArgMax and ArgMin. */
export const argument: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    at.freezeValue(x, `${at.node.opType} mixes it`);
  },
};
