import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import { matrix } from "../../../engine/index.ts";
import { roundRow } from "./adaptive-rounding.ts";

const SIZE = 8;
const range = { least: -8, most: 7 };

const problem = fc.integer({ min: 1, max: 1e6 }).map((seed) => {
  const random = createRandom(seed);
  const numbers = (count: number) => Array.from({ length: count }, () => 2 * random.uniform() - 1);
  return { values: numbers(SIZE), inputs: numbers(SIZE * 12) };
});

function gramOf(inputs: readonly number[]): Float64Array {
  const gram = new Float64Array(SIZE * SIZE);
  for (let row = 0; row < 12; row++) {
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < SIZE; j++) {
        // Inputs that move together, as those of real layers do.
        const x = (at: number): number =>
          (inputs[row * SIZE + at] ?? 0) + (inputs[row * SIZE] ?? 0);
        gram[i * SIZE + j] = (gram[i * SIZE + j] ?? 0) + x(i) * x(j);
      }
    }
  }
  return gram;
}

const errorOf = (
  levels: ArrayLike<number>,
  values: readonly number[],
  gram: Float64Array,
  scale: number,
): number => {
  let sum = 0;
  const d = (at: number): number => (levels[at] ?? 0) * scale - (values[at] ?? 0);
  for (let i = 0; i < SIZE; i++)
    for (let j = 0; j < SIZE; j++) sum += d(i) * d(j) * (gram[i * SIZE + j] ?? 0);
  return sum;
};

test("never errs more than rounding to nearest, and no single move would err less", () => {
  const scale = 0.2;
  let [better, total, least] = [0, 0, 0];
  fc.assert(
    fc.property(problem, ({ values, inputs }) => {
      const gram = gramOf(inputs);
      const levels = roundRow(Float64Array.from(values), scale, matrix(SIZE, SIZE, gram), range);
      const nearest = values.map((value) => Math.round(value / scale));
      const [error, plain] = [
        errorOf(levels, values, gram, scale),
        errorOf(nearest, values, gram, scale),
      ];
      expect(error).toBeLessThanOrEqual(plain + 1e-12);
      let optimum = Number.POSITIVE_INFINITY;
      for (let mask = 0; mask < 2 ** SIZE; mask++) {
        const choice = values.map((value, at) => Math.floor(value / scale) + ((mask >> at) & 1));
        optimum = Math.min(optimum, errorOf(choice, values, gram, scale));
      }
      values.forEach((value, at) => {
        expect(Math.abs((levels[at] ?? 0) - value / scale)).toBeLessThan(1 + 1e-9);
        const other = Float64Array.from(levels);
        other[at] =
          (levels[at] ?? 0) > value / scale ? Math.floor(value / scale) : Math.ceil(value / scale);
        expect(errorOf(other, values, gram, scale)).toBeGreaterThanOrEqual(error - 1e-12);
      });
      if (error < plain) better++;
      total += plain;
      least += error;
      expect(error).toBeGreaterThanOrEqual(optimum - 1e-12);
    }),
    { numRuns: 40, seed: 2 },
  );
  // Most of what rounding to nearest loses comes back.
  expect(better).toBeGreaterThan(20);
  expect(least).toBeLessThan(0.7 * total);
});
