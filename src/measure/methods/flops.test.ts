// tfprof's conventions on two published networks, and the greenness toolkit's with and without its faults.

import { describe, expect, test } from "vitest";
import type { FlopNode } from "./flop-rules.ts";
import { OPTIMIZER_FLOPS, toolkitFlops, toolkitStepFlops } from "./greenness-flops.ts";
import { TFPROF_RULES, tfprofFlops } from "./tfprof.ts";

interface Layer {
  readonly type: string;
  readonly node: FlopNode;
}

const conv = (size: number, channels: number, filter: readonly [number, number, number]): Layer => {
  const [kernel, inputs, outputs] = [filter[0], filter[1], filter[2]];
  return {
    type: "Conv2D",
    node: {
      inputs: [
        [1, size, size, inputs],
        [kernel, kernel, inputs, outputs],
      ],
      outputs: [[1, size, size, channels]],
    },
  };
};

const depthwise = (size: number, channels: number): Layer => ({
  type: "DepthwiseConv2dNative",
  node: {
    inputs: [
      [1, size, size, channels],
      [3, 3, channels, 1],
    ],
    outputs: [[1, size, size, channels]],
  },
});

const matMul = (inputs: number, outputs: number): Layer => ({
  type: "MatMul",
  node: {
    inputs: [
      [1, inputs],
      [inputs, outputs],
    ],
    outputs: [[1, outputs]],
  },
});

const total = (layers: readonly Layer[]): number =>
  layers.reduce((sum, { type, node }) => sum + (tfprofFlops(type, node) ?? Number.NaN), 0);

// Howard et al. 2017, arXiv:1704.04861, table 1: blocks of depthwise and pointwise convolution.
const MOBILENET: readonly (readonly [size: number, inputs: number, outputs: number])[] = [
  [112, 32, 64],
  [56, 64, 128],
  [56, 128, 128],
  [28, 128, 256],
  [28, 256, 256],
  [14, 256, 512],
  ...Array.from({ length: 5 }, () => [14, 512, 512] as const),
  [7, 512, 1024],
  [7, 1024, 1024],
];

describe("tfprof", () => {
  test("MobileNetV1 at 224 x 224 is twice 568,740,352 multiply-adds", () => {
    const blocks = MOBILENET.flatMap(([size, inputs, outputs]) => [
      depthwise(size, inputs),
      conv(size, outputs, [1, inputs, outputs]),
    ]);
    const layers = [conv(112, 32, [3, 3, 32]), ...blocks, matMul(1024, 1000)];
    expect(total(layers)).toBe(2 * 568_740_352);
  });

  // Iandola et al. 2016, arXiv:1602.07360, table 1; forresti/SqueezeNet, README: 1.72 GFLOPS an image.
  test("SqueezeNet v1.0 at 227 x 227 is 1.72 GFLOP, as its authors publish", () => {
    const fire = (size: number, inputs: number, [squeeze, expand]: readonly [number, number]) => [
      conv(size, squeeze, [1, inputs, squeeze]),
      conv(size, expand, [1, squeeze, expand]),
      conv(size, expand, [3, squeeze, expand]),
    ];
    const layers = [
      conv(111, 96, [7, 3, 96]),
      ...fire(55, 96, [16, 64]),
      ...fire(55, 128, [16, 64]),
      ...fire(55, 128, [32, 128]),
      ...fire(27, 256, [32, 128]),
      ...fire(27, 256, [48, 192]),
      ...fire(27, 384, [48, 192]),
      ...fire(27, 384, [64, 256]),
      ...fire(13, 512, [64, 256]),
      // The published prototxt pads the last convolution by 1.
      conv(15, 1000, [1, 512, 1000]),
    ];
    expect(total(layers) / 1e9).toBeCloseTo(1.72, 2);
  });

  const image = [2, 8, 8, 3];
  test.each([
    ["Softmax", { inputs: [[2, 10]], outputs: [[2, 10]] }, 100],
    ["L2Loss", { inputs: [[10]], outputs: [[]] }, 29],
    ["Rsqrt", { inputs: [[10]], outputs: [[10]] }, 20],
    ["Mean", { inputs: [[4, 5]], outputs: [[4]] }, 20],
    ["Sum", { inputs: [[4, 5]], outputs: [[4]] }, 16],
    ["AddN", { inputs: [[5], [5], [5]], outputs: [[5]] }, 10],
    ["AvgPool", { inputs: [image], outputs: [[2, 4, 4, 3]], window: [1, 2, 2, 1] }, 4 * 96],
    [
      "MatMul",
      {
        inputs: [
          [7, 4],
          [7, 5],
        ],
        outputs: [[4, 5]],
        transposeA: true,
      },
      280,
    ],
    [
      "BatchMatMulV2",
      {
        inputs: [
          [3, 4, 7],
          [3, 7, 5],
        ],
        outputs: [[3, 4, 5]],
      },
      840,
    ],
  ] satisfies readonly (readonly [string, FlopNode, number])[])("%s", (type, node, expected) => {
    expect(tfprofFlops(type, node)).toBe(expected);
  });

  test("the two backward convolutions of stride 1 cost as much as the forward one", () => {
    const [x, filter] = [
      [2, 8, 8, 3],
      [3, 3, 3, 16],
    ];
    const y = [2, 8, 8, 16];
    const forward = tfprofFlops("Conv2D", { inputs: [x, filter], outputs: [y] });
    const strides = [1, 1, 1, 1];
    expect(
      tfprofFlops("Conv2DBackpropInput", { inputs: [[4], filter, y], outputs: [x], strides }),
    ).toBe(forward);
    expect(
      tfprofFlops("Conv2DBackpropFilter", { inputs: [x, [4], y], outputs: [filter], strides }),
    ).toBe(forward);
  });

  test("what is not registered is null, not 0: tanh, exp, fused batch normalisation", () => {
    const node = { inputs: [[9]], outputs: [[9]] };
    for (const type of ["Tanh", "Exp", "FusedBatchNormV3", "toString"]) {
      expect(tfprofFlops(type, node)).toBeNull();
    }
    expect(Object.keys(TFPROF_RULES).length).toBeGreaterThan(40);
  });
});

