// The recogniser's size and operations for one line of text, counted from its graph.

import { openModelFile } from "../../src/engine/index.ts";
import { countModel, numberOf } from "../../src/measure/profile/index.ts";
import { HEIGHT, WIDTH } from "./lines.ts";
import { MODEL_FILE } from "./recogniser.ts";

export const OPERATIONS_SOURCE = "counted from the model's graph (godwit profile)";

export interface LineCost {
  readonly macs: number;
  readonly flops: number;
  readonly parameters: number;
}

/** What one line of text takes. */
export function costPerLine(): LineCost {
  using opened = openModelFile(MODEL_FILE);
  const inputs = { x: [1, 3, HEIGHT, WIDTH] };
  const { totals, parameters } = countModel(opened.model, { external: opened.external, inputs });
  const [macs, flops] = [totals.macs, totals.flops].map((of) =>
    of === null ? null : numberOf(of),
  );
  if (macs == null || flops == null) throw new Error("the recogniser's sizes are not all known");
  return { macs, flops, parameters: parameters.total };
}
