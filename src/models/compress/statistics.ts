// Second moments of what goes into layers: X^T X, the column sums and the number of rows, over all rows
// that a layer ever multiplies. All that least squares, whitening and pruning need to know of the data.
//
// Added to the graph, in double precision, so that activations never leave the engine and nothing is
// kept of them (compress.md 2.4, 2.11). A convolution's rows are its patches, cut out by a depthwise
// convolution with one-hot kernels; columns run over (channel, kernel position) as its weights do.

import { UserError } from "../../core/index.ts";
import { createSession, type Matrix, matrix } from "../../engine/index.ts";
import {
  extendModel,
  type GraphBuilder,
  inferShapes,
  intOf,
  type Model,
  type Node,
  textOf,
  typeOfValue,
} from "../../onnx/index.ts";
import type { Layer } from "./layer.ts";
import type { PassContext } from "./pass.ts";

/** Moments of the rows that went into a layer. */
export interface Moments {
  /** Sum of x x^T, columns x columns. */
  readonly gram: Matrix;
  /** Sum of x. */
  readonly sum: Float64Array;
  /** Number of rows. */
  readonly count: number;
}

/** A layer to watch: rows along a value's last axis or its axis 1 (`channels`), or a convolution's patches. */
export type Watched =
  | { readonly name: string; readonly value: string; readonly rows: "last" | "channels" }
  | {
      readonly name: string;
      readonly node: Node;
      /** Sizes of the kernel's window. */
      readonly window: readonly number[];
      readonly rows: "patches";
    };

/** How a layer's inputs are watched. */
export function watchedLayer({ name, kind, node, window }: Layer): Watched {
  return kind === "convolution"
    ? { name, node, window, rows: "patches" }
    : { name, value: node.inputs[0] ?? "", rows: "last" };
}

/** A pass needs inputs to learn from, and was given none. */
export const noCalibration = (): UserError =>
  new UserError("usage", "there are no calibration inputs", {
    hint: "Give samples, or choose a method that needs none.",
  });

/** Statistics that are no numbers any more. */
export const notFinite = (): UserError =>
  new UserError("invalid-input", "the calibration inputs lead to values that are not finite", {
    hint: "Look for NaN and infinity in the samples and in the model's weights.",
  });

/** Gram matrices of more columns take gigabytes and minutes. */
const MOST_COLUMNS = 4608;

/** Layers whose moments are taken in one session: bounds what lives at once. */
const LAYERS_AT_ONCE = 8;

/**
 * Moments by the layers' names, over all calibration inputs. Layers whose rows have no fixed length, or
 * more than `MOST_COLUMNS` columns, are left out. Throws UserError without calibration inputs.
 */
export async function collectMoments(
  model: Model,
  layers: readonly Watched[],
  context: PassContext,
): Promise<ReadonlyMap<string, Moments>> {
  const moments = new Map<string, Moments>();
  for (let from = 0; from < layers.length; from += LAYERS_AT_ONCE) {
    const chunk = layers.slice(from, from + LAYERS_AT_ONCE);
    context.onProgress?.({
      pass: "statistics",
      step: "second moments of layer inputs",
      done: from,
      total: layers.length,
    });
    for (const [name, found] of await momentsOf(model, chunk, context)) moments.set(name, found);
  }
  return moments;
}

async function momentsOf(
  model: Model,
  layers: readonly Watched[],
  context: PassContext,
): Promise<ReadonlyMap<string, Moments>> {
  const { calibration, operators, runtime, signal } = context;
  if (calibration === undefined) throw noCalibration();
  const builder = extendModel(withoutOutputs(model), { operators });
  const shapes = inferShapes(model).graph;
  const probes = layers.flatMap((layer) => {
    const value = layer.rows === "patches" ? (layer.node.inputs[0] ?? "") : layer.value;
    const type = typeOfValue(shapes, value);
    const shape = type?.kind === "tensor" ? type.shape : null;
    const probe = shape === null ? null : addProbe(builder, layer, { value, shape });
    return probe === null ? [] : [{ ...probe, name: layer.name }];
  });
  if (probes.length === 0) return new Map();
  const session = await createSession(builder.finish(), { runtime });
  const totals = new Map(probes.map((probe) => [probe.name, emptyMoments(probe.columns)]));
  try {
    for await (const feeds of calibration()) {
      signal?.throwIfAborted();
      const outputs = await session.run(feeds);
      for (const { name, gram, sum, count } of probes) {
        const total = totals.get(name);
        if (total === undefined) continue;
        addTo(total.gram.data, outputs[gram]?.data);
        addTo(total.sum, outputs[sum]?.data);
        total.count += Number(outputs[count]?.data[0] ?? 0);
      }
    }
  } finally {
    await session.close();
  }
  return totals;
}

