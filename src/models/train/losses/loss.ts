// What a loss is to the trainer: it appends the inputs for its targets and one scalar.

import type { DataType, GraphBuilder } from "../../../onnx/index.ts";

/** A value that a loss is computed from. */
export interface Prediction {
  /** Name of the value in the graph. */
  readonly value: string;
  /** Sizes, the batch first. */
  readonly shape: readonly number[];
}

/** The graph as a loss sees it. */
export interface LossContext {
  readonly graph: GraphBuilder;
  readonly predictions: readonly Prediction[];
  /** Adds an input for the truth of a batch and gives its name. */
  target(name: string, dataType: DataType, shape: readonly number[]): string;
}

/** A loss: a plain object that appends operators. The scalar is a mean over the batch. */
export interface Loss {
  readonly name: string;
  /** How many outputs of the model it reads. */
  readonly predictions: number;
  /** Appends the loss and gives the name of the scalar. */
  emit(context: LossContext): string;
}
