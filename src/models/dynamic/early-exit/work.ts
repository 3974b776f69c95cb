// Multiply-accumulates of models: what stands for cost where nothing was measured.

import { UserError } from "../../../core/index.ts";
import { countModel, numberOf } from "../../../measure/profile/index.ts";
import type { Model } from "../../../onnx/index.ts";

/** Multiply-accumulates of a run on one row; sizes that are open count as one. Throws UserError where they cannot be counted. */
export function macsOf(model: Model): number {
  const inputs = (model.graph?.inputs ?? []).map(({ name, type }) => {
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    return [name, shape.map(({ value }) => Number(value ?? 1n))] as const;
  });
  const { totals } = countModel(model, { inputs: Object.fromEntries(inputs) });
  const macs = totals.macs === null ? null : numberOf(totals.macs);
  if (macs === null) {
    throw new UserError("unsupported", "the work of a stage cannot be counted", {
      hint: "Give the measured cost of each stage as `costs`.",
    });
  }
  return macs;
}
