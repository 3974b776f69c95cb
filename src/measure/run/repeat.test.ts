import fc from "fast-check";
import { expect, test } from "vitest";
import { outlierAdvice, outliersOf, spreadOf } from "./repeat.ts";

// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.6: the divisor is n - 1.
test("the spread of 2, 4, 4, 4, 5, 5, 7, 9 is 5 with a deviation of 2.138", () => {
  const spread = spreadOf([2, 4, 4, 4, 5, 5, 7, 9]);
  expect(spread).toMatchObject({ runs: 8, mean: 5, min: 2, max: 9 });
  expect(spread.deviation).toBeCloseTo(2.13809, 5);
});

test("one run has no deviation, rather than one of zero", () => {
  expect(spreadOf([3]).deviation).toBeNull();
});

// The median is 10, the median absolute deviation 1, so the limit lies at 10 +- 14.826.
test("a run stands out beyond ten robust standard deviations, not at nine", () => {
  expect(outliersOf([8, 9, 10, 11, 12, 24.7])).toEqual([]);
  expect(outliersOf([9, 9, 10, 11, 11, 10, 24.9])).toEqual([6]);
});

test("a cold first run is told apart from a disturbed one", () => {
  const quiet = [10, 10.1, 9.9, 10, 10.1];
  expect(outlierAdvice([30, ...quiet], 0)).toContain("--warmup");
  expect(outlierAdvice([30, ...quiet], 1)).toContain("quieter");
  expect(outlierAdvice([...quiet, 30], 0)).toContain("run 6 of 6");
  expect(outlierAdvice(quiet, 0)).toBeNull();
});

test("outliers do not depend on the unit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 3 }),
      fc.integer({ min: 1, max: 16 }),
      (values, power) => {
        const scaled = values.map((value) => value * 2 ** power);
        expect(outliersOf(scaled)).toEqual(outliersOf(values));
      },
    ),
  );
});
