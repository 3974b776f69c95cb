// Tensors that a model keeps: stored, or of one number everywhere (ConstantOfShape).

import {
  attributeOf,
  type Elements,
  elementsOf,
  type Graph,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";

export type Source =
  | { readonly kind: "stored"; readonly tensor: Tensor; readonly dims: readonly number[] }
  | { readonly kind: "filled"; readonly number: number; readonly dims: readonly number[] };

/** Sources by the name of their value. `integers` gives the elements of constant shapes. */
export function sourcesOf(
  graph: Graph,
  integers: (value: string) => readonly number[] | null,
): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>();
  for (const tensor of graph.initializers) {
    sources.set(tensor.name ?? "", { kind: "stored", tensor, dims: tensor.dims.map(Number) });
  }
  for (const node of graph.nodes) {
    if (node.opType !== "ConstantOfShape" || (node.domain ?? "") !== "") continue;
    const dims = integers(node.inputs[0] ?? "");
    const value = attributeOf(node, "value");
    const number = value?.kind === "tensor" ? Number(elementsOf(value.value)[0] ?? 0) : 0;
    if (dims !== null) sources.set(node.outputs[0] ?? "", { kind: "filled", number, dims });
  }
  return sources;
}

/** For each index of an axis, the sum of `of` over the elements that have it. */
export function sumAlong(
  source: Source,
  axis: number,
  of: (value: number, position: number) => number,
): Float64Array {
  const { dims } = source;
  const size = dims[axis] ?? 1;
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const total = dims.reduce((product, dim) => product * dim, 1);
  if (source.kind === "filled") {
    return new Float64Array(size).fill((of(source.number, 0) * total) / size);
  }
  const sums = new Float64Array(size);
  const elements = elementsOf(source.tensor);
  for (let position = 0; position < total; position++) {
    const at = Math.floor(position / inner) % size;
    sums[at] = (sums[at] ?? 0) + of(Number(elements[position]), position);
  }
  return sums;
}

/** The tensor with these indices of some axes, in their order. */
export function sliced(tensor: Tensor, kept: readonly (readonly number[] | null)[]): Tensor {
  let elements: Elements = elementsOf(tensor);
  const dims = tensor.dims.map(Number);
  for (const [axis, indices] of kept.entries()) {
    if (indices === null) continue;
    const size = dims[axis] ?? 1;
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    const outer = elements.length / (size * inner);
    const Type = elements.constructor as new (length: number) => Elements;
    const next = new Type(outer * indices.length * inner);
    let to = 0;
    for (let o = 0; o < outer; o++) {
      for (const index of indices) {
        const from = (o * size + index) * inner;
        next.set(elements.subarray(from, from + inner) as never, to);
        to += inner;
      }
    }
    elements = next;
    dims[axis] = indices.length;
  }
  const { name = "", dataType } = tensor;
  const made = tensorOf(dataType ?? "float32", { name, dims, values: elements });
  return { ...tensor, dims: made.dims, data: made.data };
}
