import { describe, expect, test } from "vitest";
import { randomFloats } from "../../../../../test/onnx-runtime.ts";
import { operators } from "../../../../../test/operators.ts";
import { identity, type Matrix, matrix, nativeRuntime } from "../../../../engine/index.ts";
import { type Model, modelBuilder } from "../../../../onnx/index.ts";
import type { PassContext } from "../../pass.ts";
import { outputsOn, relativeError } from "../sensitivity.ts";
import { scalesOf } from "./awq.ts";
import { type BlockFormat, dequantiseBlocks, gridOfBlock, levelOf } from "./blocks.ts";
import { gptq, inverseFactor } from "./gptq.ts";
import { halfQuadratic } from "./hqq.ts";
import { roundToNearest } from "./nearest.ts";
import { quantiseWeights, type WeightOnlyOptions } from "./weight-only.ts";

function lcg(seed: number, length: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

// Weights and correlated inputs as numpy had them for the reference figures.
const weights = matrix(4, 16, lcg(42, 64));
const base = lcg(43, 64 * 16);
const inputs = matrix(64, 16, base.slice());
for (let row = 0; row < 64; row++) {
  for (let column = 1; column < 16; column++) {
    const at = row * 16 + column;
    inputs.data[at] = 0.8 * (inputs.data[at - 1] ?? 0) + 0.6 * (base[at] ?? 0);
  }
}

/** 2/n X^T X */
function hessianOf({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        const product = (data[row * columns + i] ?? 0) * (data[row * columns + j] ?? 0);
        result[i * columns + j] = (result[i * columns + j] ?? 0) + (2 / rows) * product;
      }
    }
  }
  return { rows: columns, columns, data: result };
}

/** ||X (W - W')^T||^2 / ||X W^T||^2 */
function outputError(other: Float64Array): number {
  let [error, square] = [0, 0];
  for (let row = 0; row < 64; row++) {
    for (let output = 0; output < 4; output++) {
      let [y, z] = [0, 0];
      for (let i = 0; i < 16; i++) {
        const x = inputs.data[row * 16 + i] ?? 0;
        y += x * (weights.data[output * 16 + i] ?? 0);
        z += x * (other[output * 16 + i] ?? 0);
      }
      error += (y - z) ** 2;
      square += y ** 2;
    }
  }
  return error / square;
}

const format: BlockFormat = { bits: 4, blockSize: 16, symmetric: false };
/** In double precision, as the figures were computed. */
const exactGrid = (values: Float64Array) => {
  const [min, max] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = (max - min) / 15;
  return { scale, zero: Math.round(-min / scale) };
};
const options = {
  grid: exactGrid,
  level: (value: number, grid: { scale: number; zero: number }) => levelOf(value, grid, format),
};
const valuesOf = ({ levels, grids }: ReturnType<typeof gptq>): Float64Array =>
  levels.map((level, at) => {
    const grid = grids[Math.floor(at / 16)]?.[0] ?? { scale: 0, zero: 0 };
    return (level - grid.zero) * grid.scale;
  });

