// Convolutions and matrix products, in floating point, integers and few bits. One rule a family:
// multiply-accumulates are outputs times the length of the dot product behind each.

import {
  addSizes,
  intOf,
  multiplySizes,
  productOfSizes,
  type Shape,
  type Size,
  textOf,
} from "../../../onnx/index.ts";
import {
  axis,
  hasInput,
  inputShape,
  inputSize,
  outputSize,
  type Site,
  Uncountable,
} from "../site.ts";
import { einsumWork } from "./einsum.ts";
import { elements, type Work, type WorkRule, type WorkRules } from "./work.ts";

/** Where a family keeps its second operand and its bias; the rest of it is the same. */
interface Operands {
  readonly weight: number;
  readonly bias: number | null;
}

/** Adding a bias is one operation for each output. */
const biasOf = (site: Site, bias: number | null): Size =>
  bias !== null && hasInput(site, bias) ? outputSize(site) : 0;

/** Each output takes one multiply-accumulate a weight of its filter, [M, C/group, kernel...]. */
const convolution =
  ({ weight, bias }: Operands): WorkRule =>
  (site) => {
    const filter = elements(inputShape(site, weight).slice(1));
    return { macs: multiplySizes(outputSize(site), filter), other: biasOf(site, bias) };
  };

/** Each input is multiplied by all weights that spread it, [C, M/group, kernel...]; crops included. */
const transposedConvolution: WorkRule = (site) => ({
  macs: multiplySizes(inputSize(site, 0), elements(inputShape(site, 1).slice(1))),
  other: biasOf(site, 2),
});

/** Two more inputs of the fused form: what is added, and the activation. */
const fusedConvolution: WorkRule = (site) => {
  const { macs, other } = convolution({ weight: 1, bias: 2 })(site);
  const additions =
    (hasInput(site, 3) ? 1 : 0) + (textOf(site.node, "activation", "") === "" ? 0 : 1);
  return { macs, other: addSizes(other, multiplySizes(outputSize(site), additions)) };
};

/** Rows of A times columns of B, over a depth that stands in A. */
const product =
  (depth: (site: Site) => Size, bias: number | null = null): WorkRule =>
  (site) => ({
    macs: multiplySizes(outputSize(site), depth(site)),
    other: biasOf(site, bias),
  });

const lastOfA = (site: Site): Size => axis(inputShape(site, 0), -1);

const gemmDepth = (site: Site): Size =>
  axis(inputShape(site, 0), intOf(site.node, "transA", 0) === 0 ? 1 : 0);

/** `transBatchA` moves the first axis in front of the last one before the last two change places. */
function fusedDepth(site: Site): Size {
  const a: Shape = inputShape(site, 0);
  if (intOf(site.node, "transA", 0) === 0) return axis(a, -1);
  return axis(a, intOf(site.node, "transBatchA", 0) === 1 ? 0 : -2);
}

/** Weights of few bits keep their shape in attributes. */
const packedDepth = (site: Site): Size => {
  const depth = intOf(site.node, "K", 0);
  if (depth < 1) throw new Uncountable("attribute K is missing");
  return depth;
};

const gemm = product(gemmDepth, 2);
const matmul = product(lastOfA);

const withActivation =
  (rule: WorkRule): WorkRule =>
  (site): Work => {
    const { macs, other } = rule(site);
    return { macs, other: addSizes(other, outputSize(site)) };
  };

/** Each output gathers its filter's inputs at places between pixels: four neighbours, seven operations. */
const deformable: WorkRule = (site) => {
  const filter = elements(inputShape(site, 1).slice(1));
  const macs = multiplySizes(outputSize(site), filter);
  const [batch = 1, channels = 1] = inputShape(site, 0);
  const [, , ...places] = inputShape(site, 2);
  const kernel = elements(inputShape(site, 1).slice(2));
  const samples = productOfSizes([batch, channels, kernel, ...places]);
  return { macs, other: addSizes(biasOf(site, 3), multiplySizes(samples, 7)) };
};

/** One multiply-accumulate and one root for each pair of rows and each column: squared distances. */
const distances: WorkRule = (site) => ({
  macs: multiplySizes(outputSize(site), axis(inputShape(site, 0), 1)),
  other: outputSize(site),
});

export const matrix: WorkRules = {
  Conv: convolution({ weight: 1, bias: 2 }),
  ConvInteger: convolution({ weight: 1, bias: null }),
  QLinearConv: convolution({ weight: 3, bias: 8 }),
  ConvTranspose: transposedConvolution,
  DeformConv: deformable,
  Gemm: gemm,
  MatMul: matmul,
  MatMulInteger: matmul,
  QLinearMatMul: matmul,
  Einsum: einsumWork,
};

export const microsoftMatrix: WorkRules = {
  FusedConv: fusedConvolution,
  NhwcConv: convolution({ weight: 1, bias: 2 }),
  NhwcFusedConv: fusedConvolution,
  QLinearConv: convolution({ weight: 3, bias: 8 }),
  FusedGemm: withActivation(gemm),
  GemmFastGelu: withActivation(product(lastOfA, 2)),
  FusedMatMul: product(fusedDepth),
  FusedMatMulActivation: withActivation(product(fusedDepth)),
  TransposeMatMul: product(fusedDepth),
  QGemm: product(gemmDepth, 6),
  MatMulNBits: product(packedDepth, 5),
  MatMulBnb4: product(packedDepth),
  DynamicQuantizeMatMul: product(lastOfA, 4),
  MatMulIntegerToFloat: product(lastOfA, 6),
  MatMulInteger16: matmul,
  CDist: distances,
};
