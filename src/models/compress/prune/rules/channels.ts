// Operators that work on each channel by itself: normalisations with stored statistics, and pools.

import { intOf } from "../../../../onnx/index.ts";
import { fromFront, type Relating, type Rule, shapeOf, Unfollowed } from "../relating.ts";

function sameAxes(at: Relating, axes: "all" | "outer"): void {
  const [x = ""] = at.node.inputs;
  const rank = shapeOf(at, x).length;
  for (const y of at.node.outputs.filter((value) => value !== "")) {
    for (let axis = 0; axis < rank; axis++) {
      if (axes === "all" || axis < 2) at.same([x, axis], [y, axis]);
      else for (const value of [x, y]) at.freeze([value, axis], "it is a spatial axis");
    }
  }
}

const batchNormalization: Rule = {
  relate(at) {
    const [x = "", scale = "", ...others] = at.node.inputs;
    if (at.node.outputs.filter((value) => value !== "").length > 1) {
      throw new Unfollowed("it gives statistics too");
    }
    sameAxes(at, "all");
    for (const value of [scale, ...others]) at.same([value, 0], [x, 1]);
    at.role([scale, 0], "scales");
  },
};

const instanceNormalization: Rule = {
  relate(at) {
    const [x = "", scale = "", shift = ""] = at.node.inputs;
    sameAxes(at, "outer");
    for (const value of [scale, shift]) at.same([value, 0], [x, 1]);
    at.role([scale, 0], "scales");
  },
};

/** Values are normalised over the last axes, whose indices all matter to each other. */
const layerNormalization: Rule = {
  relate(at) {
    const [x = "", scale = "", shift = ""] = at.node.inputs;
    const rank = shapeOf(at, x).length;
    const from = fromFront(intOf(at.node, "axis", -1), rank);
    const [y = "", ...statistics] = at.node.outputs;
    if (statistics.some((value) => value !== "")) throw new Unfollowed("it gives statistics too");
    for (let axis = 0; axis < rank; axis++) {
      at.same([x, axis], [y, axis]);
      if (axis < from) continue;
      at.normalised([x, axis]);
      for (const value of [scale, shift])
        if (value !== "") at.same([value, axis - from], [x, axis]);
    }
    at.role([scale, rank - 1 - from], "scales");
  },
};

const pool: Rule = {
  relate(at) {
    if (at.node.outputs.length > 1) throw new Unfollowed("it gives indices too");
    sameAxes(at, "outer");
  },
};

export const channelRules: Readonly<Record<string, Rule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: pool,
  GlobalMaxPool: pool,
  GlobalLpPool: pool,
};