describe("GPTQ", () => {
  const hessian = hessianOf(inputs);

  test("has the errors of the reference: 3.505419e-3 by rounding, 1.341919e-3 by GPTQ", () => {
    const nearest = gptq(weights, identity(16), options);
    expect(outputError(valuesOf(nearest))).toBeCloseTo(3.505419e-3, 9);
    expect(outputError(valuesOf(gptq(weights, hessian, options)))).toBeCloseTo(1.341919e-3, 9);
  });

  test("is rounding to nearest where inputs are independent", () => {
    const grid = (values: Float64Array) => gridOfBlock(values, format);
    const { levels } = gptq(weights, identity(16), { ...options, grid });
    const nearest = roundToNearest(weights.data, 16, format);
    expect([...levels]).toEqual([...nearest.levels]);
  });

  test("factors the inverse: U^T U is H^-1", () => {
    const factor = inverseFactor(hessian, 0.01);
    const mean =
      Array.from({ length: 16 }, (_, i) => hessian.data[i * 17] ?? 0).reduce((a, b) => a + b) / 16;
    const damped = hessian.data.map((of, at) => of + (at % 17 === 0 ? 0.01 * mean : 0));
    // U^T U H = I.
    for (let i = 0; i < 16; i++) {
      for (let j = 0; j < 16; j++) {
        let sum = 0;
        for (let k = 0; k < 16; k++) {
          let product = 0;
          for (let l = 0; l < 16; l++)
            product += (factor.data[l * 16 + i] ?? 0) * (factor.data[l * 16 + k] ?? 0);
          sum += product * (damped[k * 16 + j] ?? 0);
        }
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 10);
      }
    }
  });

  test.each([{ groupSize: 4 }, { actOrder: true }, { groupSize: 8, actOrder: true }])(
    "errs less than rounding with %o",
    (more) => {
      const error = (h: Matrix): number => {
        const { levels, grids } = gptq(weights, h, { ...options, ...more });
        const size = more.groupSize ?? 16;
        return outputError(
          levels.map((level, at) => {
            const grid = grids[Math.floor(at / 16)]?.[Math.floor((at % 16) / size)];
            return (level - (grid?.zero ?? 0)) * (grid?.scale ?? 0);
          }),
        );
      };
      expect(error(hessian)).toBeLessThan(error(identity(16)));
    },
  );

  test("takes inputs that are always zero for what they are", () => {
    const silent = hessian.data.map((of, at) =>
      at % 16 === 3 || Math.floor(at / 16) === 3 ? 0 : of,
    );
    const { levels, grids } = gptq(weights, matrix(16, 16, silent), options);
    expect(levels[3]).toBe(grids[0]?.[0]?.zero);
    expect(levels.every(Number.isFinite)).toBe(true);
  });
});

describe("HQQ", () => {
  test("errs no more on the mean than rounding on the same grid", () => {
    const rows = lcg(5, 8 * 64).map((value, at) => value * (at % 37 === 0 ? 6 : 1));
    const wide: BlockFormat = { bits: 4, blockSize: 64, symmetric: false };
    const error = (values: Float64Array): number =>
      values.reduce((sum, value, at) => sum + Math.abs(value - (rows[at] ?? 0)), 0);
    const optimised = error(dequantiseBlocks(halfQuadratic(rows, 64, wide)));
    expect(optimised).toBeLessThan(error(dequantiseBlocks(roundToNearest(rows, 64, wide))));
  });
});

describe("AWQ", () => {
  test("with the power 0 scales nothing, and larger powers stay around 1", () => {
    const mean = Float64Array.of(10, 1, 0.1);
    expect([...scalesOf(mean, 0)]).toEqual([1, 1, 1]);
    const scales = scalesOf(mean, 0.5);
    expect((scales[0] ?? 0) * (scales[2] ?? 0)).toBeCloseTo(1, 12);
  });

  test("errs less than rounding where few inputs carry most", async () => {
    const rows = 12;
    const feeds = (seed: number) => {
      const data = (randomFloats([rows, 64], seed).data as Float32Array).map((x, at) =>
        at % 16 === 3 ? 30 * x : x,
      );
      return { x: { dataType: "float32", dims: [rows, 64], data } } as const;
    };
    const of = modelBuilder({ operators });
    const values = randomFloats([64, 32], 1).data as Float32Array;
    const product = of.op("MatMul", [
      of.input("x", "float32", ["batch", 64]),
      of.constant("float32", { dims: [64, 32], values }),
    ]);
    of.output(product, { name: "y" });
    const model = of.finish();
    const context: PassContext = {
      operators,
      runtime: nativeRuntime(),
      seed: 1,
      async *calibration() {
        for (let seed = 1; seed <= 8; seed++) yield feeds(seed);
      },
    };
    const errorBy = async (method: "rtn" | "awq"): Promise<number> => {
      const options = { method, blockSize: 16, accuracyLevel: 0 } as const;
      const { model: small } = await quantiseWeights.apply(model, context, options);
      const inputs = [feeds(99)];
      const [[before], [after]] = [
        await outputsOn(model, inputs, context),
        await outputsOn(small, inputs, context),
      ];
      return relativeError(before ?? {}, after ?? {});
    };
    expect(await errorBy("awq")).toBeLessThan(0.7 * (await errorBy("rtn")));
  });
});

