// What the header of a weight file says of its tensors.

import { ModelError } from "../../onnx/index.ts";

export interface WeightTensor {
  readonly name: string;
  /** As the format spells it: `F16`, `Q4_K`. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
}

export interface WeightFile {
  readonly format: "safetensors" | "GGUF";
  readonly tensors: readonly WeightTensor[];
  /** Texts and numbers that the header says of the model. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Elements of a shape. Throws ModelError for sizes that no tensor has. */
export function elementsOfShape(shape: readonly number[], name: string): number {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(elements))
      throw new ModelError(`a shape of [${shape.join(", ")}]`, `tensor "${name}"`);
  }
  return elements;
}
