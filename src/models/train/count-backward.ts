// What the gradients of a model cost on paper: its backward pass is written out and counted as any graph.

import { UserError } from "../../core/index.ts";
import { withStaticDims } from "../../engine/index.ts";
import {
  type CountOptions,
  countModel,
  type Totals,
  totalsBy,
} from "../../measure/profile/index.ts";
import { extendModel, inferShapes, type Model, type OperatorTable } from "../../onnx/index.ts";
import { differentiate } from "./differentiate.ts";
import { graphOf } from "./graph-surgery.ts";
import { normaliseForTraining } from "./normalise.ts";
import { trainableParameters } from "./parameters.ts";
import { trainingMode } from "./training-mode.ts";

export interface BackwardOptions extends Omit<CountOptions, "inputs"> {
  readonly operators: OperatorTable;
  /** Sizes of the inputs that the model leaves open: all of them must be known. */
  readonly inputs?: CountOptions["inputs"] | undefined;
}

/** The backward pass of a model, or why it cannot be written. */
export type BackwardCount =
  | { readonly status: "counted"; readonly totals: Totals; readonly parameters: number }
  | { readonly status: "refused"; readonly reason: string; readonly remedy: string };

/**
 * Counts the gradients by all trainable parameters, in training mode, of the sum of what the model
 * gives. Where there are several ways to write one, it is the one without products by zero that counts.
 */
export function countBackward(model: Model, options: BackwardOptions): BackwardCount {
  try {
    return counted(model, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { status: "refused", reason: error.message, remedy: error.hint };
  }
}

/** Convolutions as such, not as products with masks or one-hot kernels, which compute more. */
const PLAIN: Readonly<Record<string, string>> = {
  "conv-input-gradient": "conv-transpose",
  "conv-weight-gradient": "swapped-axes",
  "max-pool-gradient": "placed",
  "channel-moment": "products",
};

function counted(model: Model, options: BackwardOptions): BackwardCount {
  const { operators, inputs, ...counting } = options;
  const sized = withSizes(normaliseForTraining(model, { operators }), inputs);
  const parameters = trainableParameters(sized);
  if (parameters.length === 0) {
    const remedy = "Only float32 weights have gradients.";
    return { status: "refused", reason: "the model has no weights to train", remedy };
  }
  const summed = withSum(trainingMode(sized, { operators, seed: 0 }).model, operators);
  const unused = new Set<string>();
  const { model: both } = differentiate(summed.model, {
    operators,
    loss: summed.loss,
    parameters,
    lowerings: { fastest: ({ family }) => PLAIN[family] ?? null },
    onUnused: (name) => unused.add(name),
  });
  const forward = new Set(graphOf(summed.model).nodes.map(({ outputs }) => outputs[0]));
  const { entries } = countModel(both, counting);
  const totals = totalsBy(entries, ({ node }) => (forward.has(node.outputs[0]) ? [] : [BACKWARD]));
  const backward = totals.get(BACKWARD);
  return backward === undefined
    ? { status: "refused", reason: "no output depends on its weights", remedy: "" }
    : { status: "counted", totals: backward, parameters: parameters.length - unused.size };
}

const BACKWARD = "backward";

/** The model with the sizes of its inputs fixed. */
function withSizes(model: Model, inputs: BackwardOptions["inputs"]): Model {
  const chosen = Object.entries(inputs ?? {});
  const open = chosen.find(([, shape]) => shape.some((size) => typeof size !== "number"));
  if (open !== undefined) {
    throw new UserError("invalid-input", `the sizes of input "${open[0]}" are open`, {
      hint: "Choose them: gradients are written for fixed sizes.",
    });
  }
  const shapes = chosen.map(([name, shape]) => [name, shape.map(Number)] as const);
  return withStaticDims(model, { shapes: Object.fromEntries(shapes) });
}

/** The sum of all float outputs: every one of them gets a gradient, at no further cost. */
function withSum(
  model: Model,
  operators: OperatorTable,
): { readonly model: Model; readonly loss: string } {
  const { values } = inferShapes(model).graph;
  const floats = graphOf(model).outputs.filter(({ name }) => {
    const type = values.get(name);
    return type?.kind === "tensor" && type.elementType === "float32";
  });
  const builder = extendModel(model, { operators });
  const g = builder.scope("loss");
  const sums = floats.map(({ name }) => g.op("ReduceSum", [name], { keepdims: 0 }));
  const [loss = ""] = sums.length > 1 ? [g.op("Sum", sums)] : sums;
  if (loss !== "") builder.output(loss);
  return { model: builder.finish(), loss };
}
