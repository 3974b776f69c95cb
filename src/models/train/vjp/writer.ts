// Writes nodes whose results are known with their sizes. Gradients are built with it: a rule says what
// it computes, the sizes follow.

import {
  type AttributeValues,
  DATA_TYPES,
  type DataType,
  type GraphBuilder,
  type NodeKind,
  type TensorValues,
} from "../../../onnx/index.ts";

/** A tensor of the graph: its name, element type and sizes, all of which are known. */
export interface Value {
  readonly name: string;
  readonly dataType: DataType;
  readonly dims: readonly number[];
}

/** What is said of the result of an operator; its element type is that of the first input unless given. */
export interface Result {
  readonly dims: readonly number[];
  readonly dataType?: DataType;
  readonly attributes?: AttributeValues;
}

/** What is cut out along one axis; `end` is exclusive. */
export interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
}

export const sizeOf = (dims: readonly number[]): number =>
  dims.reduce((product, dim) => product * dim, 1);

const sameDims = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);

/** Numbers from `start` up to but not including `end`. */
export const range = (start: number, end: number): readonly number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);

/** The axis counted from the front. */
export const axisFrom = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Sizes of an element-wise result of two operands (ONNX, "Broadcasting"). */
function broadcastDims(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return range(0, rank).map((axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    return left === 1 ? right : left;
  });
}

/** Writes nodes into a scope of a graph. Steps that change nothing write none. */
export class Writer {
  readonly #graph: GraphBuilder;
  readonly #constants: Constants;

  constructor(graph: GraphBuilder, constants: Constants = new Constants(graph)) {
    this.#graph = graph;
    this.#constants = constants;
  }

  /** The same writer, with names under `name/`. */
  within(name: string): Writer {
    return new Writer(this.#graph.scope(name), this.#constants);
  }

  op(kind: NodeKind, inputs: readonly (Value | null)[], result: Result): Value {
    const names = inputs.map((input) => input?.name ?? "");
    const name = this.#graph.op(kind, names, result.attributes);
    return { name, dims: result.dims, dataType: result.dataType ?? typeOf(inputs) };
  }

  /** An operator with several outputs. */
  ops(kind: NodeKind, inputs: readonly (Value | null)[], results: readonly Result[]): Value[] {
    const names = this.#graph.ops(
      kind,
      inputs.map((input) => input?.name ?? ""),
      { outputs: results.length, attributes: results[0]?.attributes ?? {} },
    );
    return results.map(({ dims, dataType }, index) => ({
      name: names[index] ?? "",
      dims,
      dataType: dataType ?? typeOf(inputs),
    }));
  }

  constant(dataType: DataType, dims: readonly number[], values: TensorValues): Value {
    return this.#constants.of(dataType, dims, values);
  }

  scalar(value: number, dataType: DataType): Value {
    return this.constant(dataType, [], [value]);
  }

  ints(values: readonly number[]): Value {
    return this.constant("int64", [values.length], values);
  }

  unary(type: string, x: Value, attributes: AttributeValues = {}): Value {
    return this.op(type, [x], { dims: x.dims, attributes });
  }

  binary(type: string, a: Value, b: Value): Value {
    return this.op(type, [a, b], { dims: broadcastDims(a.dims, b.dims) });
  }

