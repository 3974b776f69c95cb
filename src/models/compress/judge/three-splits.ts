// Samples in three parts that share no row: for statistics of the passes, for choosing among candidates,
// and for the one verification at the end.

import { createRandom, UserError } from "../../../core/index.ts";
import {
  type Dataset,
  randomSplit,
  readLabels,
  shuffled,
  stratifiedSplit,
} from "../../data/index.ts";

/** Row numbers of each part. */
export interface ThreeSplits {
  /** Of the part for the passes: what statistics are taken on. */
  readonly calibration: readonly number[];
  /** The whole part for the passes, calibration rows first: what students learn from, without labels. */
  readonly training: readonly number[];
  readonly search: readonly number[];
  readonly verify: readonly number[];
}

export interface SplitOptions {
  readonly seed?: number;
  /** Rows for calibration at most: more of them hardly move a range. Default: 64. */
  readonly calibration?: number;
  /** Rows for training at most, up to a quarter of all. Default: those for calibration. */
  readonly training?: number;
  /** Allows parts that are too small to say anything. */
  readonly force?: boolean;
}

/** Fewest samples: of calibration it is chance below, of verification nothing can be shown. */
const LEAST = { calibration: 8, search: 8, verify: 30 };

const MOST_CALIBRATION = 64;

/** Of the rows that a part should have, what it must have at least where classes are kept in proportion. */
const FAIR = 0.8;

/**
 * A fifth for calibration (at most `calibration` rows), more for training where it is asked for, a quarter
 * of the rest for the search, and what is left for the verification, which needs the most. Labels keep their proportions. Throws UserError for
 * too few samples.
 */
export async function threeSplits(
  dataset: Dataset,
  { seed = 1, calibration = MOST_CALIBRATION, training = 0, force = false }: SplitOptions = {},
): Promise<ThreeSplits> {
  const { length } = dataset;
  const most = Math.min(calibration, Math.max(LEAST.calibration, Math.floor(length / 5)));
  const more = Math.max(0, Math.min(training, Math.floor(length / 4)) - most);
  const search = Math.floor((length - most - more) / 4);
  const weights = [most, more, search, length - most - more - search];
  const fits = length >= 64 && search >= LEAST.search && (weights[3] ?? 0) >= LEAST.verify;
  if (!fits && !force) {
    throw new UserError(
      "invalid-input",
      `${dataset.name} has ${length} samples, which is too few`,
      {
        hint: "Give at least 64: some for calibration, some for the search and 30 or more to verify on. --force goes on, and the report says that nothing is verified.",
      },
    );
  }
  const byClass = (await hasClasses(dataset))
    ? stratifiedSplit(await readLabels(dataset), weights, seed)
    : [];
  // Classes of a row or two would all fall into the same part.
  const isFair = weights.every((wanted, part) => (byClass[part]?.length ?? 0) >= FAIR * wanted);
  const parts = isFair ? byClass : randomSplit(length, weights, seed);
  const [calibrated = [], learnt = [], searched = [], verified = []] = parts;
  // Rows often come sorted by their labels, and the first ones of a part must be typical of it.
  const random = createRandom(seed);
  const first = shuffled(calibrated, random);
  return {
    calibration: first,
    training: [...first, ...shuffled(learnt, random)],
    search: shuffled(searched, random),
    verify: verified,
  };
}

async function hasClasses(dataset: Dataset): Promise<boolean> {
  const label = dataset.columns.find(({ name }) => name === "label");
  return label !== undefined && label.dataType !== "string" && !label.dataType.startsWith("float");
}
