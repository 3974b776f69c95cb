// What a search was asked and what it has found, on its way to the report.

import type {
  Recipe,
  SearchCandidate,
  SearchResult,
  ThreeSplits,
} from "../models/compress/index.ts";
import type { Outcome, SlimCost, SlimFile, SlimTrial } from "../report/slim/report.ts";
import type { SearchFolder } from "./slim-folder.ts";
import type { SlimInputs, SlimModel } from "./slim-inputs.ts";
import type { SlimOptions } from "./slim-options.ts";

/** A search as it was asked. */
export interface SlimRequest {
  /** Path of the model. */
  readonly model: string;
  readonly options: SlimOptions;
  readonly cwd: string;
}

/** All that a search has found when it comes to its report. */
export interface SlimFound {
  readonly request: SlimRequest;
  readonly model: SlimModel;
  readonly inputs: SlimInputs;
  readonly splits: ThreeSplits;
  readonly result: SearchResult;
  readonly outcome: Outcome;
  readonly trials: readonly SlimTrial[];
  /** Measured before the file was accepted; null where none came so far. */
  readonly costs: SlimCosts | null;
  /** What was written; null for nothing. */
  readonly written: Written | null;
  readonly folder: SearchFolder;
}

export interface Written {
  readonly file: SlimFile;
  readonly recipe: Recipe;
  readonly candidate: SearchCandidate;
}

/** Costs, and the engine that they are of. */
export interface SlimCosts {
  readonly costs: readonly SlimCost[];
  readonly runtime: string;
}
