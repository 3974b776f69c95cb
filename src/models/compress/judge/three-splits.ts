// Samples in three parts that share no row: for statistics of the passes, for choosing among candidates,
// and for the one verification at the end.

import { UserError } from "../../../core/index.ts";
import { type Dataset, randomSplit, readLabels, stratifiedSplit } from "../../data/index.ts";

/** Row numbers of each part. */
export interface ThreeSplits {
  readonly calibration: readonly number[];
  readonly search: readonly number[];
  readonly verify: readonly number[];
}

export interface SplitOptions {
  readonly seed?: number;
  /** Rows for calibration at most: more of them hardly move a range. Default: 64. */
  readonly calibration?: number;
  /** Allows parts that are too small to say anything. */
  readonly force?: boolean;
}

/** Fewest samples: of calibration it is chance below, of verification nothing can be shown. */
const LEAST = { calibration: 8, search: 8, verify: 30 };

const MOST_CALIBRATION = 64;

/**
 * A fifth for calibration (at most `calibration` rows), a quarter of the rest for the search, and what is
 * left for the verification, which needs the most. Labels keep their proportions. Throws UserError for
 * too few samples.
 */
export async function threeSplits(
  dataset: Dataset,
  { seed = 1, calibration = MOST_CALIBRATION, force = false }: SplitOptions = {},
): Promise<ThreeSplits> {
  const { length } = dataset;
  const most = Math.min(calibration, Math.max(LEAST.calibration, Math.floor(length / 5)));
  const search = Math.floor((length - most) / 4);
  const weights = [most, search, length - most - search];
  const fits = length >= 64 && search >= LEAST.search && (weights[2] ?? 0) >= LEAST.verify;
  if (!fits && !force) {
    throw new UserError(
      "invalid-input",
      `${dataset.name} has ${length} samples, which is too few`,
      {
        hint: "Give at least 64: some for calibration, some for the search and 30 or more to verify on. --force goes on, and the report says that nothing is verified.",
      },
    );
  }
  const parts = (await hasClasses(dataset))
    ? stratifiedSplit(await readLabels(dataset), weights, seed)
    : randomSplit(length, weights, seed);
  const [first = [], second = [], third = []] = parts;
  return { calibration: first, search: second, verify: third };
}

async function hasClasses(dataset: Dataset): Promise<boolean> {
  const label = dataset.columns.find(({ name }) => name === "label");
  return label !== undefined && label.dataType !== "string" && !label.dataType.startsWith("float");
}
