// ONNX Runtime as the judge of single rules: nodes with random shapes and attributes. Where it runs a
// node, the shape must be what was inferred; where the rule finds a fault, it must refuse.

import fc from "fast-check";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import {
  floats,
  ints,
  type SmallAttributes,
  type SmallInput,
  single,
} from "../../../../test/small-model.ts";
import { encodeModel } from "../../encode.ts";
import type { Model } from "../../model.ts";
import { inferShapes } from "../infer.ts";
import type { Shape } from "../inferred-type.ts";

interface Sample {
  readonly opType: string;
  readonly inputs: Readonly<Record<string, SmallInput>>;
  readonly attributes?: SmallAttributes;
  readonly opset?: number;
  readonly outputs?: number;
  readonly domain?: string;
}

/** Shapes that ONNX Runtime gives the outputs; null when it refuses the model. */
async function shapesInOrt(model: Model): Promise<readonly (readonly number[])[] | null> {
  let session: InferenceSession | undefined;
  try {
    session = await InferenceSession.create(encodeModel(model), {
      graphOptimizationLevel: "disabled",
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const feeds = (model.graph?.inputs ?? []).map(({ name, type }) => {
      const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
      const dims = shape.map(({ value = 1n }) => Number(value));
      const count = dims.reduce((product, size) => product * size, 1);
      return [name, new OrtTensor("float32", new Float32Array(count), dims)] as const;
    });
    const results = await session.run(Object.fromEntries(feeds));
    return session.outputNames.map((name) => [...(results[name]?.dims ?? [])]);
  } catch {
    return null;
  } finally {
    await session?.release();
  }
}

function inferred(model: Model): {
  readonly shapes: readonly (Shape | null)[];
  readonly faults: number;
} {
  const { graph, faults } = inferShapes(model);
  const shapes = (model.graph?.outputs ?? []).map(({ name }) => {
    const type = graph.values.get(name);
    return type?.kind === "tensor" ? type.shape : null;
  });
  return { shapes, faults: faults.length };
}

/** `fitting` is the part of the samples that must be accepted, else the test proves nothing. */
async function judge(samples: fc.Arbitrary<Sample>, runs: number, fitting = 0.25): Promise<void> {
  let succeeded = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(samples, async ({ opType, inputs, ...options }) => {
      const model = single(opType, inputs, options);
      const actual = await shapesInOrt(model);
      const { shapes, faults } = inferred(model);
      if (actual === null) {
        refused += 1;
        return;
      }
      succeeded += 1;
      expect(faults).toBe(0);
      expect(shapes).toEqual(actual);
    }),
    { numRuns: runs },
  );
  expect(succeeded, `${refused} refused`).toBeGreaterThan(runs * fitting);
}

const size = fc.integer({ min: 1, max: 9 });
const pick = fc.constantFrom;
const shapeOf = (min: number, max: number) =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: min, maxLength: max });

