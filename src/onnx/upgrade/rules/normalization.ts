// BatchNormalization, GroupNormalization and Dropout: what they say about training changed.

import { attribute, floatOf, intOf, withoutAttributes } from "../../attributes.ts";
import type { Node } from "../../model.ts";
import { int64s, tensorOf } from "../../tensor-of.ts";
import { newNode, type Refusal, type RuleContext, refuse, type UpgradeRule } from "../rule.ts";

const EXPORT_FOR_INFERENCE = "Export the model for inference, not for training.";

/** Opset 9 dropped statistics for each position (`spatial` 0). */
const batchNormalization9: UpgradeRule = {
  operator: "BatchNormalization",
  version: 9,
  rewrite(node) {
    if (intOf(node, "spatial", 1) === 0) {
      return refuse(
        "spatial = 0 has no successor: statistics are kept for channels only",
        "Export the model again without spatial = 0.",
      );
    }
    return { nodes: [withoutAttributes(node, "spatial")] };
  },
};

/** Opset 14 states training by an attribute; before, extra outputs meant it. */
const batchNormalization14: UpgradeRule = {
  operator: "BatchNormalization",
  version: 14,
  rewrite: (node, context) =>
    withFirstOutput(node, context, "statistics of a training run are read"),
};

/** Opset 10 made the mask boolean. */
const dropout10: UpgradeRule = {
  operator: "Dropout",
  version: 10,
  rewrite: (node, context) => withFirstOutput(node, context, "the mask is read"),
};

/** Opset 12 made the ratio an input. Without training_mode Dropout passes its input on, as before. */
const dropout12: UpgradeRule = {
  operator: "Dropout",
  version: 12,
  rewrite(node, context) {
    const reduced = withFirstOutput(node, context, "the mask is read");
    if ("refused" in reduced) return reduced;
    const ratio = floatOf(node, "ratio", 0.5);
    const stored = context.store("ratio", tensorOf("float32", { dims: [], values: [ratio] }));
    return {
      nodes: reduced.nodes.map((of) => ({
        ...withoutAttributes(of, "ratio"),
        inputs: [...of.inputs, stored],
      })),
    };
  },
};

/** The node with its first output only, when nothing reads the others. */
function withFirstOutput(
  node: Node,
  context: RuleContext,
  reason: string,
): { readonly nodes: readonly Node[] } | Refusal {
  const [first = "", ...others] = node.outputs;
  if (others.some((output) => context.isRead(output))) return refuse(reason, EXPORT_FOR_INFERENCE);
  return { nodes: [{ ...node, outputs: [first] }] };
}

/** Opset 21 takes scale and bias for each channel instead of each group. */
const groupNormalization21: UpgradeRule = {
  operator: "GroupNormalization",
  version: 21,
  rewrite(node, context) {
    const groups = intOf(node, "num_groups", 1);
    const [x = "", scale = "", bias = ""] = node.inputs;
    const channels = context.fresh("channels");
    const perGroup = context.fresh("channels_per_group");
    const shape = context.fresh("shape");
    const count = context.store("groups", int64s("groups", [groups]));
    const column = context.store("column", int64s("column", [groups, 1]));
    const row = context.store("row", int64s("row", [-1]));
    const spread = (value: string): { readonly name: string; readonly nodes: readonly Node[] } => {
      const [standing, repeated, name] = ["standing", "repeated", "per_channel"].map((part) =>
        context.fresh(`${value}_${part}`),
      ) as [string, string, string];
      return {
        name,
        nodes: [
          newNode("Reshape", [value, column], { outputs: [standing] }),
          newNode("Expand", [standing, shape], { outputs: [repeated] }),
          newNode("Reshape", [repeated, row], { outputs: [name] }),
        ],
      };
    };
    const [scales, biases] = [spread(scale), spread(bias)];
    return {
      nodes: [
        newNode("Shape", [x], {
          outputs: [channels],
          attributes: [attribute.int("start", 1), attribute.int("end", 2)],
        }),
        newNode("Div", [channels, count], { outputs: [perGroup] }),
        newNode("Concat", [count, perGroup], {
          outputs: [shape],
          attributes: [attribute.int("axis", 0)],
        }),
        ...scales.nodes,
        ...biases.nodes,
        { ...node, inputs: [x, scales.name, biases.name] },
      ],
    };
  },
};

export const normalization: readonly UpgradeRule[] = [
  batchNormalization9,
  batchNormalization14,
  dropout10,
  dropout12,
  groupNormalization21,
];
