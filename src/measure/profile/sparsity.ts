// How many of a model's parameters are zero. The one count that reads the weights.

import { type Elements, type ExternalData, elementsOf } from "../../onnx/index.ts";
import type { StoredTensor } from "./stored-tensors.ts";

export interface TensorSparsity {
  readonly name: string;
  readonly elements: number;
  readonly zeros: number;
}

export interface Sparsity {
  readonly elements: number;
  readonly zeros: number;
  readonly tensors: readonly TensorSparsity[];
}

/** Zeros of all stored tensors that are parameters, one tensor in memory at a time. */
export function sparsityOf(tensors: readonly StoredTensor[], external?: ExternalData): Sparsity {
  const counted = tensors.flatMap(({ name, tensor, role, elements }): readonly TensorSparsity[] =>
    tensor === null || role === "index" || elements === 0
      ? []
      : [{ name, elements, zeros: zerosIn(elementsOf(tensor, external)) }],
  );
  const total = (of: "elements" | "zeros"): number =>
    counted.reduce((sum, one) => sum + one[of], 0);
  return { elements: total("elements"), zeros: total("zeros"), tensors: counted };
}

function zerosIn(elements: Elements): number {
  let zeros = 0;
  for (let at = 0; at < elements.length; at++) {
    if (Number(elements[at]) === 0) zeros++;
  }
  return zeros;
}
