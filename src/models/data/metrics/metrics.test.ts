import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { averagePrecision } from "./average-precision.ts";
import {
  accuracy,
  agreement,
  bootstrapInterval,
  characterErrorRate,
  cosine,
  ctcGreedy,
  exactMatch,
  f1,
  levenshtein,
  majorityClass,
  meanAbsoluteError,
  meanAveragePrecision,
  meanSquaredError,
  meanTarget,
  metricNamed,
  peakSignalToNoise,
  perplexity,
  signalToNoise,
  topK,
  wilsonInterval,
  wordErrorRate,
} from "./index.ts";

const floats = (dims: readonly number[], values: readonly number[]): TensorValue => ({
  dataType: "float32",
  dims,
  data: Float32Array.from(values),
});
const labels = (...values: number[]): TensorValue => ({
  dataType: "int64",
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const texts = (...data: string[]): TensorValue => ({
  dataType: "string",
  dims: [data.length],
  data,
});

describe("intervals", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263 and 15/148, 0/20, 1/29 at 95 %.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("Wilson's interval of %i / %i as published", (successes, trials, low, high) => {
    const [from, to] = wilsonInterval(successes, trials, 1.959963984540054);
    expect(from).toBeCloseTo(low, 4);
    expect(to).toBeCloseTo(high, 4);
  });

  test("the bootstrap of a mean holds the true mean about as often as it says", () => {
    // Exponential with mean 1, 25 values: skewed, where plain percentiles hold too seldom.
    const random = createRandom(5);
    let held = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = Float64Array.from({ length: 25 }, () => -Math.log(1 - random.uniform()));
      const [low, high] = bootstrapInterval(
        25,
        (rows) => rows.reduce((sum, row) => sum + (values[row] as number), 0) / 25,
        { resamples: 300, seed: trial },
      ) ?? [0, 0];
      if (low <= 1 && 1 <= high) held++;
    }
    // Nominal 180 of 200; known to fall a little short at this size.
    expect(held).toBeGreaterThan(164);
    expect(held).toBeLessThan(194);
  });

  test("for a large symmetric sample it is the normal interval", () => {
    const random = createRandom(2);
    const values = Float64Array.from({ length: 400 }, () => random.normal());
    const mean = values.reduce((a, b) => a + b, 0) / 400;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 399);
    const interval = bootstrapInterval(
      400,
      (rows) => rows.reduce((sum, row) => sum + (values[row] as number), 0) / 400,
      { resamples: 2000 },
    );
    const half = (1.6449 * deviation) / 20;
    expect(Math.abs((interval?.[0] ?? 0) - (mean - half))).toBeLessThan(0.12 * half);
    expect(Math.abs((interval?.[1] ?? 0) - (mean + half))).toBeLessThan(0.12 * half);
  });

  test("nothing is said where nothing varies", () => {
    expect(bootstrapInterval(10, () => 1)).toBeNull();
    expect(bootstrapInterval(1, (rows) => rows.length)).toBeNull();
  });
});

