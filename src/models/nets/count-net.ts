// What a network costs for one image, without drawing its weights.

import { countModel, inputShapes, numberOf } from "../../measure/profile/index.ts";
import type { Model } from "../../onnx/index.ts";

export interface NetCount {
  /** Trainable numbers. */
  readonly parameters: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Bytes of all that is stored. */
  readonly bytes: number;
}

/** Counts a model that a network built. */
export function countNet(model: Model): NetCount {
  const inputs = inputShapes(model, { shapes: {}, sizes: {}, batch: 1 });
  const count = countModel(model, inputs === undefined ? {} : { inputs });
  const macs = count.totals.macs === null ? null : numberOf(count.totals.macs);
  if (macs === null)
    throw new TypeError("a network whose operations depend on more than its image");
  return { parameters: count.parameters.trainable, macs, bytes: count.bytes };
}
