// Conv, ConvTranspose, Gemm and MatMul with constant weights, seen alike: along which axes of the weight
// the channels lie that go in and come out.

import { floatOf, intOf, intsOf, type Node, textOf } from "../../../../onnx/index.ts";
import type { Scene } from "../rule.ts";

export const LINEAR_OPERATORS = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

export interface Linear {
  readonly weight: Float32Array;
  readonly dims: readonly number[];
  /** Null for MatMul, which has none, and where a node leaves it out. */
  readonly bias: Float32Array | null;
  readonly outChannels: number;
  readonly inChannels: number;
  /** Axis of the channels in the output; negative ones count from the back. */
  readonly channelAxis: 1 | -1;
  /** Output channel of an element of the weight, by its position. */
  outChannel(at: number): number;
  /** Input channel of an element of the weight, by its position. */
  inChannel(at: number): number;
  /** Whether every element of the output sees all of its inputs: nothing is padded with zeros. */
  readonly unpadded: boolean;
}

/** The node as a linear map; null where weight or bias are not constant, or it does something else too. */
export function linearOf(node: Node, scene: Scene): Linear | null {
  const [, weightName = "", biasName = ""] = node.inputs;
  const weight = scene.floats(weightName);
  const dims = scene.editor.constant(weightName)?.dims.map(Number);
  const bias = biasName === "" ? null : scene.floats(biasName);
  if (weight === null || dims === undefined || (biasName !== "" && bias === null)) return null;
  switch (node.opType) {
    case "Conv":
      return convolution(node, { weight, dims, bias });
    case "ConvTranspose":
      return transposed(node, { weight, dims, bias });
    case "Gemm":
      return gemm(node, { weight, dims, bias });
    case "MatMul": {
      const [inChannels = 0, outChannels = 0] = dims;
      if (dims.length !== 2) return null;
      return {
        ...{ weight, dims, bias: null, outChannels, inChannels, channelAxis: -1, unpadded: true },
        outChannel: (at) => at % outChannels,
        inChannel: (at) => Math.floor(at / outChannels),
      };
    }
    default:
      return null;
  }
}

interface Stored {
  readonly weight: Float32Array;
  readonly dims: readonly number[];
  readonly bias: Float32Array | null;
}

/** ONNX, Conv: W is [O, I/groups, ...kernel]. */
function convolution(node: Node, { weight, dims, bias }: Stored): Linear {
  const groups = intOf(node, "group", 1);
  const [outChannels = 0, perGroup = 0] = dims;
  const kernel = weight.length / (outChannels * perGroup);
  const outPerGroup = outChannels / groups;
  const outChannel = (at: number): number => Math.floor(at / (perGroup * kernel));
  return {
    ...{ weight, dims, bias, outChannels, inChannels: perGroup * groups, channelAxis: 1 },
    unpadded: isUnpadded(node),
    outChannel,
    inChannel: (at) =>
      Math.floor(outChannel(at) / outPerGroup) * perGroup + (Math.floor(at / kernel) % perGroup),
  };
}

/** ONNX, ConvTranspose: W is [I, O/groups, ...kernel]. Its padding cuts off; what is left is whole. */
function transposed(node: Node, { weight, dims, bias }: Stored): Linear {
  const groups = intOf(node, "group", 1);
  const [inChannels = 0, perGroup = 0] = dims;
  const kernel = weight.length / (inChannels * perGroup);
  const inPerGroup = inChannels / groups;
  const inChannel = (at: number): number => Math.floor(at / (perGroup * kernel));
  return {
    ...{ weight, dims, bias, outChannels: perGroup * groups, inChannels, channelAxis: 1 },
    // An output element does not see as many kernel elements as any other does.
    unpadded: false,
    inChannel,
    outChannel: (at) =>
      Math.floor(inChannel(at) / inPerGroup) * perGroup + (Math.floor(at / kernel) % perGroup),
  };
}

/** ONNX, Gemm: alpha A B + beta C. Only plain factors and a bias of one element a column. */
function gemm(node: Node, { weight, dims, bias }: Stored): Linear | null {
  const plain = floatOf(node, "alpha", 1) === 1 && floatOf(node, "beta", 1) === 1;
  if (!plain || intOf(node, "transA", 0) !== 0) return null;
  const [rows = 0, columns = 0] = dims;
  const turned = intOf(node, "transB", 0) !== 0;
  const [inChannels, outChannels] = turned ? [columns, rows] : [rows, columns];
  if (bias !== null && bias.length !== outChannels) return null;
  const row = (at: number): number => Math.floor(at / columns);
  const column = (at: number): number => at % columns;
  return {
    ...{ weight, dims, bias, outChannels, inChannels, channelAxis: -1, unpadded: true },
    outChannel: turned ? row : column,
    inChannel: turned ? column : row,
  };
}

function isUnpadded(node: Node): boolean {
  const automatic = textOf(node, "auto_pad", "NOTSET");
  if (automatic === "VALID") return true;
  return automatic === "NOTSET" && (intsOf(node, "pads", null)?.every((pad) => pad === 0) ?? true);
}
