// Importance by reconstruction: units are removed one after the other, each time the one whose loss least
// squares repairs best, and the inverse moments follow by a block update.

import { cholesky, identity, type Matrix, matrix, solveCholesky } from "../../../engine/index.ts";
import { type Moments, notFinite } from "../statistics.ts";
import { systemOf } from "./least-squares.ts";

/** A layer behind the group: its weights as a matrix, its inputs' moments, the rows of each unit. */
export interface Patient {
  readonly weights: Matrix;
  readonly moments: Moments;
  readonly intercept: boolean;
  readonly rows: readonly (readonly number[])[];
}

/**
 * The error left after each unit has gone, with all that went before it, relative to the outputs' energy
 * and summed over the layers: rising in the order of removal, infinite for the last unit.
 */
export function surgeonScores(patients: readonly Patient[], units: number): Float64Array {
  const tables = patients.map(openTable);
  const scores = new Float64Array(units).fill(Number.POSITIVE_INFINITY);
  const left = new Set(Array.from({ length: units }, (_, unit) => unit));
  let lost = 0;
  while (left.size > 1) {
    let best = { unit: -1, loss: Number.POSITIVE_INFINITY };
    for (const unit of left) {
      const loss = tables.reduce((sum, table) => sum + table.loss(unit), 0);
      if (loss < best.loss) best = { unit, loss };
    }
    if (best.unit < 0) throw notFinite();
    lost += Math.max(0, best.loss);
    scores[best.unit] = lost;
    left.delete(best.unit);
    for (const table of tables) table.remove(best.unit);
  }
  return scores;
}

interface Table {
  loss(unit: number): number;
  remove(unit: number): void;
}

function openTable({ weights, moments, intercept, rows }: Patient): Table {
  const system = systemOf(moments, intercept);
  const size = system.rows;
  const factor = cholesky(system);
  if (factor === null) throw notFinite();
  const inverse = solveCholesky(factor, identity(size));
  const current = weights.data.slice();
  const { columns } = weights;
  const energy = energyOf(system, weights);
  /** (inverse of the block) times W of the block: what the rows of a unit do that others cannot. */
  const solved = (own: readonly number[]): Matrix => {
    const block = new Float64Array(own.length ** 2);
    const right = new Float64Array(own.length * columns);
    for (const [i, row] of own.entries()) {
      for (const [j, column] of own.entries()) {
        block[i * own.length + j] = inverse.data[row * size + column] ?? 0;
      }
      right.set(current.subarray(row * columns, (row + 1) * columns), i * columns);
    }
    const root = cholesky(matrix(own.length, own.length, block));
    if (root === null) throw notFinite();
    return solveCholesky(root, matrix(own.length, columns, right));
  };
  return {
    loss(unit) {
      const own = rows[unit] ?? [];
      const by = solved(own);
      let loss = 0;
      for (const [i, row] of own.entries()) {
        for (let j = 0; j < columns; j++) {
          loss += (by.data[i * columns + j] ?? 0) * (current[row * columns + j] ?? 0);
        }
      }
      return loss / energy;
    },
    remove(unit) {
      const own = rows[unit] ?? [];
      removeRows(own, { inverse, current, columns, by: solved(own) });
    },
  };
}

/** tr(W^T S W): the energy of the outputs. */
function energyOf(system: Matrix, weights: Matrix): number {
  const { rows: size, columns } = weights;
  let energy = 0;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const moment = system.data[i * size + k] ?? 0;
      if (moment === 0) continue;
      for (let j = 0; j < columns; j++) {
        energy +=
          moment * (weights.data[i * columns + j] ?? 0) * (weights.data[k * columns + j] ?? 0);
      }
    }
  }
  return Math.max(energy, Number.MIN_VALUE);
}

/** W -= P_:b (P_bb)^-1 W_b and P -= P_:b (P_bb)^-1 P_b:, row after row of the block. */
function removeRows(
  own: readonly number[],
  of: {
    readonly inverse: Matrix;
    readonly current: Float64Array;
    readonly columns: number;
    readonly by: Matrix;
  },
): void {
  const { inverse, current, columns, by } = of;
  const size = inverse.rows;
  for (let row = 0; row < size; row++) {
    for (const [i, gone] of own.entries()) {
      const factor = inverse.data[row * size + gone] ?? 0;
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) {
        current[row * columns + j] =
          (current[row * columns + j] ?? 0) - factor * (by.data[i * columns + j] ?? 0);
      }
    }
  }
  for (const gone of own) {
    const pivot = inverse.data[gone * size + gone] ?? 0;
    if (pivot === 0) continue;
    const line = inverse.data.slice(gone * size, (gone + 1) * size);
    for (let row = 0; row < size; row++) {
      const factor = (line[row] ?? 0) / pivot;
      if (factor === 0) continue;
      const target = inverse.data.subarray(row * size, (row + 1) * size);
      for (let column = 0; column < size; column++) {
        target[column] = (target[column] ?? 0) - factor * (line[column] ?? 0);
      }
    }
  }
  for (const gone of own) {
    for (let column = 0; column < size; column++) {
      inverse.data[gone * size + column] = 0;
      inverse.data[column * size + gone] = 0;
    }
  }
}
