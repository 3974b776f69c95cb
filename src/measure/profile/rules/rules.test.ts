import { describe, expect, it } from "vitest";
import { type SmallAttributes, type SmallInput, single } from "../../../../test/small-model.ts";
import { countModel } from "../count-model.ts";
import { nodesIn } from "../entry.ts";

interface Case {
  readonly op: string;
  readonly inputs: Readonly<Record<string, SmallInput>>;
  readonly attributes?: SmallAttributes;
  readonly outputs?: number;
  readonly opset?: number;
  readonly domain?: "com.microsoft";
  /** Worked out by hand. */
  readonly macs: number;
  readonly other: number;
}

const bytes = (...shape: readonly number[]) => ({ type: "uint8" as const, shape });
const MS = "com.microsoft" as const;

const CASES: readonly Case[] = [
  // 2 x 4 x 3 x 3 outputs, each over 3 x 3 x 3 inputs; a bias each.
  {
    op: "Conv",
    inputs: { x: [2, 3, 5, 5], w: [4, 3, 3, 3], b: [4] },
    macs: 72 * 27,
    other: 72,
  },
  {
    op: "Conv",
    inputs: { x: [1, 6, 8], w: [6, 1, 3] },
    attributes: { group: 6 },
    macs: 36 * 3,
    other: 0,
  },
  { op: "Conv", inputs: { x: [1, 2, 4, 4, 4], w: [3, 2, 2, 2, 2] }, macs: 81 * 16, other: 0 },
  {
    op: "ConvInteger",
    inputs: { x: bytes(1, 1, 4, 4), w: bytes(2, 1, 3, 3) },
    macs: 8 * 9,
    other: 0,
  },
  {
    op: "QLinearConv",
    inputs: {
      x: bytes(1, 1, 4, 4),
      xs: [],
      xz: bytes(),
      w: bytes(2, 1, 3, 3),
      ws: [],
      wz: bytes(),
      ys: [],
      yz: bytes(),
    },
    macs: 8 * 9,
    other: 0,
  },
  // 3 x 16 inputs, each spread over 2 x 2 x 2 weights; output [1, 2, 5, 5] with a bias.
  {
    op: "ConvTranspose",
    inputs: { x: [1, 3, 4, 4], w: [3, 2, 2, 2], b: [2] },
    macs: 48 * 8,
    other: 50,
  },
  { op: "Gemm", inputs: { a: [5, 7], b: [7, 3], c: [3] }, macs: 105, other: 15 },
  {
    op: "Gemm",
    inputs: { a: [7, 5], b: [3, 7] },
    attributes: { transA: 1, transB: 1 },
    macs: 105,
    other: 0,
  },
  { op: "MatMul", inputs: { a: [2, 4, 5], b: [5, 3] }, macs: 2 * 4 * 3 * 5, other: 0 },
  { op: "MatMul", inputs: { a: [5], b: [5] }, macs: 5, other: 0 },
  { op: "MatMulInteger", inputs: { a: bytes(4, 5), b: bytes(5, 3) }, macs: 60, other: 0 },
  // Attention scores: 2 x 3 heads x 4 x 5 over 6.
  {
    op: "Einsum",
    inputs: { q: [2, 3, 4, 6], k: [2, 3, 5, 6] },
    attributes: { equation: "bhid,bhjd->bhij" },
    macs: 720,
    other: 0,
  },
  {
    op: "Einsum",
    inputs: { a: [3, 4], b: [3, 4] },
    attributes: { equation: "ij,ij->ij" },
    macs: 0,
    other: 12,
  },
  { op: "Einsum", inputs: { a: [3, 4] }, attributes: { equation: "ij->ji" }, macs: 0, other: 0 },
  { op: "Einsum", inputs: { a: [3, 4] }, attributes: { equation: "ij->i" }, macs: 0, other: 12 },
  // Left to right: 2x3x4 into ik, then 2x4x5.
  {
    op: "Einsum",
    inputs: { a: [2, 3], b: [3, 4], c: [4, 5] },
    attributes: { equation: "ij,jk,kl->il" },
    macs: 24 + 40,
    other: 0,
  },
  {
    op: "Einsum",
    inputs: { a: [7, 2, 3], b: [3, 4] },
    attributes: { equation: "...ij,jk->...ik" },
    macs: 7 * 24,
    other: 0,
  },
  // 6 steps x 2 sequences x 2 directions x 4 units, over 3 inputs and 4 states, one gate; tanh each.
  {
    op: "RNN",
    inputs: { x: [6, 2, 3], w: [2, 4, 3], r: [2, 4, 4] },
    attributes: { hidden_size: 4, direction: "bidirectional" },
    macs: 96 * 7,
    other: 96 * (1 + 1),
  },
  {
    op: "LSTM",
    inputs: { x: [6, 2, 3], w: [1, 16, 3], r: [1, 16, 4], b: [1, 32] },
    attributes: { hidden_size: 4 },
    macs: 48 * 4 * 7,
    other: 48 * (4 * 3 + 4 + 5),
  },
  {
    op: "GRU",
    inputs: { x: [2, 6, 3], w: [1, 12, 3], r: [1, 12, 4] },
    attributes: { hidden_size: 4, layout: 1 },
    macs: 48 * 3 * 7,
    other: 48 * (3 + 4 + 3),
  },
  // 2 x 3 heads x 4 queries x (5 + 2) keys, over 8 and 6.
  {
    op: "Attention",
    inputs: {
      q: [2, 3, 4, 8],
      k: [2, 3, 5, 8],
      v: [2, 3, 5, 6],
      m: null,
      pk: [2, 3, 2, 8],
      pv: [2, 3, 2, 6],
    },
    opset: 23,
    outputs: 3,
    macs: 168 * 14,
    other: 168 * 6,
  },
  {
    op: "Attention",
    inputs: { q: [2, 4, 12], k: [2, 5, 6], v: [2, 5, 6] },
    attributes: { q_num_heads: 4, kv_num_heads: 2, is_causal: 1 },
    opset: 23,
    macs: 2 * 4 * 4 * 5 * 6,
    other: 160 * 7,
  },
  {
    op: "RotaryEmbedding",
    inputs: { x: [1, 2, 3, 4], c: [1, 3, 2], s: [1, 3, 2] },
    opset: 23,
    macs: 0,
    other: 72,
  },
  { op: "Relu", inputs: { x: [2, 3] }, macs: 0, other: 6 },
  { op: "Add", inputs: { a: [2, 1], b: [3] }, macs: 0, other: 6 },
  {
    op: "Add",
    inputs: { a: { type: "int64", shape: [4] }, b: { type: "int64", shape: [4] } },
    macs: 0,
    other: 0,
  },
  { op: "Sum", inputs: { a: [4], b: [4], c: [4] }, macs: 0, other: 8 },
  { op: "Mean", inputs: { a: [4], b: [4], c: [4] }, macs: 0, other: 12 },
  { op: "ReduceMean", inputs: { x: [2, 8] }, attributes: { keepdims: 1 }, macs: 0, other: 16 },
  { op: "ReduceL2", inputs: { x: [2, 8] }, macs: 0, other: 32 },
  { op: "GlobalAveragePool", inputs: { x: [1, 2, 3, 3] }, macs: 0, other: 18 },
  {
    op: "MaxPool",
    inputs: { x: [1, 2, 4, 4] },
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    macs: 0,
    other: 32,
  },
  { op: "Softmax", inputs: { x: [2, 3] }, macs: 0, other: 30 },
  {
    op: "BatchNormalization",
    inputs: { x: [1, 2, 3, 3], s: [2], b: [2], m: [2], v: [2] },
    macs: 0,
    other: 36,
  },
  { op: "LayerNormalization", inputs: { x: [2, 8], s: [8] }, macs: 0, other: 16 * 7 },
  { op: "LRN", inputs: { x: [1, 4, 2, 2] }, attributes: { size: 3 }, macs: 0, other: 16 * 9 },
  { op: "QuantizeLinear", inputs: { x: [4], s: [], z: bytes() }, macs: 0, other: 8 },
  { op: "DynamicQuantizeLinear", inputs: { x: [4] }, outputs: 3, macs: 0, other: 16 },
  { op: "Transpose", inputs: { x: [2, 3] }, macs: 0, other: 0 },
  {
    op: "And",
    inputs: { a: { type: "bool", shape: [4] }, b: { type: "bool", shape: [4] } },
    macs: 0,
    other: 0,
  },
  // com.microsoft
  // Projection 2 x 3 x 12 over 4; then 2 x 2 heads x 3 x 3 scores over 2 and 2.
  {
    op: "Attention",
    domain: MS,
    inputs: { x: [2, 3, 4], w: [4, 12], b: [12] },
    attributes: { num_heads: 2 },
    macs: 72 * 4 + 36 * 4,
    other: 72 + 36 * 6,
  },
  {
    op: "MultiHeadAttention",
    domain: MS,
    inputs: { q: [2, 3, 8], k: [2, 5, 8], v: [2, 5, 4] },
    attributes: { num_heads: 2 },
    macs: 2 * 2 * 3 * 5 * (4 + 2),
    other: 60 * 6,
  },
  {
    op: "GroupQueryAttention",
    domain: MS,
    inputs: {
      q: [1, 1, 16],
      k: [1, 1, 8],
      v: [1, 1, 8],
      pk: [1, 2, 6, 4],
      pv: [1, 2, 6, 4],
      l: { type: "int32", shape: [1] },
      t: { type: "int32", shape: [1] },
    },
    attributes: { num_heads: 4, kv_num_heads: 2 },
    outputs: 3,
    macs: 4 * 7 * 8,
    other: 28 * 7,
  },
  {
    op: "FusedMatMul",
    domain: MS,
    inputs: { a: [2, 5, 4], b: [2, 5, 3] },
    attributes: { transA: 1 },
    macs: 2 * 4 * 3 * 5,
    other: 0,
  },
  {
    op: "MatMulNBits",
    domain: MS,
    inputs: { a: [3, 64], b: bytes(10, 2, 16), s: [20] },
    attributes: { K: 64, N: 10, bits: 4, block_size: 32 },
    macs: 3 * 10 * 64,
    other: 0,
  },
  {
    op: "FusedConv",
    domain: MS,
    inputs: { x: [1, 1, 3, 3], w: [1, 1, 3, 3], b: [1] },
    attributes: { activation: "Relu" },
    macs: 9,
    other: 2,
  },
  { op: "FusedGemm", domain: MS, inputs: { a: [2, 3], b: [3, 4] }, macs: 24, other: 8 },
  { op: "FastGelu", domain: MS, inputs: { x: [2, 3], b: [3] }, macs: 0, other: 12 },
  {
    op: "SkipLayerNormalization",
    domain: MS,
    inputs: { x: [1, 2, 4], s: [1, 2, 4], g: [4] },
    macs: 0,
    other: 64,
  },
  {
    op: "QLinearAdd",
    domain: MS,
    inputs: {
      a: bytes(4),
      as: [],
      az: bytes(),
      b: bytes(4),
      bs: [],
      bz: bytes(),
      cs: [],
      cz: bytes(),
    },
    macs: 0,
    other: 20,
  },
];

