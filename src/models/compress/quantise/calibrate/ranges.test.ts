import { describe, expect, test } from "vitest";
import { UINT8 } from "../grid.ts";
import { entropyRange, oneSidedEntropyRange } from "./entropy.ts";
import { count, emptyHistogram, type Histogram } from "./histogram.ts";
import { leastErrorRange } from "./mse.ts";
import { percentileRange } from "./percentile.ts";

/** Numerical Recipes' generator, as the reference values were computed with: -0.5 to 0.5. */
function lcg(seed: number, length: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

// Twenty thousand sums of three uniform numbers, twenty of them made twelve times as large.
const [a, b, c] = [lcg(7, 20_000), lcg(8, 20_000), lcg(9, 20_000)];
const sample = a.map((value, at) => (value + (b[at] ?? 0) + (c[at] ?? 0)) * (at < 20 ? 12 : 1));
const largest = sample.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function histogramOf(min: number, max: number, bins: number): Histogram {
  const histogram = emptyHistogram({ min, max }, bins);
  // In double precision, as numpy counted.
  count(histogram, sample as unknown as Float32Array);
  return histogram;
}

describe("entropy, against the figures of numpy", () => {
  test("the sample is the published one", () => {
    const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
    const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sample.length;
    expect(Math.sqrt(variance)).toBeCloseTo(0.52805, 5);
    expect(largest).toBeCloseTo(9.38994, 5);
  });

  test("2,048 bins and 128 levels cut off what is rare", () => {
    const range = entropyRange(histogramOf(-largest, largest, 2048), 128);
    expect(range.min).toBeCloseTo(-2.402504, 6);
    expect(range.max).toBeCloseTo(2.411673, 6);
    expect(range.divergence).toBeCloseTo(0.0110722, 7);
  });

  test("128 bins and 128 levels, ONNX Runtime's default, leave the range as it is", () => {
    const range = entropyRange(histogramOf(-largest, largest, 128), 128);
    expect(range.min).toBeCloseTo(-9.38994, 5);
    expect(range.max).toBeCloseTo(9.38994, 5);
    expect(range.divergence).toBe(0);
  });

  test("from zero on it uses all levels on what there is", () => {
    const histogram = emptyHistogram({ min: 0, max: largest }, 2048);
    count(histogram, Float32Array.from(sample, Math.abs));
    const range = oneSidedEntropyRange(histogram, 256);
    expect(range.min).toBe(0);
    expect(range.max).toBeGreaterThan(1);
    expect(range.max).toBeLessThan(0.9 * largest);
  });
});

describe("least square error", () => {
  const histogram = histogramOf(-largest, largest, 2048);
  const errorOf = ({ min, max }: { min: number; max: number }): number => {
    const scale = (max - min) / 255;
    return sample.reduce((sum, x) => {
      const level = Math.min(255, Math.max(0, Math.round((x - min) / scale)));
      return sum + (x - (min + scale * level)) ** 2;
    }, 0);
  };

  test("errs less on the sample itself than the whole range and than entropy", () => {
    const whole = { min: -largest, max: largest };
    const range = leastErrorRange(histogram, whole, UINT8);
    expect(errorOf(range)).toBeLessThan(errorOf(whole));
    expect(errorOf(range)).toBeLessThanOrEqual(errorOf(entropyRange(histogram, 128)) * 1.001);
  });

  test("keeps the whole range of what is spread evenly", () => {
    const even = emptyHistogram({ min: 0, max: 1 }, 2048);
    even.counts.fill(1);
    const range = leastErrorRange(even, { min: 0, max: 1 }, UINT8);
    expect(range.max).toBeGreaterThan(0.97);
    expect(range.min).toBe(0);
  });
});

describe("percentiles", () => {
  test("leave the wanted share outside, half at either end", () => {
    const { min, max } = percentileRange(histogramOf(-largest, largest, 2048), 99);
    const outside = sample.filter((x) => x < min || x > max).length;
    expect(outside / sample.length).toBeLessThanOrEqual(0.01);
    expect(outside / sample.length).toBeGreaterThan(0.005);
  });

  test("of 100 are the whole range", () => {
    const { min, max } = percentileRange(histogramOf(-largest, largest, 2048), 100);
    expect(max).toBeCloseTo(largest, 1);
    expect(min).toBeLessThan(-3);
  });
});
