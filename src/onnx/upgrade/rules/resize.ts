// Upsample became Resize at opset 10, and Resize learned at 11 to say which point of the input an
// output point is taken from. What it did before is coordinate mode "asymmetric".

import {
  attribute,
  floatsOf,
  textOf,
  withAttributes,
  withoutAttributes,
} from "../../attributes.ts";
import { elementCount, elementsOf } from "../../elements.ts";
import type { Node } from "../../model.ts";
import { tensorOf } from "../../tensor-of.ts";
import {
  type Refusal,
  type RuleContext,
  refuse,
  type UpgradeRule,
  withoutTrailingBlanks,
} from "../rule.ts";

const upsample9: UpgradeRule = {
  operator: "Upsample",
  version: 9,
  rewrite(node, context) {
    const values = floatsOf(node, "scales", []);
    const scales = context.store("scales", tensorOf("float32", { dims: [values.length], values }));
    const inputs = [node.inputs[0] ?? "", scales];
    return { nodes: [{ ...withoutAttributes(node, "scales"), inputs }] };
  },
};

const upsample10: UpgradeRule = {
  operator: "Upsample",
  version: 10,
  rewrite(node, context) {
    const resize: Node = { ...node, opType: "Resize" };
    if (context.target < 11) return { nodes: [resize] };
    // Upsample never makes anything smaller, so that the nearest point is known to be the floor.
    return { nodes: [asymmetric(resize, "floor", context)], version: 11 };
  },
};

const resize11: UpgradeRule = {
  operator: "Resize",
  version: 11,
  rewrite(node, context) {
    if (textOf(node, "mode", "nearest") !== "nearest") {
      return { nodes: [asymmetric(node, null, context)] };
    }
    const rounding = nearestRounding(node.inputs[1] ?? "", context);
    if (typeof rounding !== "string") return rounding;
    return { nodes: [asymmetric(node, rounding, context)] };
  },
};

/**
 * Which neighbour Resize-10 takes. The specification does not say; ONNX Runtime takes the lower one
 * when an axis grows and the upper one when it shrinks.
 */
function nearestRounding(scales: string, context: RuleContext): "floor" | "ceil" | Refusal {
  const tensor = context.constant(scales);
  if (tensor === null || tensor.data.kind === "external") {
    return refuse(
      "its scales are computed, and whether it grows or shrinks decides which point is nearest",
      "Fold the scales to a constant, or export the model with opset 11 or newer.",
    );
  }
  const values = Array.from<unknown, number>(elementsOf(tensor), Number);
  if (values.every((scale) => scale >= 1)) return "floor";
  if (values.every((scale) => scale <= 1)) return "ceil";
  return refuse(
    "it grows along one axis and shrinks along another, which rounds to nearest in two ways",
    "Split it in two, or export the model with opset 11 or newer.",
  );
}

function asymmetric(node: Node, rounding: "floor" | "ceil" | null, context: RuleContext): Node {
  const [x = "", scales = ""] = node.inputs;
  const roi = context.store("roi", tensorOf("float32", { dims: [0], values: [] }));
  const nearest = rounding === null ? [] : [attribute.text("nearest_mode", rounding)];
  return withAttributes({ ...node, inputs: [x, roi, scales] }, [
    attribute.text("coordinate_transformation_mode", "asymmetric"),
    ...nearest,
  ]);
}

/** Opset 13 wants inputs that are not used left out instead of empty, and dropped a coordinate mode. */
const resize13: UpgradeRule = {
  operator: "Resize",
  version: 13,
  rewrite(node, context) {
    const mode = textOf(node, "coordinate_transformation_mode", "half_pixel");
    if (mode === "tf_half_pixel_for_nn") {
      return refuse(
        "the coordinate mode tf_half_pixel_for_nn was dropped",
        "Export the model with half_pixel or asymmetric coordinates.",
      );
    }
    const [x = "", roi = "", scales = "", sizes = ""] = node.inputs;
    const inputs = [
      x,
      mode === "tf_crop_and_resize" ? roi : "",
      sizes === "" || isEmpty(sizes, context) ? scales : "",
      isEmpty(sizes, context) ? "" : sizes,
    ];
    return { nodes: [{ ...node, inputs: withoutTrailingBlanks(inputs) }] };
  },
};

function isEmpty(value: string, context: RuleContext): boolean {
  const tensor = context.constant(value);
  return tensor !== null && elementCount(tensor) === 0;
}

export const resize: readonly UpgradeRule[] = [upsample9, upsample10, resize11, resize13];