function counted({ op, inputs, attributes = {}, outputs = 1, opset = 21, domain }: Case) {
  const model = single(op, inputs, { attributes, outputs, opset, ...(domain && { domain }) });
  const [cost] = [...nodesIn(countModel(model).entries)];
  return {
    macs: cost?.macs,
    other: Number(cost?.flops) - 2 * Number(cost?.macs),
    why: cost?.uncounted,
  };
}

describe("the work of an operator", () => {
  it.each(
    CASES.map(
      (one) =>
        [
          `${one.domain ?? ""} ${one.op} ${JSON.stringify(Object.values(one.inputs))}`,
          one,
        ] as const,
    ),
  )("%s", (_, one) => {
    expect(counted(one)).toEqual({ macs: one.macs, other: one.other, why: null });
  });

  it("stays symbolic for sizes that are not chosen", () => {
    const model = single("MatMul", { a: ["batch", "seq", 8], b: [8, 4] });
    const { totals, symbols } = countModel(model);
    expect(totals.macs?.most).toMatchObject({ key: "32*batch*seq" });
    expect(symbols).toEqual(["batch", "seq"]);
  });

  it("names an operator without a rule and does not count it as zero", () => {
    const { uncounted, totals } = countModel(
      single("TopK", { x: [4], k: { type: "int64", shape: [1] } }, { outputs: 2 }),
    );
    expect(uncounted).toEqual([
      { operator: "TopK", reason: "there is no rule for it", nodes: ["TopK_0"] },
    ]);
    expect(totals.uncounted).toBe(1);
  });

  it("says why a node with a rule cannot be counted", () => {
    const model = single("Conv", { x: [1, 3, 5, 5], w: [4, 3, 3, 3] });
    const conv = model.graph?.nodes[0];
    const broken = {
      ...model,
      graph: { ...model.graph, nodes: [{ ...conv, inputs: ["x", "nothing"] }] },
    };
    expect(countModel(broken as typeof model).uncounted[0]?.reason).toContain('"nothing"');
  });
});