describe("the greenness toolkit", () => {
  const unary = { inputs: [[10]], outputs: [[10]] };
  test.each([
    ["Sigmoid", 40, 160],
    ["Tanh", 50, 250],
    ["Relu6", 20, 40],
    ["Relu", 10, 10],
  ])("%s is %d, and %d with weights applied twice", (type, correct, twice) => {
    expect(toolkitFlops(type, unary)).toBe(correct);
    expect(toolkitFlops(type, unary, new Set(["unary-weight-squared"]))).toBe(twice);
  });

  const odd: FlopNode = {
    inputs: [
      [1, 7, 7, 3],
      [3, 3, 3, 8],
    ],
    outputs: [[1, 4, 4, 8]],
    strides: [1, 2, 2, 1],
    padding: "SAME",
  };
  test("SAME padding of an odd size counts too little when divided downwards", () => {
    expect(toolkitFlops("Conv2D", odd)).toBe(2 * 16 * 3 * 3 * 3 * 8);
    expect(toolkitFlops("Conv2D", odd, new Set(["floor-padding"]))).toBe(2 * 12 * 3 * 3 * 3 * 8);
  });
  test("its convolution agrees with tfprof's where both are right", () => {
    expect(toolkitFlops("Conv2D", odd)).toBe(tfprofFlops("Conv2D", odd));
    const valid = { ...odd, padding: "VALID", outputs: [[1, 3, 3, 8]] } as const;
    expect(toolkitFlops("Conv2D", valid)).toBe(tfprofFlops("Conv2D", valid));
  });
  test("depthwise convolution and average pooling are misfiled", () => {
    const { type, node } = depthwise(4, 8);
    const faulty = new Set(["broadcast-branch"] as const);
    expect(toolkitFlops(type, node)).toBe(tfprofFlops(type, node));
    // Larger sizes of [1, 4, 4, 8] and [3, 3, 8, 1].
    expect(toolkitFlops(type, node, faulty)).toBe(3 * 4 * 8 * 8);
    const pool = { inputs: [[1, 4, 4, 8]], outputs: [[1, 2, 2, 8]], window: [1, 2, 2, 1] };
    expect(toolkitFlops("AvgPool", pool)).toBe(4 * 32);
    expect(toolkitFlops("AvgPool", pool, faulty)).toBe(0);
  });
  test("softmax cross-entropy is 6 an element", () => {
    const node = { inputs: [[32], [32, 10]], outputs: [[32]] };
    expect(toolkitFlops("SparseSoftmaxCrossEntropyWithLogits", node)).toBe(1920);
  });
  test("a training step is three times forward and the optimizer's cost a parameter", () => {
    const nodes = [matMul(100, 10)];
    expect(toolkitStepFlops({ nodes, trainableParameters: 1010, optimizer: "Adam" })).toBe(16_100);
    expect(OPTIMIZER_FLOPS["SparseGroupFtrl"]).toBe(14);
    expect(() => toolkitStepFlops({ nodes, trainableParameters: 1, optimizer: "Lion" })).toThrow(
      /Lion/,
    );
  });
});
