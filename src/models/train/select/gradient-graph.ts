// A model's gradient on one batch of fixed size as a graph of its own: what GraNd measures and condensation
// matches. The model is taken in inference form, so that samples do not see each other.

import { withStaticDims } from "../../../engine/index.ts";
import type { Model, OperatorTable } from "../../../onnx/index.ts";
import type { Dataset } from "../../data/index.ts";
import { differentiate } from "../differentiate.ts";
import type { Loss } from "../losses/index.ts";
import { chooseParameters, trainableParameters } from "../parameters.ts";
import { type Wire, type WiringChoice, wireInputs, wireTargets } from "../wiring.ts";
import { withLoss } from "../with-loss.ts";

export interface GradientOptions {
  readonly operators: OperatorTable;
  readonly loss: Loss;
  /** Patterns of the parameters whose gradients count, such as `scores/*`. Default: all. */
  readonly only?: readonly string[];
  readonly columns?: WiringChoice;
  /** Outputs that the loss reads. Default: the first. */
  readonly predictions?: readonly string[];
}

export interface GradientGraph {
  readonly model: Model;
  /** Values that are the gradients, by parameter. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Columns of the dataset by inputs of the graph. */
  readonly wires: readonly Wire[];
}

/** The graph for batches of `rows` samples of a dataset. Throws UserError for what has no gradient. */
export function gradientGraph(
  model: Model,
  dataset: Dataset,
  rows: number,
  { operators, loss, only, columns, predictions }: GradientOptions,
): GradientGraph {
  const inputs = wireInputs(model, dataset, columns);
  const shapes = Object.fromEntries(inputs.map(({ input, dims }) => [input, [rows, ...dims]]));
  const sized = withStaticDims(model, { shapes });
  const judged = withLoss(sized, {
    ...{ operators, loss },
    ...(predictions === undefined ? {} : { predictions }),
  });
  const all = trainableParameters(model, predictions);
  const parameters = only === undefined ? all : chooseParameters(all, { only });
  const differentiated = differentiate(judged.model, { operators, loss: judged.loss, parameters });
  const wires = [...inputs, ...wireTargets(judged.targets, dataset, columns)];
  return { ...differentiated, wires };
}
