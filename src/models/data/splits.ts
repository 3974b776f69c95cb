// A dataset in its parts: those that its makers fixed, or ones drawn here from a seed.

import { UserError } from "../../core/index.ts";
import { type Dataset, readLabels } from "./dataset.ts";
import { randomSplit, stratifiedSplit } from "./rows.ts";
import { subset } from "./views.ts";

/** Parts by the names that the field gives them. */
export type SplitName = "train" | "validation" | "test";

/** A dataset with the parts its makers gave it; `all` where they gave none. */
export interface DatasetSplits {
  readonly name: string;
  readonly splits: ReadonlyMap<SplitName | "all", Dataset>;
}

/** Shares of a dataset that has no parts of its own. */
export interface Shares {
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/** Three parts that share no row. */
export interface TrainingParts {
  readonly train: Dataset;
  /** Null when its share is 0 and the makers gave none. */
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
}

/**
 * Training, validation and test rows. Parts that the makers fixed are kept; what is missing is drawn from
 * the training rows, in the proportions of the labels where there are labels.
 */
export async function trainingParts(
  { name, splits }: DatasetSplits,
  shares: Shares,
): Promise<TrainingParts> {
  const whole = splits.get("train") ?? splits.get("all");
  if (whole === undefined) {
    throw new UserError("invalid-input", `dataset ${name} has nothing to train on`, {
      hint: `It has only ${[...splits.keys()].join(", ")}.`,
    });
  }
  const given = { validation: splits.get("validation"), test: splits.get("test") };
  const validation = given.validation === undefined ? shares.validation : 0;
  const test = given.test === undefined ? shares.test : 0;
  const drawn = await draw(whole, [1 - validation - test, validation, test], shares.seed);
  const part = (at: number, label: string): Dataset | null => {
    const rows = drawn[at] ?? [];
    return rows.length === 0 ? null : subset(whole, rows, `${name}:${label}`);
  };
  const train = part(0, "train");
  if (train === null) {
    throw new UserError("invalid-input", `no rows of ${name} are left to train on`, {
      hint: "Make the shares of validation and test smaller.",
    });
  }
  return {
    train,
    validation: given.validation ?? part(1, "validation"),
    test: given.test ?? part(2, "test"),
  };
}

async function draw(
  dataset: Dataset,
  weights: readonly number[],
  seed: number,
): Promise<readonly (readonly number[])[]> {
  if (!dataset.columns.some(({ name }) => name === "label")) {
    return randomSplit(dataset.length, weights, seed);
  }
  return stratifiedSplit(await readLabels(dataset), weights, seed);
}

/** One part by name. Throws UserError naming the parts there are. */
export function splitNamed({ name, splits }: DatasetSplits, wanted: string): Dataset {
  const found = splits.get(wanted as SplitName);
  if (found !== undefined) return found;
  throw new UserError("invalid-input", `dataset ${name} has no part ${wanted}`, {
    hint: `It has ${[...splits.keys()].join(", ")}.`,
  });
}
