// What a stored tensor is for, by the inputs that read it: trained, kept beside (running statistics,
// scales, bounds), or no parameter at all (sizes, indices).

import type { DataType, Node } from "../../onnx/index.ts";

/** `index`: integers, texts and truth values that steer shapes and choices. */
export type TensorRole = "trainable" | "buffer" | "dead" | "index";

/** Inputs that hold what training by gradient does not change, by operator. */
const BUFFERS: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  ConvInteger: [2, 3],
  DequantizeLinear: [1, 2],
  Dropout: [1],
  DynamicQuantizeLSTM: [8, 9, 10, 11],
  DynamicQuantizeMatMul: [2, 3],
  GroupQueryAttention: [7, 8],
  MatMulBnb4: [2],
  MatMulInteger: [2, 3],
  MatMulIntegerToFloat: [2, 3, 4, 5],
  MatMulNBits: [2, 3, 4],
  OneHot: [1, 2],
  Pad: [1, 2, 3],
  QAttention: [3, 4, 6, 7],
  QGemm: [1, 2, 4, 5, 7, 8],
  QLinearAdd: [1, 2, 4, 5, 6, 7],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QLinearMul: [1, 2, 4, 5, 6, 7],
  QuantizeLinear: [1, 2],
  Range: [0, 1, 2],
  Resize: [1, 2, 3],
  Upsample: [1],
};

/** Inputs that hold integer weights or biases, by operator; other integers are indices. */
const INTEGER_WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  DequantizeLinear: [0],
  QGemm: [3, 6],
  QLinearConv: [3, 8],
};

/** Exported constants of formulas (`x + 3`, `x / 6`) are read by these. */
const ARITHMETIC = new Set(
  "Add Sub Mul Div Pow Max Min Mod Where Equal Greater Less GreaterOrEqual LessOrEqual".split(" "),
);

const FLOATING = /^(b?float|complex)/;
const FEW_BITS = new Set<DataType | null>(["int8", "uint8", "int4", "uint4"]);

/** One place where a tensor is read. */
export interface Reader {
  readonly node: Node;
  readonly input: number;
}

/** The role of a tensor from its type, its elements and its readers that are not dead. */
export function roleOf(
  { dataType, elements }: { readonly dataType: DataType | null; readonly elements: number },
  readers: readonly Reader[],
  isOutput: boolean,
): TensorRole {
  const floating = dataType !== null && FLOATING.test(dataType);
  const weights = readers.some(
    ({ node, input }) => INTEGER_WEIGHTS[node.opType]?.includes(input) === true,
  );
  if (!floating && !FEW_BITS.has(dataType) && !weights) return "index";
  if (readers.length === 0 && !isOutput) return "dead";
  const kept = ({ node, input }: Reader): boolean =>
    BUFFERS[node.opType]?.includes(input) === true ||
    (elements <= 1 && ARITHMETIC.has(node.opType));
  return readers.length > 0 && readers.every(kept) ? "buffer" : "trainable";
}