describe("classes", () => {
  const scores = floats([3, 3], [0.5, 0.4, 0.1, 0.2, 0.3, 0.5, 0.6, 0.3, 0.1]);

  test("accuracy and top-k count what is among the best", () => {
    const truth = labels(0, 1, 2);
    expect(accuracy.of(scores, truth)).toMatchObject({ value: 1 / 3, samples: 3 });
    expect([...(topK(2).of(scores, truth).scores ?? [])]).toEqual([1, 1, 0]);
    expect(topK(3).of(scores, truth).value).toBe(1);
    expect(() => topK(4).of(scores, truth)).toThrow("the model gives 3 scores a sample");
  });

  test("top-1 is accuracy, and top-k never falls with k", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }),
            fc.nat(3),
          ),
          {
            minLength: 1,
            maxLength: 20,
          },
        ),
        (samples) => {
          const given = floats(
            [samples.length, 4],
            samples.flatMap(([row]) => row),
          );
          const truth = labels(...samples.map(([, label]) => label));
          const values = [1, 2, 3, 4].map((k) => topK(k).of(given, truth).value);
          expect(values[0]).toBe(accuracy.of(given, truth).value);
          expect(values).toEqual([...values].sort((a, b) => a - b));
          expect(values[3]).toBe(1);
        },
      ),
    );
  });

  // scikit-learn's documentation of f1_score: 0.26 (macro), 0.33 (micro).
  test("F1 is scikit-learn's", () => {
    const [guess, truth] = [labels(0, 2, 1, 0, 0, 1), labels(0, 1, 2, 0, 1, 2)];
    expect(f1("macro").of(guess, truth).value).toBeCloseTo(0.8 / 3, 12);
    expect(f1("micro").of(guess, truth).value).toBeCloseTo(1 / 3, 12);
    // A class that is only predicted counts 0; one that occurs nowhere does not count.
    expect(f1("macro").of(labels(0, 5), labels(0, 0)).value).toBeCloseTo(2 / 3 / 2, 12);
  });

  test("agreement compares two models without labels", () => {
    const other = floats([3, 3], [9, 0, 0, 9, 0, 0, 9, 0, 0]);
    expect(agreement.of(scores, other).value).toBeCloseTo(2 / 3, 12);
  });

  // scikit-learn's documentation of average_precision_score: 0.83 for this ranking.
  test("average precision is scikit-learn's, ties taken together", () => {
    expect(averagePrecision([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBeCloseTo(
      5 / 6,
      12,
    );
    expect(averagePrecision([1, 1, 1, 1], [true, false, false, true])).toBe(0.5);
    expect(averagePrecision([1, 2], [false, false])).toBeNaN();
    expect(meanAveragePrecision.of(scores, labels(0, 2, 1)).value).toBeCloseTo(
      // Class 0: second of three; class 1: last, tied with one other; class 2: first.
      (1 / 2 + 1 / 3 + 1) / 3,
      12,
    );
  });

  test("faults: numbers of rows, labels that are none, outputs that are not finite", () => {
    expect(() => accuracy.of(scores, labels(1, 2))).toThrow("3 predictions for 2 samples");
    expect(() => accuracy.of(scores, floats([3], [0, 0.5, 1]))).toThrow("a label of 0.5");
    expect(() => accuracy.of(floats([1, 2], [Number.NaN, 1]), labels(0))).toThrow(
      "prediction 0 is NaN",
    );
    expect(() => accuracy.of(texts("a"), labels(0))).toThrow("are texts, not numbers");
    expect(() => meanSquaredError.of(floats([2, 2], [1, 2, 3, 4]), labels(0, 1))).toThrow(
      "mse: 2 numbers are predicted for a sample, whose truth has 1",
    );
  });
});

describe("numbers", () => {
  const predicted = floats([2, 2], [1, 2, 3, 4]);
  const actual = floats([2, 2], [1, 1, 5, 4]);

  test("errors by hand", () => {
    expect(meanSquaredError.of(predicted, actual)).toMatchObject({ value: 5 / 4 });
    expect([...(meanSquaredError.of(predicted, actual).scores ?? [])]).toEqual([0.5, 2]);
    expect(meanAbsoluteError.of(predicted, actual).value).toBe(3 / 4);
    expect(signalToNoise.of(predicted, actual).value).toBeCloseTo(10 * Math.log10(43 / 5), 12);
    expect(peakSignalToNoise(5).of(predicted, actual).value).toBeCloseTo(
      10 * Math.log10(25 / 1.25),
      12,
    );
    const [first = 0, second = 0] = cosine.of(predicted, actual).scores ?? [];
    expect(first).toBeCloseTo(3 / Math.sqrt(10), 12);
    expect(second).toBeCloseTo(31 / (5 * Math.sqrt(41)), 12);
  });

  test("scaling both scales errors, and leaves ratios and directions", () => {
    const by = (value: TensorValue, factor: number) =>
      floats(
        value.dims,
        Array.from(value.data as Float32Array, (x) => factor * x),
      );
    const [p, a] = [by(predicted, 4), by(actual, 4)];
    expect(meanSquaredError.of(p, a).value).toBe(16 * 1.25);
    expect(signalToNoise.of(p, a).value).toBe(signalToNoise.of(predicted, actual).value);
    expect(cosine.of(p, a).value).toBeCloseTo(cosine.of(predicted, actual).value, 12);
  });

  test("an exact prediction has infinite SNR, and that is said", () => {
    expect(signalToNoise.of(actual, actual)).toMatchObject({ value: Infinity, interval: null });
    expect(cosine.of(floats([1, 1], [0]), floats([1, 1], [3])).value).toBe(0);
  });
});

describe("texts", () => {
  const word = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 });

  /** All ways, without memory: slow and plainly right. */
  const slow = (a: readonly string[], b: readonly string[]): number => {
    if (a.length === 0 || b.length === 0) return a.length + b.length;
    const rest = slow(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1);
    return Math.min(rest, slow(a.slice(1), b) + 1, slow(a, b.slice(1)) + 1);
  };

  test("the distance is that of trying all ways", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(levenshtein(a, b)).toBe(slow(a, b));
      }),
      { numRuns: 60 },
    );
    expect(levenshtein([..."kitten"], [..."sitting"])).toBe(3);
  });

  test("rates are edits over the length of the truth, long texts weighing more", () => {
    const [read, truth] = [texts("kitten", "ab"), texts("sitting", "ab")];
    expect(characterErrorRate.of(read, truth).value).toBeCloseTo(3 / 9, 12);
    expect([...(characterErrorRate.of(read, truth).scores ?? [])]).toEqual([3 / 7, 0]);
    expect(wordErrorRate.of(texts("the cat  sat"), texts("the hat sat down")).value).toBe(2 / 4);
    expect(characterErrorRate.of(texts("😀"), texts("😁")).value).toBe(1);
    expect(() => characterErrorRate.of(texts(""), texts(""))).toThrow("all texts are empty");
    expect(() => characterErrorRate.of(labels(1), texts("a"))).toThrow("numbers where texts");
  });

  test("blanks at the ends of a text, and more than one between words, are no faults", () => {
    const [read, truth] = [texts(" ab  cd ", "abcd"), texts("ab cd", "ab cd")];
    expect([...(exactMatch.of(read, truth).scores ?? [])]).toEqual([1, 0]);
    expect([...(characterErrorRate.of(read, truth).scores ?? [])]).toEqual([0, 1 / 5]);
  });

  test("CTC: repetitions are one unless a blank parts them", () => {
    const path = [1, 1, 0, 1, 2, 2];
    const scores = floats(
      [1, 6, 3],
      path.flatMap((best) => [0, 1, 2].map((c) => (c === best ? 1 : 0))),
    );
    expect(ctcGreedy(scores, { alphabet: ["", "a", "b"] }).data).toEqual(["aab"]);
    expect(ctcGreedy(scores, { alphabet: ["x", "a", ""], blank: 2 }).data).toEqual(["axa"]);
    expect(() => ctcGreedy(scores, { alphabet: ["a"] })).toThrow("with 1 characters");
  });
});