interface Growing extends Moments {
  count: number;
}

const emptyMoments = (columns: number): Growing => ({
  gram: matrix(columns, columns, new Float64Array(columns * columns)),
  sum: new Float64Array(columns),
  count: 0,
});

function addTo(total: Float64Array, part: unknown): void {
  if (!(part instanceof Float64Array)) throw new TypeError("moments without elements");
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (part[i] ?? 0);
}

/** Outputs of the model itself are not computed where only moments are wanted. */
const withoutOutputs = (model: Model): Model =>
  model.graph === undefined ? model : { ...model, graph: { ...model.graph, outputs: [] } };

interface Probe {
  readonly gram: string;
  readonly sum: string;
  readonly count: string;
  readonly columns: number;
}

/** The value's rows as a matrix [rows, columns] of doubles, and their moments as outputs. */
function addProbe(
  builder: GraphBuilder,
  layer: Watched,
  { value, shape }: { readonly value: string; readonly shape: readonly unknown[] },
): Probe | null {
  const graph = builder.scope("moments");
  const rows = rowsOfLayer(graph, layer, { value, shape });
  if (rows === null || rows.columns > MOST_COLUMNS) return null;
  // Operators that have not changed since the first opsets, since models of all ages come here.
  const wide = graph.op("Cast", [rows.value], { to: 11 });
  const turned = graph.op("Transpose", [wide], { perm: [1, 0] });
  const gram = graph.op("MatMul", [turned, wide]);
  const zeros = { dims: [rows.columns, 1], values: new Float64Array(rows.columns) };
  const zero = graph.op("MatMul", [wide, graph.constant("float64", zeros)]);
  const one = graph.constant("float64", { dims: [1], values: [1] });
  const sum = graph.op("MatMul", [turned, graph.op("Add", [zero, one])]);
  const count = graph.op("Shape", [wide]);
  for (const output of [gram, sum, count]) builder.output(output);
  return { gram, sum, count, columns: rows.columns };
}

function rowsOfLayer(
  graph: GraphBuilder,
  layer: Watched,
  { value, shape }: { readonly value: string; readonly shape: readonly unknown[] },
): { readonly value: string; readonly columns: number } | null {
  const at = layer.rows === "last" ? shape.length - 1 : 1;
  const columns = shape[at];
  if (typeof columns !== "number") return null;
  if (layer.rows === "patches") return patches(graph, layer, columns);
  if (layer.rows === "last") return { value: flat(graph, value, columns), columns };
  const axes = shape.map((_, axis) => axis).filter((axis) => axis !== at);
  const turned = graph.op("Transpose", [value], { perm: [...axes, at] });
  return { value: flat(graph, turned, columns), columns };
}

const flat = (graph: GraphBuilder, value: string, columns: number): string =>
  graph.op("Reshape", [
    value,
    graph.constant("int64", { dims: [2], values: [-1n, BigInt(columns)] }),
  ]);

/** Patches of a convolution of one group, [rows, channels x kernel positions]. */
function patches(
  graph: GraphBuilder,
  { node, window }: Extract<Watched, { rows: "patches" }>,
  channels: number,
): { readonly value: string; readonly columns: number } | null {
  if (intOf(node, "group", 1) !== 1) return null;
  const positions = window.reduce((product, size) => product * size, 1);
  const columns = channels * positions;
  if (columns > MOST_COLUMNS) return null;
  const values = new Float32Array(columns * positions);
  for (let row = 0; row < columns; row++) values[row * positions + (row % positions)] = 1;
  const oneHot = graph.constant("float32", { dims: [columns, 1, ...window], values });
  const kept = Object.fromEntries(
    node.attributes.flatMap((attribute) =>
      attribute.kind === "ints" ? [[attribute.name, attribute.value] as const] : [],
    ),
  );
  const padding = textOf(node, "auto_pad", null);
  const cut = graph.op("Conv", [node.inputs[0] ?? "", oneHot], {
    ...kept,
    group: channels,
    ...(padding === null ? {} : { auto_pad: padding }),
  });
  const rank = window.length + 2;
  const perm = [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
  return { value: flat(graph, graph.op("Transpose", [cut], { perm }), columns), columns };
}