const pair = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const window = fc
  .record({
    kernel: pair(1, 4),
    strides: pair(1, 3),
    dilations: pair(1, 2),
    pads: fc.tuple(pair(0, 2), pair(0, 2)).map(([a, b]) => [...a, ...b]),
    autoPad: pick("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
  })
  .map(({ kernel, strides, dilations, pads, autoPad }) => ({
    kernel,
    attributes: {
      kernel_shape: kernel,
      strides,
      // ONNX Runtime refuses dilations together with SAME padding.
      ...(autoPad.startsWith("SAME") ? {} : { dilations }),
      auto_pad: autoPad,
      ...(autoPad === "NOTSET" ? { pads } : {}),
    },
  }));

/** Large enough for every window: 7 is the span of a kernel of 4 with dilation 2. */
const image = fc.tuple(
  pick(1, 2),
  pick(2, 4),
  fc.integer({ min: 7, max: 17 }),
  fc.integer({ min: 7, max: 17 }),
);

describe("a single node has the shape that ONNX Runtime gives it", () => {
  test("Conv", () =>
    judge(
      fc
        .record({ image, window, group: pick(1, 2), filters: pick(2, 4) })
        .map(({ image: x, window: w, group, filters }) => ({
          opType: "Conv",
          inputs: { X: x, W: [filters, x[1] / group, ...w.kernel] },
          attributes: { ...w.attributes, group },
        })),
      80,
    ));

  test("ConvTranspose", () =>
    judge(
      fc
        .record({ image, window, group: pick(1, 2), extra: pair(0, 1) })
        .map(({ image: x, window: w, group, extra }) => ({
          opType: "ConvTranspose",
          inputs: { X: x, W: [x[1], 3, ...w.kernel] },
          attributes: { ...w.attributes, group, output_padding: extra },
        })),
      80,
    ));

  test("pooling, also rounding up", () =>
    judge(
      fc
        .record({
          image,
          window,
          kind: pick("MaxPool", "AveragePool", "LpPool"),
          up: pick(0, 1),
          opset: pick(12, 19, 22),
        })
        .map(({ image: x, window: w, kind, up, opset }) => {
          const { dilations, ...rest } = w.attributes as Record<string, string | readonly number[]>;
          const dilated = kind === "MaxPool" && dilations !== undefined ? { dilations } : {};
          const rounding = kind === "LpPool" && opset < 18 ? {} : { ceil_mode: up };
          return {
            opType: kind,
            inputs: { X: x },
            attributes: { ...rest, ...dilated, ...rounding },
            opset,
          };
        }),
      150,
    ));

  test("Slice, with negative starts, ends and steps", () => {
    const position = fc.integer({ min: -12, max: 12 });
    const step = pick(-3, -2, -1, 1, 2, 3);
    return judge(
      fc
        .record({
          x: fc.tuple(size, size, size),
          starts: fc.tuple(position, position),
          ends: fc.tuple(position, position),
          steps: fc.tuple(step, step),
          axes: pick([0, 1], [2, -2], [-1, 0]),
        })
        .map(({ x, starts, ends, steps, axes }) => ({
          opType: "Slice",
          inputs: {
            x,
            starts: ints(starts),
            ends: ints(ends),
            axes: ints(axes),
            steps: ints(steps),
          },
          opset: 13,
        })),
      150,
    );
  });

  test("Reshape with 0, -1 and allowzero", () =>
    judge(
      fc
        .record({
          x: pick([2, 3, 4], [24], [0, 3], [1, 6, 2, 2], [2, 0, 3]),
          target: fc.array(pick(-1, 0, 1, 2, 3, 4, 6, 12), { minLength: 1, maxLength: 4 }),
          allowzero: pick(0, 1),
        })
        .map(({ x, target, allowzero }) => ({
          opType: "Reshape",
          inputs: { x, target: ints(target) },
          attributes: { allowzero },
          opset: 14,
        })),
      600,
      // Most random targets do not fit.
      0.05,
    ));

  test("Split, also uneven", () =>
    judge(
      fc
        .record({
          length: fc.integer({ min: 2, max: 12 }),
          pieces: fc.integer({ min: 2, max: 4 }),
          stated: fc.boolean(),
        })
        .map(({ length, pieces, stated }) => ({
          opType: "Split",
          inputs: {
            x: [2, length],
            ...(stated
              ? { split: ints([...new Array<number>(pieces - 1).fill(1), length - pieces + 1]) }
              : {}),
          },
          attributes: { axis: -1, ...(stated ? {} : { num_outputs: pieces }) },
          opset: 18,
          outputs: pieces,
        })),
      60,
    ));

  test("Resize by scales, rounding down", () =>
    judge(
      fc
        .record({
          x: image,
          scales: fc.tuple(
            fc.double({ min: 0.3, max: 3, noNaN: true }),
            fc.double({ min: 0.3, max: 3, noNaN: true }),
          ),
        })
        .map(({ x, scales }) => ({
          opType: "Resize",
          inputs: { x, roi: null, scales: floats([1, 1, ...scales]) },
          attributes: { mode: "nearest" },
          opset: 13,
        })),
      100,
    ));

  test("Resize to sizes that keep the ratio", () =>
    judge(
      fc
        .record({
          x: image,
          sizes: pair(1, 20),
          policy: pick("stretch", "not_larger", "not_smaller"),
        })
        .map(({ x, sizes, policy }) => ({
          opType: "Resize",
          inputs: { x, roi: null, scales: null, sizes: ints(sizes) },
          attributes: { mode: "nearest", axes: [2, 3], keep_aspect_ratio_policy: policy },
          opset: 18,
        })),
      60,
    ));

  test("Pad of chosen axes, also negative", () =>
    judge(
      fc
        .record({
          x: fc.tuple(size, size, size),
          pads: fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 4, maxLength: 4 }),
          axes: pick([0, 1], [-1, 1]),
        })
        .map(({ x, pads, axes }) => ({
          opType: "Pad",
          inputs: { x, pads: ints(pads), value: null, axes: ints(axes) },
          opset: 18,
        })),
      60,
    ));

  test("MatMul and broadcasting", () =>
    judge(
      fc
        .record({
          a: shapeOf(1, 4),
          b: shapeOf(1, 4),
          ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        })
        .map(({ a, b, ones }) => {
          const batch = b.map((_, axis) => (ones[axis] ? 1 : (a.at(axis - b.length) ?? 2)));
          const inner = a.at(-1) ?? 1;
          const right = b.length === 1 ? [inner] : batch.with(-2, inner).with(-1, 3);
          return { opType: "MatMul", inputs: { a, b: right } };
        }),
      80,
    ));

  test("elementwise broadcasting", () =>
    judge(
      fc
        .record({
          a: shapeOf(0, 4),
          ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
          rank: fc.nat(4),
        })
        .map(({ a, ones, rank }) => ({
          opType: "Add",
          inputs: {
            a,
            b: Array.from({ length: rank }, (_, axis) =>
              ones[axis] ? 1 : (a.at(axis - rank) ?? 3),
            ),
          },
        })),
      60,
    ));

  test("reductions with axes as attribute and as input", () =>
    judge(
      fc
        .record({
          x: shapeOf(1, 4),
          axes: fc.uniqueArray(fc.integer({ min: -4, max: 3 }), { maxLength: 2 }),
          keep: pick(0, 1),
          late: fc.boolean(),
          noop: pick(0, 1),
        })
        .map(({ x, axes, keep, late, noop }) =>
          late
            ? {
                opType: "ReduceMean",
                inputs: { x, axes: ints(axes) },
                attributes: { keepdims: keep, noop_with_empty_axes: noop },
                opset: 18,
              }
            : {
                opType: "ReduceMean",
                inputs: { x },
                attributes: { keepdims: keep, ...(axes.length > 0 ? { axes } : {}) },
                opset: 13,
              },
        ),
      100,
    ));

  test("recurrent layers in both directions and layouts", () =>
    judge(
      fc
        .record({
          kind: pick("RNN", "GRU", "LSTM"),
          dims: fc.tuple(size, size, size),
          hidden: fc.integer({ min: 1, max: 5 }),
          both: fc.boolean(),
        })
        .map(({ kind, dims, hidden, both }) => {
          const gates = { RNN: 1, GRU: 3, LSTM: 4 }[kind];
          const directions = both ? 2 : 1;
          return {
            opType: kind,
            inputs: {
              x: dims,
              w: [directions, gates * hidden, dims[2]],
              r: [directions, gates * hidden, hidden],
            },
            attributes: { hidden_size: hidden, direction: both ? "bidirectional" : "forward" },
            outputs: kind === "LSTM" ? 3 : 2,
            opset: 14,
          };
        }),
      60,
    ));

  test("indexing: Gather, GatherND, OneHot-like ranks, Tile, Transpose, Flatten", () => {
    const gather = fc
      .record({
        x: shapeOf(1, 4),
        axis: fc.integer({ min: -4, max: 3 }),
        shape: pick([], [2], [2, 3]),
      })
      .map(({ x, axis, shape }) => ({
        opType: "Gather",
        inputs: { x, i: ints(new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0), shape) },
        attributes: { axis },
      }));
    const gatherND = fc
      .record({ x: shapeOf(2, 4), depth: pick(1, 2, 3), batch: pick(0, 1) })
      .map(({ x, depth, batch }) => {
        const dims = [...x.slice(0, batch), 2, depth];
        return {
          opType: "GatherND",
          inputs: { x, i: ints(new Array<number>(dims.reduce((a, b) => a * b, 1)).fill(0), dims) },
          attributes: { batch_dims: batch },
        };
      });
    const tile = fc.record({ x: shapeOf(1, 3), by: shapeOf(3, 3) }).map(({ x, by }) => ({
      opType: "Tile",
      inputs: { x, by: ints(by.slice(0, x.length)) },
    }));
    const flatten = fc
      .record({ x: shapeOf(0, 4), axis: fc.integer({ min: -4, max: 4 }) })
      .map(({ x, axis }) => ({
        opType: "Flatten",
        inputs: { x },
        attributes: { axis },
      }));
    const topK = fc
      .record({ x: shapeOf(1, 3), k: pick(1, 2, 3), axis: pick(-1, 0, 1) })
      .map(({ x, k, axis }) => ({
        opType: "TopK",
        inputs: { x, k: ints([k]) },
        attributes: { axis },
        outputs: 2,
      }));
    return judge(fc.oneof(gather, gatherND, tile, flatten, topK), 200);
  });

  test("Einsum", () =>
    judge(
      pick<Sample>(
        { opType: "Einsum", inputs: { a: [2, 3], b: [3, 4] }, attributes: { equation: "ij,jk" } },
        {
          opType: "Einsum",
          inputs: { a: [5, 2, 3], b: [5, 3, 4] },
          attributes: { equation: "...ij, ...jk -> ...ik" },
        },
        { opType: "Einsum", inputs: { a: [3, 3] }, attributes: { equation: "ii" } },
        { opType: "Einsum", inputs: { a: [2, 3, 4] }, attributes: { equation: "b...->..." } },
        {
          opType: "Einsum",
          inputs: { a: [2, 7, 3, 4], b: [2, 9, 3, 4] },
          attributes: { equation: "bqhd,bkhd->bhqk" },
        },
      ),
      20,
    ));
});

