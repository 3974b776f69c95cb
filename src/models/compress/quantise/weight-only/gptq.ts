// GPTQ (Frantar et al. 2022, arXiv 2210.17323): weights are rounded one input after the other, and each
// rounding error is made up for by the inputs that are still to come, as the second moments of the
// activations say.

import {
  cholesky,
  identity,
  type Matrix,
  matrix,
  solveCholesky,
  transpose,
} from "../../../../engine/index.ts";
import type { BlockGrid } from "./blocks.ts";

export interface GptqOptions {
  /** Inputs that share a grid; one grid for a whole row when left out. */
  readonly groupSize?: number;
  /**
   * Whether inputs are taken by falling second moment. Grids are then those of the original weights, so
   * that groups need not be permuted at run time. Default: false.
   */
  readonly actOrder?: boolean;
  /** Share of the mean of the diagonal that is added to it. Default: 0.01. */
  readonly damping?: number;
  /** The grid of a group of weights. */
  grid(values: Float64Array): BlockGrid;
  /** The level of a value on a grid. */
  level(value: number, grid: BlockGrid): number;
}

/** Levels and grids of rows [outputs, inputs]. */
export interface GptqResult {
  readonly levels: Float64Array;
  /** [outputs][groups] */
  readonly grids: readonly (readonly BlockGrid[])[];
  /** Sum of the weighted square errors that were made, (w - q)^2 / U_ii^2 / 2. */
  readonly loss: number;
}

const DAMPING = 0.01;
const MOST_DAMPING = 1;

/** Quantises rows [outputs, inputs] for inputs with second moments `hessian`, H = 2/n X^T X. */
export function gptq(rows: Matrix, hessian: Matrix, options: GptqOptions): GptqResult {
  const inputs = rows.columns;
  const { groupSize = inputs, actOrder = false } = options;
  const order = Array.from({ length: inputs }, (_, i) => i);
  const diagonal = (i: number): number => hessian.data[i * inputs + i] ?? 0;
  if (actOrder) order.sort((a, b) => diagonal(b) - diagonal(a));
  const factor = inverseFactor(permuted(hessian, order), options.damping ?? DAMPING);
  const levels = new Float64Array(rows.data.length);
  let loss = 0;
  const grids = Array.from({ length: rows.rows }, (_, output) => {
    const original = rows.data.subarray(output * inputs, (output + 1) * inputs);
    const row = Float64Array.from(order, (input) =>
      diagonal(input) === 0 ? 0 : (original[input] ?? 0),
    );
    const found = quantiseRow(row, { order, factor, original, groupSize, options });
    order.forEach((input, at) => {
      levels[output * inputs + input] = found.levels[at] ?? 0;
    });
    loss += found.loss;
    return found.grids;
  });
  return { levels, grids, loss };
}

interface RowWork {
  readonly order: readonly number[];
  readonly factor: Matrix;
  readonly original: Float64Array;
  readonly groupSize: number;
  readonly options: GptqOptions;
}

function quantiseRow(row: Float64Array, { order, factor, original, groupSize, options }: RowWork) {
  const inputs = row.length;
  const { actOrder = false } = options;
  const groups = Math.ceil(inputs / groupSize);
  const grids: BlockGrid[] = [];
  for (let group = 0; actOrder && group < groups; group++) {
    grids.push(options.grid(original.subarray(group * groupSize, (group + 1) * groupSize)));
  }
  const levels = new Float64Array(inputs);
  let loss = 0;
  for (let i = 0; i < inputs; i++) {
    // Errors of the inputs before have changed the weights of this group by now.
    if (!actOrder && i % groupSize === 0) grids.push(options.grid(row.subarray(i, i + groupSize)));
    const grid = grids[Math.floor((order[i] ?? 0) / groupSize)] as BlockGrid;
    const value = row[i] ?? 0;
    const level = options.level(value, grid);
    levels[i] = level;
    const pivot = factor.data[i * inputs + i] ?? 1;
    const error = (value - (level - grid.zero) * grid.scale) / pivot;
    loss += error ** 2 / 2;
    for (let j = i + 1; j < inputs; j++) {
      row[j] = (row[j] ?? 0) - error * (factor.data[i * inputs + j] ?? 0);
    }
  }
  return { levels, grids, loss };
}

/** The upper triangular U with U^T U = H^-1, of H damped until it has one. */
export function inverseFactor(hessian: Matrix, damping: number): Matrix {
  const { rows: size } = hessian;
  let mean = 0;
  for (let i = 0; i < size; i++) mean += (hessian.data[i * size + i] ?? 0) / size;
  for (let share = damping; share <= MOST_DAMPING; share *= 10) {
    const data = hessian.data.slice();
    for (let i = 0; i < size; i++) {
      const own = data[i * size + i] ?? 0;
      // An input that is always 0 decides nothing.
      data[i * size + i] = (own === 0 ? 1 : own) + share * mean;
    }
    const lower = cholesky(matrix(size, size, data));
    const inverse = lower === null ? null : cholesky(solveCholesky(lower, identity(size)));
    if (inverse !== null) return transpose(inverse);
  }
  throw new RangeError(
    "the second moments have no inverse however much is added to their diagonal",
  );
}

function permuted({ rows, data }: Matrix, order: readonly number[]): Matrix {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      result[i * rows + j] = data[(order[i] ?? 0) * rows + (order[j] ?? 0)] ?? 0;
    }
  }
  return { rows, columns: rows, data: result };
}
