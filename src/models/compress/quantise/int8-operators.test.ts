// The table of operators that ONNX Runtime computes in 8 bits, read again from the graphs that it runs.
// It fails when another version of ONNX Runtime does something else, and then placement.ts must change.

import { expect, test } from "vitest";
import { operators } from "../../../../test/operators.ts";
import { profileModel } from "../../../engine/index.ts";
import {
  type AttributeValues,
  type Model,
  type ModelBuilder,
  modelBuilder,
} from "../../../onnx/index.ts";

interface Case {
  readonly op: string;
  /** Weights or integers beside the activation. */
  readonly others?: (of: ModelBuilder) => readonly string[];
  readonly attributes?: AttributeValues;
  /** Whether a second activation is read. */
  readonly two?: boolean;
  readonly shape?: readonly number[];
  /** What ONNX Runtime 1.30 runs in the place of the node. */
  readonly runs: string;
}

const levels = (of: ModelBuilder, dims: readonly number[]): string => {
  const count = dims.reduce((product, size) => product * size, 1);
  const stored = of.constant("int8", {
    dims,
    values: Int8Array.from({ length: count }, (_, at) => (at % 17) - 8),
  });
  const scale = of.constant("float32", { dims: [], values: [0.01] });
  // Without its zero point, though that is 0, a Gemm stays in floats.
  const zero = of.constant("int8", { dims: [], values: [0] });
  return of.op("DequantizeLinear", [stored, scale, zero]);
};
const ints = (of: ModelBuilder, values: readonly number[]): string =>
  of.constant("int64", { dims: [values.length], values });

const cases: readonly Case[] = [
  { op: "Conv", others: (of) => [levels(of, [8, 8, 3, 3])], runs: "QLinearConv" },
  { op: "MatMul", shape: [4, 8], others: (of) => [levels(of, [8, 8])], runs: "QLinearMatMul" },
  { op: "Gemm", shape: [4, 8], others: (of) => [levels(of, [8, 8])], runs: "QGemm" },
  { op: "Add", two: true, runs: "QLinearAdd" },
  { op: "Mul", two: true, runs: "QLinearMul" },
  { op: "Concat", two: true, attributes: { axis: 1 }, runs: "QLinearConcat" },
  { op: "LeakyRelu", runs: "QLinearLeakyRelu" },
  { op: "Sigmoid", runs: "QLinearSigmoid" },
  { op: "AveragePool", attributes: { kernel_shape: [2, 2] }, runs: "QLinearAveragePool" },
  { op: "GlobalAveragePool", runs: "QLinearGlobalAveragePool" },
  { op: "MaxPool", attributes: { kernel_shape: [2, 2] }, runs: "MaxPool on integers" },
  { op: "Transpose", attributes: { perm: [0, 2, 3, 1] }, runs: "Transpose on integers" },
  { op: "Reshape", others: (of) => [ints(of, [4, -1])], runs: "Reshape on integers" },
  { op: "Flatten", runs: "Flatten on integers" },
  { op: "Squeeze", others: (of) => [ints(of, [0])], runs: "Squeeze on integers" },
  { op: "Unsqueeze", others: (of) => [ints(of, [0])], runs: "Unsqueeze on integers" },
  {
    op: "Slice",
    others: (of) => [ints(of, [0]), ints(of, [4]), ints(of, [1])],
    runs: "Slice on integers",
  },
  {
    op: "Gather",
    others: (of) => [ints(of, [0, 2])],
    attributes: { axis: 1 },
    runs: "Gather on integers",
  },
  { op: "DepthToSpace", attributes: { blocksize: 2 }, runs: "DepthToSpace on integers" },
  {
    op: "Resize",
    others: (of) => ["", of.constant("float32", { dims: [4], values: [1, 1, 2, 2] })],
    attributes: { mode: "nearest" },
    runs: "Resize on integers",
  },
  { op: "Sub", two: true, runs: "Sub" },
  { op: "Div", two: true, runs: "Div" },
  { op: "Tanh", runs: "Tanh" },
  { op: "HardSigmoid", runs: "HardSigmoid" },
  { op: "ReduceMean", others: (of) => [ints(of, [1])], runs: "ReduceMean" },
  { op: "ConvTranspose", others: (of) => [levels(of, [8, 8, 3, 3])], runs: "ConvTranspose" },
];

function modelOf({ op, others, attributes, two, shape = [1, 8, 6, 6] }: Case): Model {
  const of = modelBuilder({ operators });
  const scale = of.constant("float32", { dims: [], values: [0.05] });
  const zero = of.constant("uint8", { dims: [], values: [3] });
  const around = (value: string): string =>
    of.op("DequantizeLinear", [of.op("QuantizeLinear", [value, scale, zero]), scale, zero]);
  const first = around(of.input("x", "float32", shape));
  const second = two ? [around(of.input("z", "float32", shape))] : [];
  const made = of.op(
    { type: op, name: "probe" },
    [first, ...second, ...(others?.(of) ?? [])],
    attributes,
  );
  of.output(around(made), { name: "y" });
  return of.finish();
}

test.each(cases)("$op runs as $runs", async (of) => {
  const { shape = [1, 8, 6, 6] } = of;
  const x = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.7);
  const feeds = of.two ? { x, z: x } : { x };
  const { nodes } = await profileModel(modelOf(of), feeds, { threads: 1, runs: 1, warmUp: 0 });
  const found = nodes.find(({ operator }) => operator.toLowerCase().includes(of.op.toLowerCase()));
  const onIntegers = found?.inputs[0]?.startsWith("uint8") && found.operator === of.op;
  expect(`${found?.operator}${onIntegers ? " on integers" : ""}`).toBe(of.runs);
});
