// Weights stored as float16 and cast back when the model is loaded: half the file, the same float32 run.
// ONNX Runtime on x86 computes nothing in float16, so there is nothing else to gain.

import { attribute, elementsOf, tensorOf } from "../../../onnx/index.ts";
import type { Change, Pass, Refusal } from "../pass.ts";
import { withStoredWeights } from "../stored-weights.ts";
import { replaceable, type Stored, withStored } from "./decode.ts";

const name = "store-half";
/** Largest finite float16 (IEEE 754-2019). */
const LARGEST = 65_504;
/** Smaller tensors save less than their decoder takes. */
const LEAST_ELEMENTS = 128;

/** Stores float32 weights as float16. */
export const storeHalf: Pass = {
  name,
  fidelity: "approximate",
  async apply(given, context) {
    const model = await withStoredWeights(given, context);
    const fixed = replaceable(model);
    const changes: Change[] = [];
    const refused: Refusal[] = [];
    const stored = new Map<string, Stored>();
    for (const tensor of model.graph?.initializers ?? []) {
      const { name: subject = "", dims, dataType } = tensor;
      const size = dims.reduce((product, dim) => product * Number(dim), 1);
      if (dataType !== "float32" || size < LEAST_ELEMENTS) continue;
      const values = elementsOf(tensor) as Float32Array;
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (fixed.has(subject) || !(largest <= LARGEST)) {
        const reason = fixed.has(subject)
          ? "callers may replace it in a run"
          : `its largest element, ${largest}, is beyond float16`;
        refused.push({ pass: name, subject, reason });
        continue;
      }
      const half = `${subject}/half`;
      const cast = {
        opType: "Cast",
        name: `${subject}/decode`,
        inputs: [half],
        outputs: [subject],
        attributes: [attribute.int("to", 1)],
        metadata: [],
      };
      const initializers = [tensorOf("float16", { name: half, dims, values })];
      stored.set(subject, { initializers, nodes: [cast] });
      const what = `${2 * size} bytes in place of ${4 * size}; float32 again when it is loaded`;
      changes.push({ pass: name, subject, what });
    }
    return { model: stored.size === 0 ? given : withStored(model, stored), changes, refused };
  },
};
