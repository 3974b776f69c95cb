// What a rewrite of a model is: it takes a model, promises something about the outputs of what it gives
// back, and tells what it changed and what it left alone.

import type { Feed, Runtime } from "../../engine/index.ts";
import type { Model, OperatorTable } from "../../onnx/index.ts";

/**
 * What a pass promises about the model's outputs. `exact`: bit for bit. `reordered`: the same numbers
 * summed in another order or with constants multiplied beforehand, which moves outputs by rounding only
 * (at most 1e-4 of the largest output on the models we test). `approximate`: anything else.
 */
export type Fidelity = "exact" | "reordered" | "approximate";

/**
 * A rewrite of a model with a promise about its outputs. Pure: same model, context and options, same
 * result. Models keep their weights in themselves; see `withDataInside` for those that do not.
 */
export interface Pass<Options = void> {
  readonly name: string;
  readonly fidelity: Fidelity;
  apply(model: Model, context: PassContext, options: Options): Promise<PassResult>;
}

/** Inputs of one run, by name. */
export type Feeds = Readonly<Record<string, Feed>>;

/** What passes work with. */
export interface PassContext {
  readonly operators: OperatorTable;
  /** Runs graphs where a pass needs results. */
  readonly runtime: Runtime;
  /** Inputs for statistics. Each call starts anew; nothing is kept of what went by. */
  readonly calibration?: () => AsyncIterable<Feeds>;
  /** Inputs that students learn from. Default: the calibration inputs. */
  readonly training?: () => AsyncIterable<Feeds>;
  /** The model that students learn from: the one that a row of passes began with. */
  readonly teacher?: Model;
  /** Of every random choice. */
  readonly seed: number;
  /** Stops a pass between two pieces of its work. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a pass has come; `total` is null where it cannot be known. */
export interface Progress {
  readonly pass: string;
  readonly step: string;
  readonly done: number;
  readonly total: number | null;
}

export interface PassResult {
  readonly model: Model;
  readonly changes: readonly Change[];
  /** What was left alone, and why. */
  readonly refused: readonly Refusal[];
}

/** One thing that a pass did. */
export interface Change {
  readonly pass: string;
  /** The node, value or tensor, by name. */
  readonly subject: string;
  /** What became of it: `folded into Conv "stem"`. */
  readonly what: string;
}

/** One thing that a pass could have done and did not. */
export interface Refusal {
  readonly pass: string;
  readonly subject: string;
  readonly reason: string;
}
