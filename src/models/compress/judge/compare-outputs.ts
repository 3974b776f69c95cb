// How far the outputs of two models are apart, sample by sample.

import type { Outputs, TensorElements } from "../../../engine/index.ts";

/** A sample and how much its outputs changed. */
export interface ChangedSample {
  readonly row: number;
  /** |y - y'|^2 / |y|^2 over all floating-point outputs of the sample. */
  readonly change: number;
}

/** What is known of two models' outputs so far. */
export interface OutputDifference {
  /** Largest |y - y'| over the largest |y|. */
  readonly relative: number;
  readonly absolute: number;
  /** Outputs and rows where the second model gives what is not finite and the first one does. */
  readonly nonFinite: readonly string[];
  /** The samples that changed most, most first. */
  readonly worst: readonly ChangedSample[];
}

const WORST = 10;

/** Compares batch after batch; `add` takes the outputs of both for the same rows. */
export function outputComparison(): {
  add(rows: readonly number[], before: Outputs, after: Outputs): void;
  result(): OutputDifference;
} {
  let [absolute, largest] = [0, 0];
  const nonFinite = new Set<string>();
  let worst: ChangedSample[] = [];
  return {
    add(rows, before, after) {
      const squares = rows.map(() => ({ error: 0, power: 0 }));
      for (const [name, { data, dataType, dims }] of Object.entries(before)) {
        const other = after[name]?.data;
        if (!dataType.startsWith("float") || other?.length !== data.length) continue;
        // What has no batch axis counts for the first row.
        const size = dims[0] === rows.length ? data.length / rows.length : data.length;
        const [a, b] = [numbers(data), numbers(other)];
        for (let at = 0; at < a.length; at++) {
          const [x, y] = [a[at] as number, b[at] as number];
          if (!Number.isFinite(x)) continue;
          if (!Number.isFinite(y)) nonFinite.add(`${name}, row ${rows[Math.floor(at / size)]}`);
          const error = Math.abs(x - y);
          if (error > absolute) absolute = error;
          if (Math.abs(x) > largest) largest = Math.abs(x);
          const square = squares[Math.floor(at / size)];
          if (square === undefined) continue;
          square.error += error ** 2;
          square.power += x ** 2;
        }
      }
      const changed = squares.map(({ error, power }, at) => ({
        row: rows[at] ?? 0,
        change: error === 0 ? 0 : error / Math.max(power, Number.MIN_VALUE),
      }));
      worst = [...worst, ...changed].sort((a, b) => b.change - a.change).slice(0, WORST);
    },
    result: () => ({
      absolute,
      relative: absolute === 0 ? 0 : absolute / Math.max(largest, Number.MIN_VALUE),
      nonFinite: [...nonFinite],
      worst: worst.filter(({ change }) => change > 0),
    }),
  };
}

const numbers = (data: TensorElements): ArrayLike<number> => data as unknown as ArrayLike<number>;

/** Names of outputs that differ in any bit between two runs. */
export function unequalOutputs(first: Outputs, second: Outputs): readonly string[] {
  return Object.entries(first).flatMap(([name, { data }]) => {
    const other = second[name]?.data;
    const values: ArrayLike<unknown> = data;
    const others: ArrayLike<unknown> = other ?? [];
    let same = others.length === values.length;
    for (let at = 0; same && at < values.length; at++) same = Object.is(values[at], others[at]);
    return same ? [] : [name];
  });
}
