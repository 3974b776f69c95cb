// Operators that changed a name, a default or a required word, and mean the same with it stated.

import { attribute, intOf, textOf, withAttributes, withoutAttributes } from "../../attributes.ts";
import { tensorOf } from "../../tensor-of.ts";
import { refuse, type UpgradeRule } from "../rule.ts";

/** Scatter goes by another name from opset 11 on. */
const scatter: UpgradeRule = {
  operator: "Scatter",
  version: 11,
  rewrite: (node) => ({ nodes: [{ ...node, opType: "ScatterElements" }] }),
};

/** Opset 18 wants equal parts stated by their number. */
const split: UpgradeRule = {
  operator: "Split",
  version: 18,
  rewrite(node) {
    if ((node.inputs[1] ?? "") !== "") return { nodes: [node] };
    const count = attribute.int("num_outputs", node.outputs.length);
    return { nodes: [withAttributes({ ...node, inputs: node.inputs.slice(0, 1) }, [count])] };
  },
};

/** Opset 16 shifts regions by half a pixel unless told otherwise. */
const roiAlign: UpgradeRule = {
  operator: "RoiAlign",
  version: 16,
  rewrite: (node) => ({
    nodes: [
      withAttributes(node, [attribute.text("coordinate_transformation_mode", "output_half_pixel")]),
    ],
  }),
};

const GRID_MODES: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };

/** Opset 20 renamed the modes, since it has more dimensions than two. */
const gridSample: UpgradeRule = {
  operator: "GridSample",
  version: 20,
  rewrite(node) {
    const mode = textOf(node, "mode", "bilinear");
    return { nodes: [withAttributes(node, [attribute.text("mode", GRID_MODES[mode] ?? mode)])] };
  },
};

/** Opset 20 takes the axis as an input, and another by default. */
const dft: UpgradeRule = {
  operator: "DFT",
  version: 20,
  rewrite(node, context) {
    const values = [intOf(node, "axis", 1)];
    const axis = context.store("axis", tensorOf("int64", { dims: [], values }));
    const [x = "", length = ""] = node.inputs;
    return { nodes: [{ ...withoutAttributes(node, "axis"), inputs: [x, length, axis] }] };
  },
};

/** Scan of opset 8 went over batches and sequences of unlike lengths; opset 9 does not. */
const scan: UpgradeRule = {
  operator: "Scan",
  version: 9,
  rewrite: () =>
    refuse(
      "Scan of opset 8 goes over a batch, which its successor does not",
      "Export the model with opset 9 or newer.",
    ),
};

/** Opset 13 allows no integers any more; no runtime that we know took them. */
const erf: UpgradeRule = {
  operator: "Erf",
  version: 13,
  rewrite(node, context) {
    const type = context.type(node.inputs[0] ?? "");
    if (type === null || type.includes("float")) return { nodes: [node] };
    return refuse(
      `its input is ${type}, which it does not take any more`,
      "Insert a Cast to float.",
    );
  },
};

export const renamed: readonly UpgradeRule[] = [
  scatter,
  split,
  roiAlign,
  gridSample,
  dft,
  scan,
  erf,
];
