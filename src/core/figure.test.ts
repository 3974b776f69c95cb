import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  combinedMethod,
  exact,
  type Figure,
  figure,
  product,
  scaled,
  sum,
  withError,
  Z90,
} from "./figure.ts";

const origin = { method: "measured", source: "test" } as const;

/** Positive figures with moderate, asymmetric intervals. */
const anyEnergy: fc.Arbitrary<Figure<"J">> = fc
  .tuple(
    fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
    fc.double({ min: 1, max: 3, noNaN: true }),
    fc.double({ min: 1, max: 3, noNaN: true }),
  )
  .map(([value, down, up]) => figure("J", value, { low: value / down, high: value * up }, origin));

test("Z90 leaves 5 % of a standard normal above it", () => {
  // Abramowitz & Stegun 26.2.23 inverted: the tabulated 95 % point is 1.644854.
  expect(Z90).toBeCloseTo(1.644854, 6);
});

describe("a figure", () => {
  test("holds its value inside its interval, or is refused", () => {
    expect(() => figure("J", 5, { low: 6, high: 7 }, origin)).toThrow(RangeError);
    expect(() => figure("J", Number.NaN, { low: 0, high: 7 }, origin)).toThrow(RangeError);
    expect(() => figure("J", 5, { low: 0, high: Number.POSITIVE_INFINITY }, origin)).toThrow();
  });
  test("cannot be changed", () => {
    expect(Object.isFrozen(exact("J", 1, origin))).toBe(true);
  });
  test("with an error of 3 % spans a factor of exp(1.645 x 0.03) to each side", () => {
    const { low, high } = withError("J", 100, 0.03, origin);
    expect(high / 100).toBeCloseTo(1.0506, 4);
    expect(100 / low).toBeCloseTo(1.0506, 4);
  });
});

describe("a product", () => {
  test("combines relative errors in quadrature", () => {
    // 3 % and 4 % make 5 %.
    const of = product("J", [withError("W", 10, 0.03, origin), withError("s", 7, 0.04, origin)], {
      source: "P t",
    });
    const expected = withError("J", 70, 0.05, origin);
    expect(of.value).toBe(70);
    expect(of.low).toBeCloseTo(expected.low, 9);
    expect(of.high).toBeCloseTo(expected.high, 9);
  });
  test("is relatively at least as wide as each of its factors", () => {
    fc.assert(
      fc.property(fc.array(anyEnergy, { minLength: 1, maxLength: 5 }), (factors) => {
        const of = product("J", factors, { source: "test" });
        for (const factor of factors) {
          expect(of.high / of.value).toBeGreaterThanOrEqual(
            (factor.high / factor.value) * (1 - 1e-9),
          );
          expect(of.value / of.low).toBeGreaterThanOrEqual(
            (factor.value / factor.low) * (1 - 1e-9),
          );
        }
      }),
    );
  });
  test("with a factor below resolution keeps what is possible", () => {
    const below = figure("J", 0, { low: 0, high: 2 }, origin);
    const of = product("gCO2e", [below, exact("gCO2e/kWh", 100, origin)], { source: "test" });
    expect(of).toMatchObject({ value: 0, low: 0, high: 200 });
  });
});

describe("a sum", () => {
  test("of exact figures is exact", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { maxLength: 20 }), (values) => {
        const of = sum(
          "J",
          values.map((value) => exact("J", value, origin)),
          { source: "test" },
        );
        expect(of.value).toBe(values.reduce((a, b) => a + b, 0));
        expect(of.low).toBe(of.value);
        expect(of.high).toBe(of.value);
      }),
    );
  });
  test("is nowhere narrower than its widest part", () => {
    fc.assert(
      fc.property(fc.array(anyEnergy, { minLength: 1, maxLength: 5 }), (parts) => {
        const of = sum("J", parts, { source: "test" });
        const slack = of.value * 1e-9;
        for (const part of parts) {
          expect(of.high - of.value).toBeGreaterThanOrEqual(part.high - part.value - slack);
          expect(of.value - of.low).toBeGreaterThanOrEqual(part.value - part.low - slack);
        }
      }),
      { numRuns: 50 },
    );
  });
  test("of many equal parts narrows relatively, as independent errors do", () => {
    // n independent parts of relative error s have a relative error of about s / sqrt(n).
    const parts = Array.from({ length: 100 }, () => withError("J", 1, 0.1, origin));
    const of = sum("J", parts, { source: "test" });
    const halfWidth = (of.high - of.low) / 2 / of.value;
    expect(halfWidth).toBeGreaterThan(0.9 * Z90 * 0.01);
    expect(halfWidth).toBeLessThan(1.2 * Z90 * 0.01);
  });
  test("is the same every time, because its draws are seeded", () => {
    const parts = [withError("J", 3, 0.2, origin), withError("J", 5, 0.3, origin)];
    expect(sum("J", parts, { source: "test" })).toEqual(sum("J", parts, { source: "test" }));
  });
});

test("scaling keeps the relative interval and turns it around below zero", () => {
  const of = withError("J", 10, 0.1, origin);
  expect(scaled(of, 2).high).toBeCloseTo(2 * of.high, 12);
  expect(scaled(of, -1)).toMatchObject({ value: -10, low: -of.high, high: -of.low });
});

test("fall-back reasons survive every operation, once each", () => {
  const fallen = withError("J", 1, 0.1, { ...origin, fallbacks: ["rapl denied"] });
  const of = sum("J", [fallen, fallen], { source: "test" });
  expect(of.fallbacks).toEqual(["rapl denied"]);
  expect(product("J", [of, exact("1", 2, origin)], { source: "test" }).fallbacks).toEqual([
    "rapl denied",
  ]);
});

test("an estimate among measurements makes the whole an estimate", () => {
  expect(combinedMethod(["measured", "measured"])).toBe("measured");
  expect(combinedMethod(["measured", "sampled"])).toBe("sampled");
  expect(combinedMethod(["measured", "estimated"])).toBe("estimated");
  expect(combinedMethod(["measured", "declared"])).toBe("estimated");
  expect(combinedMethod(["declared", "declared"])).toBe("declared");
});
