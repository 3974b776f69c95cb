// Everything that `godwit profile` finds out about one model, before any of it is shown.

import type { OpenModel } from "../engine/open-model.ts";
import { type DeviceCost, deviceCost, findDevice, loadDevices } from "../measure/profile/device.ts";
import {
  countModel,
  filterOf,
  type InputChoice,
  inputShapes,
  type ModelCount,
  type RowOptions,
  type Rows,
  rowsOf,
  type Sparsity,
  sparsityOf,
  type TrainingCost,
  trainingCost,
} from "../measure/profile/index.ts";
import type { BackwardCount } from "../models/train/count-backward.ts";
import { loadOperators, type Model } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import type { ProfileOptions } from "./profile-options.ts";
import type { RunChoice, RunReport } from "./profile-run.ts";

export interface Findings {
  readonly count: ModelCount;
  readonly rows: Rows;
  readonly training: TrainingCost | null;
  /** The backward pass as written out; null where no training was asked for. */
  readonly backward: BackwardCount | null;
  readonly sparsity: Sparsity | null;
  readonly device: DeviceCost | null;
  readonly run: RunReport | null;
  /** Seconds that counting took. */
  readonly durationS: number;
}

/** Counts, estimates and runs what was asked for. */
export async function findingsOf(
  context: CliContext,
  opened: OpenModel,
  options: ProfileOptions,
): Promise<Findings> {
  const { host } = context;
  const started = host.monotonic();
  const count = countOf(opened, options);
  const durationS = Number(host.monotonic() - started) / 1e9;
  const { device: name } = options;
  return {
    count,
    durationS,
    rows: rowsOf(count, viewOf(options)),
    training: options.train === true ? trainingCost(count, options.optimizer) : null,
    backward: options.train === true ? await backwardOf(context, opened, options) : null,
    sparsity: options.sparsity === true ? sparsityOf(count.tensors, opened.external) : null,
    device:
      name === undefined ? null : deviceCost(count, findDevice(await loadDevices(host), name)),
    run: options.run === true ? await runHere(context, opened, { count, options }) : null,
  };
}

/** The count of a model at the sizes that were chosen. */
export function countOf({ model, external }: OpenModel, options: ProfileOptions): ModelCount {
  const inputs = inputShapes(model, choiceOf(options));
  return countModel(model, {
    external,
    convention: options.flops,
    values: options.value,
    ...(inputs === undefined ? {} : { inputs }),
  });
}

/** The gradients counted from their graph, at the sizes that were chosen. */
async function backwardOf(
  { host }: CliContext,
  { model, external }: OpenModel,
  options: ProfileOptions,
): Promise<BackwardCount> {
  const { countBackward } = await import("../models/train/count-backward.ts");
  return countBackward(model, {
    operators: await loadOperators(host),
    inputs: inputShapes(model, choiceOf(options)),
    values: options.value,
    external,
    convention: options.flops,
  });
}

/** The rows that were asked for; a file gets all of them. */
export const viewOf = ({ by, sort, top, csv, filter }: ProfileOptions): RowOptions => ({
  by,
  sort,
  top: csv === true ? Number.POSITIVE_INFINITY : top,
  ...(filter === undefined ? {} : { filter: filterOf(filter) }),
});

const choiceOf = ({ input, size, batch }: ProfileOptions): InputChoice => ({
  shapes: input,
  sizes: size,
  ...(batch === undefined ? {} : { batch }),
});

/** How to run the model. */
export const runChoiceOf = (model: Model, options: ProfileOptions): RunChoice => ({
  inputs: inputShapes(model, choiceOf(options)),
  values: options.value,
  feeds: options.feed,
  threads: options.threads,
  repeats: options.repeats,
  spin: options.spin === true,
});

async function runHere(
  context: CliContext,
  opened: OpenModel,
  { count, options }: { readonly count: ModelCount; readonly options: ProfileOptions },
): Promise<RunReport> {
  const { runModel } = await import("./profile-run.ts");
  return runModel(context, opened, { count, ...runChoiceOf(opened.model, options) });
}

/** The run for programs: figures with their intervals and methods, seconds by kernel. */
export const runObject = ({ cost, times, roofline }: RunReport): object => ({
  ...cost,
  roofline: { peak_flop_per_s: roofline.peakFlops, bandwidth_byte_per_s: roofline.bandwidth },
  kernels: times.kernels.map(({ time, ...kernel }) => ({ ...kernel, time_s: time })),
  elsewhere_s: times.elsewhere,
  folded: times.folded,
});
