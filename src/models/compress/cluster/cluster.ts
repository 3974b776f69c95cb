// Weights that share few values: indices into a codebook (Han, Mao & Dally, "Deep compression", ICLR 2016).
// A format for disks and networks; method notes: docs/methods/clustering.md.

import { UserError } from "../../../core/index.ts";
import { attribute, elementsOf, type Node, type Tensor, tensorOf } from "../../../onnx/index.ts";
import type { Change, Pass, Refusal } from "../pass.ts";
import { withStoredWeights } from "../stored-weights.ts";
import { opsetOf, replaceable, type Stored, withStored } from "./decode.ts";
import { exactCentres, lloydCentres, nearestIndex, pointsOf } from "./k-means.ts";

export interface ClusterOptions {
  /** Values of one codebook, 2 to 256. Up to 16 take four bits a weight, more take eight. Default: 16. */
  readonly clusters?: number;
  /** Output channels (indices of axis 0) that share a codebook. Default: all of a tensor. */
  readonly channels?: number;
  /** How centres are found. Default: exact. */
  readonly by?: "exact" | "lloyd";
  /** Smaller tensors stay as they are. Default: 1,024 elements. */
  readonly least?: number;
}

const name = "cluster";
/** Four-bit integers came with opset 21. */
const FOUR_BIT_OPSET = 21;

/** Replaces float32 weights by codebooks and indices; zeros stay zero. */
export const cluster: Pass<ClusterOptions | undefined> = {
  name,
  fidelity: "approximate",
  async apply(given, context, options = {}) {
    const { signal, onProgress } = context;
    const { clusters = 16, least = 1024 } = options;
    if (!Number.isInteger(clusters) || clusters < 2 || clusters > 256) {
      throw new UserError("usage", `${clusters} clusters; a codebook has 2 to 256`, {
        hint: "Give a whole number in that range, such as 16.",
      });
    }
    const model = await withStoredWeights(given, context);
    const tensors = model.graph?.initializers ?? [];
    const fixed = replaceable(model);
    const changes: Change[] = [];
    const refused: Refusal[] = [];
    const stored = new Map<string, Stored>();
    const bits = clusters <= 16 && opsetOf(model) >= FOUR_BIT_OPSET ? 4 : 8;
    for (const [done, tensor] of tensors.entries()) {
      signal?.throwIfAborted();
      onProgress?.({ pass: name, step: tensor.name ?? "", done, total: tensors.length });
      const subject = tensor.name ?? "";
      const size = tensor.dims.reduce((product, dim) => product * Number(dim), 1);
      if (tensor.dataType !== "float32" || size < least || tensor.dims.length < 2) continue;
      const found = fixed.has(subject)
        ? "callers may replace it in a run"
        : clustered(tensor, { ...options, clusters, bits });
      if (typeof found === "string") refused.push({ pass: name, subject, reason: found });
      else {
        stored.set(subject, found.stored);
        changes.push({ pass: name, subject, what: found.what });
      }
    }
    return { model: stored.size === 0 ? given : withStored(model, stored), changes, refused };
  },
};

interface Layout extends ClusterOptions {
  readonly clusters: number;
  readonly bits: 4 | 8;
}

function clustered(
  tensor: Tensor,
  layout: Layout,
): { readonly stored: Stored; readonly what: string } | string {
  const { clusters, bits } = layout;
  const elements = elementsOf(tensor) as Float32Array;
  if (!elements.every(Number.isFinite)) return "it has elements that are not finite";
  const rows = Number(tensor.dims[0]);
  const each = Math.min(rows, layout.channels ?? rows);
  const groups = Math.ceil(rows / each);
  const length = elements.length / rows;
  const bytes =
    Math.ceil((elements.length * bits) / 8) + 4 * groups * clusters + (groups > 1 ? 4 * rows : 0);
  if (bytes >= 4 * elements.length) return `codebooks and indices would take ${bytes} bytes`;
  const codebook = new Float32Array(groups * clusters);
  const indices = new Uint8Array(elements.length);
  let error = 0;
  for (let group = 0; group < groups; group++) {
    const [from, to] = [group * each * length, Math.min(rows, (group + 1) * each) * length];
    const part = elements.subarray(from, to);
    const centres = centresOf(part, layout);
    codebook.set(centres, group * clusters);
    for (const [at, value] of part.entries()) {
      const index = nearestIndex(centres, value);
      indices[from + at] = index;
      error += (value - Math.fround(centres[index] ?? 0)) ** 2;
    }
  }
  const energy = elements.reduce((sum, value) => sum + value ** 2, 0);
  const relative = Math.sqrt(error / Math.max(energy, Number.MIN_VALUE)).toPrecision(3);
  return {
    stored: decoder(tensor, { codebook, indices, each, groups, layout }),
    what: `${bytes} bytes in place of ${4 * elements.length}, relative error ${relative}; whole again when it is loaded`,
  };
}

/** Rising centres; where there are zeros one of them is zero, so that pruned weights stay pruned. */
function centresOf(part: Float32Array, { clusters, by = "exact" }: Layout): Float64Array {
  const find = by === "exact" ? exactCentres : lloydCentres;
  if (!part.includes(0)) return find(pointsOf(part), clusters);
  const rest = part.filter((value) => value !== 0);
  if (rest.length === 0) return Float64Array.of(0);
  return Float64Array.of(...find(pointsOf(rest), clusters - 1), 0).sort();
}

/** indices -> Cast -> (Add of each channel's codebook offset) -> Gather. */
function decoder(
  { name: subject = "", dims }: Tensor,
  of: {
    readonly codebook: Float32Array;
    readonly indices: Uint8Array;
    readonly each: number;
    readonly groups: number;
    readonly layout: Layout;
  },
): Stored {
  const { codebook, indices, each, groups, layout } = of;
  const part = (suffix: string): string => `${subject}/${suffix}`;
  const initializers = [
    tensorOf("float32", { name: part("codebook"), dims: [codebook.length], values: codebook }),
    tensorOf(layout.bits === 4 ? "uint4" : "uint8", {
      name: part("indices"),
      dims,
      values: indices,
    }),
  ];
  const nodes = [node("Cast", [part("indices")], part("wide"), 6)];
  let places = part("wide");
  if (groups > 1) {
    const rows = Number(dims[0]);
    const values = Int32Array.from(
      { length: rows },
      (_, row) => Math.floor(row / each) * layout.clusters,
    );
    const shape = [rows, ...dims.slice(1).map(() => 1)];
    initializers.push(tensorOf("int32", { name: part("offsets"), dims: shape, values }));
    places = part("places");
    nodes.push(node("Add", [part("wide"), part("offsets")], places));
  }
  nodes.push(node("Gather", [part("codebook"), places], subject));
  return { initializers, nodes };
}

function node(opType: string, inputs: readonly string[], output: string, to?: number): Node {
  return {
    opType,
    name: `${output}/decode`,
    inputs,
    outputs: [output],
    attributes: to === undefined ? [] : [attribute.int("to", to)],
    metadata: [],
  };
}
