// Convolutions of few channels that end in a pool, as one matrix product over columns.
//
// ONNX Runtime computes a convolution sample by sample: with few channels its products are thin, each
// gradient lays the columns out again, and the pool and its gradient are passes over the largest arrays of
// the network. Here the batch is the last axis. A column is what one window of the pool reads, gathered in
// runs of a whole batch; one product serves all samples, and the gradients read the same columns. The
// members of a window are rows of the weights, each with the kernel in another place, and the pool is the
// maximum of those rows. Bias and Relu change places with the maximum, behind which there is less of
// everything.

import {
  extendModel,
  type GraphIndex,
  indexGraph,
  inferShapes,
  intsOf,
  type Model,
  type Node,
  type OperatorTable,
  sortGraph,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { groupsOf, tiles, windowsOf } from "./vjp/window.ts";
import { range, sizeOf, type Value, Writer } from "./vjp/writer.ts";

/** A convolution, the pool behind it, and the Relu between the two where there is one. */
interface Pooled {
  readonly conv: Node;
  readonly relu: Node | null;
  readonly pool: Node;
  /** [batch, channels, rows, columns] */
  readonly x: Value;
  /** [outputs, channels, rows, columns] */
  readonly w: Value;
  readonly bias: Value | null;
  /** Padding before the first row and column. */
  readonly begin: readonly number[];
  /** Rows and columns of a window of the pool. */
  readonly tile: readonly number[];
  /** Rows and columns of the pool's result. */
  readonly out: readonly number[];
}

export interface PooledColumnsOptions {
  readonly operators: OperatorTable;
  /** What is trained. Kernels that never change are laid out by ONNX Runtime, which is faster. */
  readonly parameters: ReadonlySet<string>;
}

/**
 * The model with such convolutions as products over columns, wherever that is likely faster on a CPU. Results
 * differ by the order of sums alone. Sizes must be fixed, the batch included.
 */
export function withPooledColumns(model: Model, options: PooledColumnsOptions): Model {
  const { operators, parameters } = options;
  const graph = graphOf(model);
  const index = indexGraph(graph);
  const typed = valuesOf(model);
  const found = graph.nodes
    .map((node) => pooledAt(node, index, typed))
    .filter((of) => of !== null)
    .filter(({ w }) => parameters.has(w.name) || index.constant(w.name) === null)
    .filter(pays);
  if (found.length === 0) return model;
  const builder = extendModel(model, { operators });
  const write = new Writer(builder.scope("columns"));
  const results = new Map(
    found.map((of) => {
      const [result = ""] = of.pool.outputs;
      return [written(write.within(result), of).name, result] as const;
    }),
  );
  const replaced = new Set(found.flatMap(({ conv, relu, pool }) => [conv, relu, pool]));
  const extended = builder.finish();
  const nodes = graphOf(extended)
    .nodes.filter((node) => !replaced.has(node))
    .map((node) => ({
      ...node,
      outputs: node.outputs.map((output) => results.get(output) ?? output),
    }));
  return { ...extended, graph: sortGraph({ ...graphOf(extended), nodes }) };
}

/**
 * With more channels ONNX Runtime's own products are wide enough, and the zeros beside the kernels cost more
 * than the copies save; runs of few samples are short. docs/methods/gradients.md has the timings.
 */
const pays = ({ x, tile }: Pooled): boolean =>
  (x.dims[0] ?? 0) >= 16 && (x.dims[1] ?? 0) <= 16 && sizeOf(tile) <= 4;

/** Finds values of fixed sizes by name; null for others. */
function valuesOf(model: Model): (name: string) => Value | null {
  const { values } = inferShapes(model).graph;
  return (name) => {
    const type = values.get(name);
    if (type?.kind !== "tensor" || type.elementType === null) return null;
    const dims = type.shape?.filter((size) => typeof size === "number") ?? [];
    return dims.length === type.shape?.length ? { name, dataType: type.elementType, dims } : null;
  };
}

/** What ends at a pool that cuts up the result of a plain convolution; null for every other node. */
function pooledAt(
  pool: Node,
  index: GraphIndex,
  typed: (name: string) => Value | null,
): Pooled | null {
  if (!isOperator(pool, "MaxPool") || pool.outputs.length > 1) return null;
  const only = (value = ""): Node | null =>
    index.uses(value).length === 1 && !index.isOutput(value) ? index.producer(value) : null;
  const before = only(pool.inputs[0]);
  const relu = before !== null && isOperator(before, "Relu") ? before : null;
  const conv = relu === null ? before : only(relu.inputs[0]);
  if (conv === null || !isOperator(conv, "Conv") || groupsOf(conv) !== 1) return null;
  const [input = "", weights = "", bias = ""] = conv.inputs;
  const [x, w] = [typed(input), typed(weights)];
  const [y, result] = [conv, pool].map(({ outputs }) => typed(outputs[0] ?? ""));
  if (!x || !w || !y || !result || x.dataType !== "float32" || x.dims.length !== 4) return null;
  const [from, middle, out] = [x.dims.slice(2), y.dims.slice(2), result.dims.slice(2)];
  const windows = windowsOf(conv, { input: from, output: middle, kernel: w.dims.slice(2) });
  if ([...windows.strides, ...windows.dilations].some((step) => step !== 1)) return null;
  const tile = intsOf(pool, "kernel_shape", [1, 1]);
  const mosaic = windowsOf(pool, { input: middle, output: out, kernel: tile });
  if (!tiles(mosaic) || mosaic.end.some((pad) => pad !== 0)) return null;
  return { conv, relu, pool, x, w, bias: typed(bias), begin: windows.begin, tile, out };
}

const isOperator = ({ opType, domain }: Node, type: string): boolean =>
  opType === type && (domain ?? "") === "";

/** Rows and columns of what one window of the pool reads. */
const patchOf = ({ w, tile }: Pooled): readonly number[] =>
  tile.map((size, axis) => size + (w.dims[axis + 2] ?? 1) - 1);

function written(write: Writer, of: Pooled): Value {
  const { x, w, bias, tile, out } = of;
  const [batch = 1, channels = 1] = x.dims;
  const [outputs = 1] = w.dims;
  const [members, patch, places] = [tile, patchOf(of), out].map(sizeOf) as [number, number, number];
  const columns = gathered(write, of);
  const kernels = write.reshape(placed(write, of), [outputs * members, channels * patch]);
  const y = write.gemm(kernels, columns, {});
  const byMember = write.reshape(y, [outputs, members, places * batch]);
  const most = write.reduce("ReduceMax", byMember, [1], false);
  const moved = bias === null ? most : write.add(most, write.reshape(bias, [outputs, 1]));
  const result = of.relu === null ? moved : write.unary("Relu", moved);
  const rows = write.transpose(write.reshape(result, [outputs * places, batch]), [1, 0]);
  return write.reshape(rows, [batch, outputs, ...out]);
}

/** [channels patch, places batch]: what each window of the pool reads, behind the edge zeros. */
function gathered(write: Writer, of: Pooled): Value {
  const { x, begin, tile, out } = of;
  const [batch = 1, channels = 1, height = 1, width = 1] = x.dims;
  const pixels = channels * height * width;
  const rows = write.transpose(write.reshape(x, [batch, pixels]), [1, 0]);
  const [offsets, places] = [gridOf(patchOf(of)), gridOf(out)];
  const sources = range(0, channels).flatMap((channel) =>
    offsets.flatMap(([down, right]) =>
      places.map(([row, column]) => {
        const at = row * (tile[0] ?? 1) + down - (begin[0] ?? 0);
        const side = column * (tile[1] ?? 1) + right - (begin[1] ?? 0);
        const inside = at >= 0 && at < height && side >= 0 && side < width;
        return inside ? (channel * height + at) * width + side : pixels;
      }),
    ),
  );
  const dims = [channels * offsets.length, places.length];
  const edged = sources.includes(pixels) ? write.pad(rows, [0, 0, 1, 0]) : rows;
  const columns = write.op("Gather", [edged, write.constant("int64", dims, sources)], {
    dims: [...dims, batch],
  });
  return write.reshape(columns, [dims[0] ?? 1, places.length * batch]);
}

/** [outputs, members, channels, patch]: the kernel where each member of a window has it. */
function placed(write: Writer, of: Pooled): Value {
  const { w, tile } = of;
  const [outputs = 1, channels = 1, ...kernel] = w.dims;
  const [members, cells] = [gridOf(tile), gridOf(kernel)];
  const [, width = 1] = patchOf(of);
  const patch = sizeOf(patchOf(of));
  const ones = new Float32Array(cells.length * members.length * patch);
  cells.forEach(([row, column], cell) => {
    members.forEach(([down, right], member) => {
      const place = (row + down) * width + column + right;
      ones[(cell * members.length + member) * patch + place] = 1;
    });
  });
  const spread = write.constant("float32", [cells.length, members.length * patch], ones);
  const flat = write.reshape(w, [outputs * channels, cells.length]);
  const wide = write.reshape(write.matmul(flat, spread), [
    outputs,
    channels,
    members.length,
    patch,
  ]);
  return channels === 1
    ? write.reshape(wide, [outputs, members.length, channels, patch])
    : write.transpose(wide, [0, 2, 1, 3]);
}

/** All places of a grid, row by row. */
const gridOf = ([height = 1, width = 1]: readonly number[]): readonly (readonly [
  number,
  number,
])[] => range(0, height).flatMap((row) => range(0, width).map((column) => [row, column] as const));
