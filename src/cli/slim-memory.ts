// Whether a search fits in memory, told before it begins: what is killed for memory hours later says nothing.

import { availableMemory } from "node:process";
import { formatQuantity, UserError } from "../core/index.ts";
import { isTensorValue } from "../engine/index.ts";
import { countModel } from "../measure/profile/index.ts";
import { type Feeds, feedsOf } from "../models/compress/index.ts";
import type { Model } from "../onnx/index.ts";
import { endingWith, SLIM_EXIT } from "./slim-exit.ts";
import type { SlimInputs, SlimModel } from "./slim-inputs.ts";

/** Copies of all weights at the same time: the original, a candidate, its file, and what the engine makes of it. */
const COPIES = 4;

/** Bytes, estimated. */
export interface Memory {
  readonly weights: number;
  /** Of values between the nodes of one run; null where their sizes cannot be told beforehand. */
  readonly run: number | null;
}

/** What a search holds at once. Calibration adds next to nothing: it keeps no more than 64 kB of a value. */
export function memoryOf(model: Model, feeds: Feeds): Memory {
  const inputs = Object.fromEntries(
    Object.entries(feeds).flatMap(([name, feed]) =>
      isTensorValue(feed) ? [[name, feed.dims] as const] : [],
    ),
  );
  const { bytes, activations } = countModel(model, { inputs });
  return { weights: COPIES * bytes, run: activations.withReuse };
}

/** Throws UserError where a search on these rows needs more memory than is free (bytes). */
export const refuseTooLarge = (
  { whole }: Pick<SlimModel, "whole">,
  { samples }: Pick<SlimInputs, "samples">,
  rows: readonly number[],
  free: number = availableMemory(),
): Promise<void> =>
  endingWith(SLIM_EXIT.badData, async () => {
    const together = rows.slice(0, samples.batch);
    const { weights, run } = memoryOf(whole, await feedsOf(samples, together));
    const needed = weights + (run ?? 0);
    // The system answers 0 where it cannot tell.
    if (needed <= free || free === 0) return;
    const size = (bytes: number): string => formatQuantity(bytes, "B");
    const parts = `${size(weights)} for ${COPIES} copies of the weights, ${size(run ?? 0)} for a run of ${together.length}`;
    throw new UserError(
      "invalid-input",
      `a search needs about ${size(needed)} of memory (${parts}), and ${size(free)} are free`,
      {
        hint: `${together.length > 1 ? "Take a smaller --batch, or" : "Take"} a machine with more memory. --force tries it all the same.`,
      },
    );
  });