  add(a: Value, b: Value): Value {
    return this.binary("Add", a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.binary("Sub", a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.binary("Mul", a, b);
  }

  div(a: Value, b: Value): Value {
    return this.binary("Div", a, b);
  }

  scale(x: Value, factor: number): Value {
    return factor === 1 ? x : this.mul(x, this.scalar(factor, x.dataType));
  }

  /** 1 where the comparison holds, 0 elsewhere, in the type of `a`. */
  indicator(type: string, a: Value, b: Value): Value {
    return this.cast(this.compare(type, a, b), a.dataType);
  }

  compare(type: string, a: Value, b: Value): Value {
    return this.op(type, [a, b], { dims: broadcastDims(a.dims, b.dims), dataType: "bool" });
  }

  where(condition: Value, a: Value, b: Value): Value {
    const dims = broadcastDims(condition.dims, broadcastDims(a.dims, b.dims));
    return this.op("Where", [condition, a, b], { dims, dataType: a.dataType });
  }

  cast(x: Value, dataType: DataType): Value {
    if (x.dataType === dataType) return x;
    return this.op("Cast", [x], {
      dims: x.dims,
      dataType,
      attributes: { to: DATA_TYPES[dataType] },
    });
  }

  reshape(x: Value, dims: readonly number[]): Value {
    if (sameDims(x.dims, dims)) return x;
    const attributes = { allowzero: dims.includes(0) ? 1 : undefined };
    return this.op("Reshape", [x, this.ints(dims)], { dims, attributes });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((from, axis) => from === axis)) return x;
    const dims = perm.map((axis) => x.dims[axis] ?? 1);
    return this.op("Transpose", [x], { dims, attributes: { perm } });
  }

  expand(x: Value, dims: readonly number[]): Value {
    if (sameDims(x.dims, dims)) return x;
    return this.op("Expand", [x, this.ints(dims)], { dims });
  }

  reduce(type: string, x: Value, axes: readonly number[], keepdims = true): Value {
    if (axes.length === 0) return x;
    const dims = x.dims.flatMap((dim, axis) => {
      if (!axes.includes(axis)) return [dim];
      return keepdims ? [1] : [];
    });
    const attributes = { keepdims: keepdims ? 1 : 0 };
    return this.op(type, [x, this.ints(axes)], { dims, attributes });
  }

  sum(x: Value, axes: readonly number[], keepdims = true): Value {
    return this.reduce("ReduceSum", x, axes, keepdims);
  }

  /** The sum over whatever was broadcast from `dims`: the gradient of a broadcast. */
  sumTo(x: Value, dims: readonly number[]): Value {
    const added = x.dims.length - dims.length;
    const axes = range(0, x.dims.length).filter(
      (axis) => axis < added || (dims[axis - added] === 1 && x.dims[axis] !== 1),
    );
    return this.reshape(this.sum(x, axes, false), dims);
  }

  matmul(a: Value, b: Value): Value {
    const batch = broadcastDims(a.dims.slice(0, -2), b.dims.slice(0, -2));
    const dims = [...batch, a.dims.at(-2) ?? 1, b.dims.at(-1) ?? 1];
    return this.op("MatMul", [a, b], { dims });
  }

  /** A product of two matrices, with either transposed first. */
  gemm(a: Value, b: Value, transposed: { readonly a?: boolean; readonly b?: boolean }): Value {
    const rows = a.dims[transposed.a ? 1 : 0] ?? 1;
    const columns = b.dims[transposed.b ? 0 : 1] ?? 1;
    const attributes = {
      transA: transposed.a ? 1 : undefined,
      transB: transposed.b ? 1 : undefined,
    };
    return this.op("Gemm", [a, b], { dims: [rows, columns], attributes });
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (first === undefined) throw new TypeError("nothing to concatenate");
    if (values.length === 1) return first;
    const length = values.reduce((sum, { dims }) => sum + (dims[axis] ?? 0), 0);
    const dims = first.dims.map((dim, at) => (at === axis ? length : dim));
    return this.op("Concat", values, { dims, attributes: { axis } });
  }

  /** Equal parts along an axis. */
  split(x: Value, axis: number, parts: number): readonly Value[] {
    if (parts === 1) return [x];
    const dims = x.dims.map((dim, at) => (at === axis ? dim / parts : dim));
    const attributes = { axis, num_outputs: parts };
    return this.ops(
      "Split",
      [x],
      range(0, parts).map(() => ({ dims, attributes })),
    );
  }

  /** The axis backwards. */
  reversed(x: Value, axis: number): Value {
    const size = x.dims[axis] ?? 0;
    if (size < 2) return x;
    // One before the first element, which counted from the end lies beyond the length.
    const bounds = [this.ints([-1]), this.ints([-size - 1]), this.ints([axis]), this.ints([-1])];
    return this.op("Slice", [x, ...bounds], { dims: x.dims });
  }

  slice(x: Value, cuts: readonly Cut[]): Value {
    const real = cuts.filter(
      ({ axis, start, end, step = 1 }) => start !== 0 || end !== x.dims[axis] || step !== 1,
    );
    if (real.length === 0) return x;
    const dims = [...x.dims];
    for (const { axis, start, end, step = 1 } of real) dims[axis] = Math.ceil((end - start) / step);
    const inputs = [
      x,
      this.ints(real.map(({ start }) => start)),
      this.ints(real.map(({ end }) => end)),
      this.ints(real.map(({ axis }) => axis)),
      this.ints(real.map(({ step = 1 }) => step)),
    ];
    return this.op("Slice", inputs, { dims });
  }

  /** Zeros around a tensor; negative numbers cut off. Beginnings of all axes, then ends. */
  pad(x: Value, pads: readonly number[]): Value {
    if (pads.every((pad) => pad === 0)) return x;
    const rank = x.dims.length;
    const dims = x.dims.map((dim, axis) => dim + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0));
    return this.op("Pad", [x, this.ints(pads)], { dims });
  }

  /** `value` everywhere. */
  full(dims: readonly number[], value: number, dataType: DataType): Value {
    return this.expand(this.scalar(value, dataType), dims);
  }
}

/** Constants that were written before are written once. */
class Constants {
  readonly #graph: GraphBuilder;
  readonly #known = new Map<string, Value>();

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  of(dataType: DataType, dims: readonly number[], values: TensorValues): Value {
    const key = `${dataType} ${dims} ${Array.prototype.join.call(values)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const exact = dataType === "int64" ? Array.from(values as ArrayLike<number>, BigInt) : values;
    const name = this.#graph.constant(dataType, { dims, values: exact });
    const made = { name, dataType, dims };
    this.#known.set(key, made);
    return made;
  }
}

function typeOf(inputs: readonly (Value | null)[]): DataType {
  const dataType = inputs[0]?.dataType;
  if (dataType === undefined) throw new TypeError("a node needs an input or a stated type");
  return dataType;
}
