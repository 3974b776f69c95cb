import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { score } from "../../../bench/predict/compare.ts";
import { drawRuns, FAMILIES } from "../../../bench/predict/series.ts";
import { marksAtEnd, predictRun, predictTotal, studentQuantile95 } from "./predict.ts";

// Student (1908) as tabulated in Abramowitz & Stegun (1964), table 26.10, Q = 0.05.
test.each([
  [2, 2.92],
  [3, 2.353],
  [5, 2.015],
  [10, 1.812],
  [30, 1.697],
  [120, 1.658],
])("the 95 %% point of Student's t with %d degrees of freedom is %d", (freedom, value) => {
  expect(studentQuantile95(freedom) / value).toBeCloseTo(1, 2);
});

test("a constant series goes on as it is", () => {
  const prediction = predictTotal([10, 10, 10, 10, 10], 100);
  expect(prediction).toMatchObject({ value: 1000, level: 10, drift: 0, warmUp: 1 });
});

test("a slow first epoch counts once and is not carried on", () => {
  const prediction = predictTotal([50, 10, 10, 10, 10], 100);
  expect(prediction?.value).toBeCloseTo(50 + 99 * 10, 6);
});

test("nothing is predicted before three neighbours agree within 5 %", () => {
  expect(predictTotal([], 10)).toBeNull();
  expect(predictTotal([10, 10, 10], 10)).toBeNull();
  expect(predictTotal([30, 20, 15, 12, 10], 10)).toBeNull();
  expect(predictTotal([30, 10, 10, 10.4], 10)).not.toBeNull();
  expect(predictTotal([30, 10, 10.6, 10], 10)).toBeNull();
});

test("one accident is drawn in, a habit is kept", () => {
  const calm = Array.from({ length: 20 }, () => 10);
  const accident = calm.map((value, i) => (i === 12 ? 100 : value));
  const habit = calm.map((value, i) => (i % 5 === 4 ? 20 : value));
  expect((predictTotal(accident, 200)?.level ?? 0) / 10).toBeLessThan(1.1);
  expect((predictTotal(habit, 200)?.value ?? 0) / (200 * 12)).toBeCloseTo(1, 1);
});

test("a finished run is known", () => {
  const epochs = [30, 10, 10.2, 10, 10.3, 10.2];
  const sum = epochs.reduce((a, b) => a + b, 0);
  expect(predictTotal(epochs, epochs.length)).toMatchObject({ value: sum, low: sum, high: sum });
});

test("predictions scale with the unit and hold their value inside their interval", () => {
  const series = fc.array(fc.double({ min: 1, max: 2, noNaN: true }), {
    minLength: 4,
    maxLength: 40,
  });
  fc.assert(
    fc.property(series, fc.integer({ min: 40, max: 500 }), (epochs, total) => {
      const one = predictTotal(epochs, total);
      const scaled = predictTotal(
        epochs.map((value) => value * 1024),
        total,
      );
      if (one === null || scaled === null) {
        expect(scaled).toBe(one);
        return;
      }
      expect(scaled.value / one.value).toBeCloseTo(1024, 6);
      expect(one.low).toBeLessThanOrEqual(one.value);
      expect(one.value).toBeLessThanOrEqual(one.high);
      const seen = epochs.reduce((a, b) => a + b, 0);
      expect(one.low).toBeGreaterThanOrEqual(seen - 1e-9);
    }),
  );
});

describe("marks", () => {
  const epochs = [12, 10, 10, 10, 10];
  test("at the beginning of epochs: the start-up is added", () => {
    const course = { startUp: 2, epochs };
    expect(marksAtEnd(course)).toBe(false);
    expect(predictRun(course, { total: 20, atEnd: false })?.value).toBeCloseTo(2 + 12 + 190, 6);
  });
  test("at the end of epochs: the start-up holds the first epoch", () => {
    const course = { startUp: 14, epochs };
    expect(marksAtEnd(course)).toBe(true);
    const prediction = predictRun(course, { total: 20, atEnd: true });
    expect(prediction?.value).toBeCloseTo(14 + 12 + 180, 6);
    // Or it was just slow, and one more epoch is to come.
    expect(prediction?.high).toBeGreaterThan(14 + 12 + 190);
  });
});

// Seeds that the constants were not chosen on.
describe("on series with warm-up and drift", () => {
  const all = FAMILIES.flatMap((family) => drawRuns(family, 120, 7));
  test.each(["first", "quarter"] as const)(
    "the error is below the mean of epochs' (%s)",
    (moment) => {
      for (const family of FAMILIES) {
        const { godwit, meanOfEpochs } = score(drawRuns(family, 120, 7), moment);
        expect(godwit, family.name).toBeLessThan(meanOfEpochs);
      }
      const { godwit, meanOfEpochs } = score(all, moment);
      expect(godwit).toBeLessThan(meanOfEpochs / 1.5);
    },
  );
  test.each(["first", "quarter"] as const)("90 %% intervals cover 85 to 95 %% (%s)", (moment) => {
    const { coverage } = score(all, moment);
    expect(coverage).toBeGreaterThan(0.85);
    expect(coverage).toBeLessThan(0.95);
  });
});