describe("perplexity", () => {
  test("of even odds over n classes it is n, whatever is added to the logits", () => {
    const even = floats([2, 2, 5], Array(20).fill(1000));
    const truth = { ...labels(0, 1, 4, 2), dims: [2, 2] };
    expect(perplexity.of(even, truth).value).toBeCloseTo(5, 10);
  });

  test("is the inverse of the likelihood, and leaves out what does not count", () => {
    const logits = floats([1, 2, 2], [Math.log(0.25), Math.log(0.75), 0, 0]);
    const truth = { ...labels(1, -100), dims: [1, 2] };
    expect(perplexity.of(logits, truth).value).toBeCloseTo(4 / 3, 6);
    const wrong = { ...labels(2, -100), dims: [1, 2] };
    expect(() => perplexity.of(logits, wrong)).toThrow("token 2 of 2 classes");
    expect(() => perplexity.of(logits, { ...labels(-100, -100), dims: [1, 2] })).toThrow(
      "no token",
    );
  });
});

describe("baselines and names", () => {
  test("the majority class and the mean target look at training rows alone", () => {
    expect(majorityClass([2, 1, 2, 0], 2)).toMatchObject({ dims: [2], data: Int32Array.of(2, 2) });
    const mean = meanTarget(floats([2, 2], [1, 2, 3, 6]), 2);
    expect(mean).toEqual(floats([2, 2], [2, 4, 2, 4]));
  });

  test("metrics by name; a wrong one names the nearest", () => {
    expect(metricNamed("top-3").name).toBe("top-3");
    expect(metricNamed("mse")).toBe(meanSquaredError);
    expect(() => metricNamed("acuracy")).toThrow("there is no metric acuracy");
  });

  test("intervals hold the value, for every metric that has one", () => {
    const random = createRandom(3);
    const scores = floats(
      [40, 3],
      Array.from({ length: 120 }, () => random.normal()),
    );
    const truth = labels(...Array.from({ length: 40 }, () => random.integer(3)));
    for (const metric of [
      accuracy,
      topK(2),
      f1("macro"),
      f1("micro"),
      meanAveragePrecision,
      perplexity,
    ]) {
      const { value, interval } = metric.of(scores, truth);
      const [low, high] = interval ?? [Number.NaN, Number.NaN];
      expect([metric.name, low <= value && value <= high]).toEqual([metric.name, true]);
    }
  });
});
