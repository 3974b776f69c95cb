// What a training run is told, what it tells on the way and what it ends with.

import { type Joules, type Random, UserError } from "../../core/index.ts";
import type { EngineOptions, RuntimeName } from "../../engine/index.ts";
import type { ExternalData, Model, OperatorTable } from "../../onnx/index.ts";
import type { Dataset } from "../data/index.ts";
import type { Metric } from "../data/metrics/index.ts";
import type { Augment } from "./augment.ts";
import type { Checkpoint, EpochRecord, Position } from "./checkpoint.ts";
import type { DifferentiateOptions } from "./differentiate.ts";
import type { Loss } from "./losses/index.ts";
import type { Schedule } from "./schedule.ts";
import type { WiringChoice } from "./wiring.ts";
import type { UpdateOptions } from "./with-optimizer.ts";

/** What meters a run: a `Meter` of godwit/measure is one. */
export interface RunMeter {
  openSpan(name: string): Promise<{
    close(): Promise<{
      /** Seconds. */
      readonly duration: number;
      /** Joules. */
      readonly energy?: { readonly value: number };
      /** Grams of CO2e. */
      readonly emissions?: { readonly value: number };
    }>;
  }>;
  note(text: string): void;
}

export interface FitOptions extends UpdateOptions {
  readonly operators: OperatorTable;
  readonly train: Dataset;
  /** Rows that are not trained on, to judge by after each epoch. */
  readonly validation?: Dataset;
  readonly loss: Loss;
  /** Outputs that the loss reads. Default: the first. */
  readonly predictions?: readonly string[];
  /** Needed where there are validation rows. */
  readonly metric?: Metric;
  /** The learning rate, from the number of updates that the whole run makes. */
  readonly schedule: (updates: number) => Schedule;
  readonly epochs: number;
  /** Rows to a step; the rows that are left over in an epoch are not used in it. */
  readonly batchSize: number;
  /** Steps whose mean gradient makes one update. Default: 1. */
  readonly accumulate?: number;
  /** Computes parts of the forward pass twice to hold less in memory. Default: false. */
  readonly recompute?: boolean;
  readonly seed: number;
  /** Initializers that are trained. Default: all that can be. */
  readonly parameters?: readonly string[];
  /** Columns of the datasets by inputs and targets, where they are not to be guessed. */
  readonly columns?: WiringChoice;
  /**
   * The rows of an epoch (counted from 0) in their order, at least as many as its updates take; a row may
   * come more than once. Default: all rows, shuffled.
   */
  readonly order?: (epoch: number, random: Random) => readonly number[];
  /** Changes training batches. Default: none. */
  readonly augment?: Augment;
  /** Ends after this many epochs without a better one. Default: never. */
  readonly patience?: number;
  /** Ends when more is used up. Needs a meter. */
  readonly maxEnergy?: Joules;
  readonly meter?: RunMeter;
  /** Joules of this run so far, for `maxEnergy` within an epoch; asked after each update. */
  readonly usedEnergy?: () => number | null;
  /** Ends after the update under way. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Kept in checkpoints: what the run was told to do. */
  readonly recipe?: string;
  /** Called after each epoch and at the end. */
  readonly save?: (checkpoint: Checkpoint) => Promise<void>;
  /** Goes on from here. */
  readonly resume?: Checkpoint;
  readonly engine?: EngineOptions & { readonly runtime?: RuntimeName };
  /** Where graphs are computed. On the caller's thread nothing else of it runs. Default: own. */
  readonly thread?: "own" | "caller";
  readonly lowerings?: DifferentiateOptions["lowerings"];
  /** Finds weights that lie in other files. */
  readonly external?: ExternalData;
}

export interface Progress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Updates made in this epoch, of how many. */
  readonly update: number;
  readonly updates: number;
  /** Mean training loss of this epoch so far. */
  readonly loss: number;
  readonly rate: number;
  /** The epochs that have ended. */
  readonly history: readonly EpochRecord[];
}

/** Why a run ended. */
export type Stop = "epochs" | "patience" | "energy" | "aborted" | "not-finite";

export interface FitResult {
  /** In inference form, as it was in the best epoch by validation, else at the end. */
  readonly model: Model;
  readonly stopped: Stop;
  readonly history: readonly EpochRecord[];
  readonly best: Position["best"];
  /** Where the run ended: it can be gone on with. */
  readonly checkpoint: Checkpoint;
  /** Numbers that were trained. */
  readonly parameters: number;
  readonly notices: readonly string[];
}

/** Throws UserError for options that cannot be, before anything is built. */
export function checkOptions(options: FitOptions): void {
  const { train, batchSize, accumulate = 1, epochs, patience, validation, metric } = options;
  const whole = { epochs, "batch size": batchSize, accumulate, patience: patience ?? 1 };
  for (const [name, value] of Object.entries(whole)) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new UserError("usage", `${name} is ${value}`, { hint: "Give a whole number above 0." });
  }
  const rows = batchSize * accumulate;
  if (rows > train.length) {
    throw new UserError(
      "usage",
      `an update takes ${rows} rows, ${train.name} has ${train.length}`,
      {
        hint: "Make the batch smaller.",
      },
    );
  }
  if (validation !== undefined && metric === undefined) {
    throw new UserError("usage", "there are validation rows and no metric to judge by", {
      hint: "Name a metric.",
    });
  }
  if (patience !== undefined && validation === undefined) {
    throw new UserError("usage", "patience needs rows to judge by", {
      hint: "Keep some rows for validation.",
    });
  }
  if (options.maxEnergy !== undefined && options.meter === undefined) {
    throw new UserError("usage", "a bound on energy needs a meter", {
      hint: "Give the meter that measures this run.",
    });
  }
}