test("symmetric blocks give the largest value the lowest level, exactly", () => {
  const rows = lcg(6, 32);
  const symmetric: BlockFormat = { bits: 4, blockSize: 32, symmetric: true };
  const weight = roundToNearest(rows, 32, symmetric);
  const largest = rows.reduce((most, of) => (Math.abs(of) > Math.abs(most) ? of : most), 0);
  const at = rows.indexOf(largest);
  expect(weight.levels[at]).toBe(0);
  expect(dequantiseBlocks(weight)[at]).toBeCloseTo(largest, 7);
});

describe("the operator of ONNX Runtime", () => {
  const context: PassContext = {
    operators,
    runtime: nativeRuntime(),
    seed: 1,
    async *calibration() {
      for (let seed = 101; seed <= 140; seed++) yield feedsOf(seed);
    },
  };
  const feedsOf = (seed: number) =>
    ({
      x: {
        dataType: "float32",
        dims: [6, 40],
        data: randomFloats([6, 40], seed).data as Float32Array,
      },
    }) as const;
  /** Inputs that do not fill their last block, a Gemm with a bias each way round. */
  const network = (): Model => {
    const of = modelBuilder({ operators });
    const weight = (dims: readonly number[], seed: number): string =>
      of.constant("float32", { dims, values: randomFloats(dims, seed).data as Float32Array });
    const first = of.op("MatMul", [of.input("x", "float32", ["batch", 40]), weight([40, 24], 1)]);
    const second = of.op("Gemm", [of.op("Tanh", [first]), weight([48, 24], 2), weight([48], 3)], {
      transB: 1,
    });
    of.output(of.op("Gemm", [of.op("Relu", [second]), weight([48, 8], 4)]), { name: "y" });
    return of.finish();
  };
  const errorOf = async (more: WeightOnlyOptions): Promise<number> => {
    const model = network();
    const { model: small, changes } = await quantiseWeights.apply(model, context, more);
    expect(changes).toHaveLength(3);
    const feeds = [feedsOf(9)];
    const [[before], [after]] = [
      await outputsOn(model, feeds, context),
      await outputsOn(small, feeds, context),
    ];
    return relativeError(before ?? {}, after ?? {});
  };

  test.each<[WeightOnlyOptions, number]>([
    [{ bits: 8, accuracyLevel: 1 }, 1e-4],
    [{ bits: 8, symmetric: false }, 1e-3],
    [{ bits: 4 }, 0.05],
    [{ bits: 4, symmetric: false, blockSize: 16, accuracyLevel: 0 }, 0.03],
    [{ bits: 4, method: "hqq", accuracyLevel: 0 }, 0.05],
    [{ bits: 4, method: "gptq", actOrder: true }, 0.05],
    [{ bits: 4, method: "awq", accuracyLevel: 0 }, 0.05],
  ])("reads what is packed: %o", async (more, most) => {
    const error = await errorOf(more);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(most);
  });

  test("refuses blocks that have no kernel, and gptq without inputs", async () => {
    await expect(quantiseWeights.apply(network(), context, { blockSize: 24 })).rejects.toThrow(
      /24/,
    );
    const { calibration: _, ...without } = context;
    await expect(quantiseWeights.apply(network(), without, { method: "gptq" })).rejects.toThrow(
      /gptq needs/,
    );
  });
});
