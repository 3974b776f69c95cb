// Tensors of few non-zero elements stored as such: values and their places (SparseTensorProto). ONNX
// Runtime makes them dense again when it loads the model, so this is a format for disks and networks.

import { elementsOf, type SparseTensor, type Tensor, tensorOf } from "../../../onnx/index.ts";
import type { Change, Pass, Refusal } from "../pass.ts";
import { withStoredWeights } from "../stored-weights.ts";

const name = "store-sparse";

/** A value of four bytes with its place of eight takes three times what it takes in a dense tensor. */
const MOST_DENSITY = 1 / 3;
/** Smaller tensors are not worth a second one beside them. */
const LEAST_ELEMENTS = 256;

/** Stores float32 tensors sparsely where that takes fewer bytes. Bit for bit the same model. */
export const storeSparse: Pass = {
  name,
  fidelity: "exact",
  async apply(given, context) {
    const model = await withStoredWeights(given, context);
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const inputs = new Set(graph.inputs.map((input) => input.name));
    const changes: Change[] = [];
    const refused: Refusal[] = [];
    const sparse: SparseTensor[] = [];
    const dense = graph.initializers.filter((tensor) => {
      const subject = tensor.name ?? "";
      const found = sparsely(tensor, inputs);
      if (typeof found === "string") {
        if (found !== "") refused.push({ pass: name, subject, reason: found });
        return true;
      }
      sparse.push(found.tensor);
      changes.push({ pass: name, subject, what: found.what });
      return false;
    });
    if (sparse.length === 0) return { model: given, changes, refused };
    const sparseInitializers = [...graph.sparseInitializers, ...sparse];
    return {
      model: { ...model, graph: { ...graph, initializers: dense, sparseInitializers } },
      changes,
      refused,
    };
  },
};

/** The sparse tensor, or why it stays dense; an empty text where nobody would have expected otherwise. */
function sparsely(
  tensor: Tensor,
  inputs: ReadonlySet<string>,
): { readonly tensor: SparseTensor; readonly what: string } | string {
  const { name: subject = "", dims } = tensor;
  if (tensor.dataType !== "float32") return "";
  const elements = elementsOf(tensor) as Float32Array;
  if (elements.length < LEAST_ELEMENTS) return "";
  const places: number[] = [];
  for (const [at, value] of elements.entries()) {
    // A negative zero is not the zero that is left out.
    if (value !== 0 || Object.is(value, -0)) places.push(at);
  }
  const density = places.length / elements.length;
  if (density >= MOST_DENSITY) {
    return density > 0.9
      ? ""
      : `${Math.round(100 * density)} % of it is not zero; sparse pays below a third`;
  }
  if (inputs.has(subject)) return "it is also an input";
  const values = Float32Array.from(places, (at) => elements[at] ?? 0);
  return {
    tensor: {
      values: tensorOf("float32", { name: subject, dims: [values.length], values }),
      indices: tensorOf("int64", { dims: [places.length], values: places.map(BigInt) }),
      dims,
    },
    what: `${12 * places.length} bytes in place of ${4 * elements.length}; dense again when it is loaded`,
  };
}
