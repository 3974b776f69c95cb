// From a model in inference form to the graph, or the two graphs, that a trainer runs again and again.

import { UserError } from "../../core/index.ts";
import { withStaticDims } from "../../engine/index.ts";
import type { Model, OperatorTable } from "../../onnx/index.ts";
import { type AccumulationGraph, updateFromSums, withAccumulation } from "./accumulate.ts";
import { batchNormAsPrimitives } from "./batch-norm-primitives.ts";
import { type DifferentiateOptions, differentiate } from "./differentiate.ts";
import { dropoutAsMasks, type Mask } from "./dropout-masks.ts";
import { withFusedUpdates } from "./fuse-update.ts";
import { graphOf } from "./graph-surgery.ts";
import type { Loss } from "./losses/index.ts";
import { withPooledColumns } from "./pooled-columns.ts";
import { withRecomputation } from "./recompute.ts";
import { trainingMode } from "./training-mode.ts";
import { type TunedLowerings, type TuneLoweringsOptions, tuneLowerings } from "./tune-lowerings.ts";
import { type TargetInput, withLoss } from "./with-loss.ts";
import {
  type StateEntry,
  type Trainable,
  type UpdateGraph,
  type UpdateOptions,
  withOptimizer,
} from "./with-optimizer.ts";

export interface StepOptions extends UpdateOptions {
  readonly operators: OperatorTable;
  readonly loss: Loss;
  /** Values that the loss reads; the model's first outputs when absent. */
  readonly predictions?: readonly string[];
  /** Sizes of the model's inputs, the batch first. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /**
   * Initializers that are trained; all others stay as they are, and cost no gradient. A normalisation
   * by batches whose scale is not among them keeps its statistics.
   */
  readonly parameters: readonly string[];
  /** Of the masks of Dropout. Default: 0. */
  readonly seed?: number;
  /** Batches whose mean gradient makes one update. Default: 1. */
  readonly accumulate?: number;
  /** Computes parts of the forward pass twice to hold less in memory. Default: false. */
  readonly recompute?: boolean;
  readonly lowerings?: DifferentiateOptions["lowerings"];
}

/** What a trainer runs. */
export interface Step {
  /** The update; without `accumulation` it computes the gradients too. */
  readonly update: UpdateGraph;
  readonly accumulation: AccumulationGraph | null;
  readonly batchesPerUpdate: number;
  /** Output with the loss of a batch. */
  readonly loss: string;
  readonly targets: readonly TargetInput[];
  /** Inputs for the masks of Dropout. */
  readonly masks: readonly Mask[];
  /** All arrays that live from step to step, sums of gradients apart. */
  readonly entries: readonly StateEntry[];
}

/** Builds the training step of a model. Throws UserError for what cannot be trained, naming it. */
export function buildStep(model: Model, options: StepOptions): Step {
  const { operators, parameters, accumulate = 1 } = options;
  if (!Number.isInteger(accumulate) || accumulate < 1) {
    throw new RangeError(`batches to an update: a whole number from 1 on, not ${accumulate}`);
  }
  const trainables = parameters.map((name) => trainable(model, name));
  const { judged, loss, targets, masks, statistics } = judgedModel(model, options);
  const { model: plain, gradients } = differentiate(judged, {
    ...{ operators, loss, parameters },
    ...(options.lowerings === undefined ? {} : { lowerings: options.lowerings }),
  });
  const whole = options.recompute === true ? recomputed(plain, judged) : plain;
  if (accumulate === 1) {
    const plainly = withOptimizer(whole, { ...options, gradients, statistics, keep: [loss] });
    const update = { ...plainly, model: withFusedUpdates(plainly.model) };
    const { entries } = update;
    return { update, accumulation: null, batchesPerUpdate: 1, loss, targets, masks, entries };
  }
  const accumulation = withAccumulation(whole, {
    operators,
    parameters: trainables,
    gradients,
    statistics: [...statistics].map(([name, next]) => ({ ...trainable(model, name), next })),
    count: accumulate,
    keep: [loss],
  });
  const update = updateFromSums(trainables, options);
  const entries = [...update.entries, ...accumulation.statistics];
  return { update, accumulation, batchesPerUpdate: accumulate, loss, targets, masks, entries };
}

/** The model as it is trained, up to its loss. */
function judgedModel(given: Model, options: StepOptions) {
  const { operators, parameters, inputs, seed = 0 } = options;
  const sized = withStaticDims(given, { shapes: inputs });
  const { model: masked, masks } = dropoutAsMasks(sized);
  const trained = new Set(parameters);
  const training = trainingMode(masked, { operators, seed, parameters: trained });
  const isDevice = options.lowerings?.target === "webgpu";
  const runnable = isDevice ? batchNormAsPrimitives(training.model) : training.model;
  const { model, loss, targets } = withLoss(runnable, options);
  const judged = isDevice ? model : withPooledColumns(model, { operators, parameters: trained });
  return { judged, loss, targets, masks, statistics: training.statistics };
}

/** The fastest ways to write the gradients of a step here, by timing each; for `lowerings`. */
export async function tuneStep(
  model: Model,
  options: StepOptions & Omit<TuneLoweringsOptions, keyof DifferentiateOptions>,
): Promise<TunedLowerings> {
  const { judged, loss } = judgedModel(model, options);
  const { lowerings = {}, ...rest } = options;
  return tuneLowerings(judged, { ...rest, loss, lowerings });
}

const recomputed = (model: Model, forward: Model): Model =>
  withRecomputation(model, { forward: graphOf(forward).nodes.length }).model;

function trainable(model: Model, name: string): Trainable {
  const found = graphOf(model).initializers.find((tensor) => tensor.name === name);
  if (found?.dataType === "float32") return { name, dims: found.dims.map(Number) };
  const fault = found === undefined ? "there is none" : `it is ${found.dataType}`;
  throw new UserError("invalid-input", `"${name}" cannot be trained: ${fault}`, {
    hint: "Parameters are float32 initializers of the model.",
  });
}