describe("operators of com.microsoft", () => {
  const domain = "com.microsoft";
  const cases: readonly Sample[] = [
    {
      opType: "FusedMatMul",
      inputs: { a: [2, 4, 3], b: [2, 5, 4] },
      attributes: { transA: 1, transB: 1 },
      domain,
    },
    {
      opType: "FusedMatMul",
      inputs: { a: [6, 2, 3], b: [2, 3, 5] },
      attributes: { transBatchA: 1 },
      domain,
    },
    {
      opType: "FusedGemm",
      inputs: { a: [4, 3], b: [5, 4], c: [5] },
      attributes: { transA: 1, transB: 1, activation: "Relu" },
      domain,
    },
    {
      opType: "FusedConv",
      inputs: { x: [1, 2, 8, 8], w: [3, 2, 3, 3] },
      attributes: { strides: [2, 2], activation: "Relu" },
      domain,
    },
    { opType: "Gelu", inputs: { x: [2, 3] }, domain },
    { opType: "FastGelu", inputs: { x: [2, 3], b: [3] }, domain },
    { opType: "BiasGelu", inputs: { x: [2, 3], b: [3] }, domain },
    { opType: "QuickGelu", inputs: { x: [2, 3] }, domain },
    {
      opType: "SkipLayerNormalization",
      inputs: { x: [2, 3, 8], skip: [2, 3, 8], gamma: [8], beta: [8] },
      domain,
    },
    {
      opType: "SkipSimplifiedLayerNormalization",
      inputs: { x: [2, 3, 8], skip: [2, 3, 8], gamma: [8] },
      domain,
    },
    {
      opType: "Attention",
      inputs: { x: [2, 3, 8], w: [8, 24], b: [24] },
      attributes: { num_heads: 2 },
      domain,
    },
    {
      opType: "Attention",
      inputs: { x: [2, 3, 8], w: [8, 24], b: [24], mask: null, past: [2, 2, 2, 5, 4] },
      attributes: { num_heads: 2 },
      outputs: 2,
      domain,
    },
    {
      opType: "MultiHeadAttention",
      inputs: { q: [2, 3, 8], k: [2, 5, 8], v: [2, 5, 12] },
      attributes: { num_heads: 2 },
      domain,
    },
    {
      opType: "MultiHeadAttention",
      inputs: {
        q: [2, 3, 8],
        k: [2, 3, 8],
        v: [2, 3, 8],
        b: null,
        m: null,
        a: null,
        pk: [2, 2, 4, 4],
        pv: [2, 2, 4, 4],
      },
      attributes: { num_heads: 2 },
      outputs: 3,
      domain,
    },
    { opType: "Inverse", inputs: { x: [2, 3, 3] }, domain },
    {
      opType: "CDist",
      inputs: { a: [4, 3], b: [5, 3] },
      attributes: { metric: "euclidean" },
      domain,
    },
    { opType: "BiasSplitGelu", inputs: { x: [1, 2, 8], b: [8] }, domain },
    {
      opType: "DynamicQuantizeMatMul",
      inputs: {
        a: [2, 3, 4],
        b: {
          ...ints(new Array<number>(20).fill(0), [4, 5]),
          dataType: "uint8",
          data: { kind: "int32", values: new Int32Array(20) },
        },
        s: floats([1], []),
      },
      domain,
    },
    {
      opType: "MatMulNBits",
      inputs: {
        a: [2, 3, 32],
        b: {
          ...ints([]),
          dims: [8n, 1n, 16n],
          dataType: "uint8",
          data: { kind: "int32", values: new Int32Array(128) },
        },
        s: floats(new Array<number>(8).fill(1), [8, 1]),
      },
      attributes: { K: 32, N: 8, bits: 4, block_size: 32 },
      domain,
    },
  ];

  test.each(
    cases.map((one) => [`${one.opType} ${JSON.stringify(one.attributes ?? {})}`, one] as const),
  )("%s", async (_, { opType, inputs, ...options }) => {
    const model = single(opType, inputs, options);
    const { shapes, faults } = inferred(model);
    expect(faults).toBe(0);
    const actual = await shapesInOrt(model);
    // BiasSplitGelu has no kernel for the CPU.
    if (actual === null) expect(opType).toBe("BiasSplitGelu");
    else expect(shapes).toEqual(actual);
  });
});
