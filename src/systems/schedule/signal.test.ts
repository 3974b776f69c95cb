import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { between, exposureOf } from "./exposure.ts";
import { archived, forecasters, perfect, seasonalNaive, weekMean, yesterday } from "./forecast.ts";
import { signalFromCsv, signalsFromJson } from "./read-signal.ts";
import { resample } from "./resample.ts";
import { endOf, requireLike, type Signal, signal, slice, valueAt } from "./signal.ts";

const HOUR = 3600;
const DAY = 86_400;

const of = (values: readonly number[], step = HOUR) =>
  signal({
    zone: "DE",
    kind: "average",
    basis: "location",
    issuedAt: 0,
    start: 0,
    step,
    values,
    source: "test",
  });

describe("a signal", () => {
  test("is refused when a value, the step or a quantile is not a number for each step", () => {
    expect(() => of([])).toThrow(/has no values/);
    expect(() => of([1, Number.NaN])).toThrow(/no number at step 1/);
    expect(() => of([1], 0)).toThrow(/step of 0 s/);
    const quantiles = [{ p: 0.1, values: new Float64Array(1) }];
    expect(() => signal({ ...of([1, 2]), quantiles })).toThrow(/lacks values of quantile 0.1/);
  });

  test("holds each value for its step, and nothing outside", () => {
    const two = of([5, 7]);
    expect(valueAt(two, 3599)).toBe(5);
    expect(valueAt(two, 3600)).toBe(7);
    expect(() => valueAt(two, 7200)).toThrow(RangeError);
    expect(endOf(two)).toBe(7200);
    expect(Array.from(slice(of([1, 2, 3, 4]), HOUR, 3 * HOUR).values)).toEqual([2, 3]);
  });

  test("of unlike kind or basis never meets another: at compile time where known, always at run time", () => {
    const average = of([1]);
    const marginal = signal({ ...average, kind: "marginal" });
    // @ts-expect-error average and marginal do not mix
    expect(() => requireLike(average, marginal)).toThrow(/DE \(average, location\) and DE \(marg/);
    const market: Signal = signal({ ...average, basis: "market" });
    const unknown: Signal = average;
    expect(() => requireLike(unknown, market)).toThrow(/cannot be mixed/);
    expect(() => requireLike(average, of([2]))).not.toThrow();
    expectTypeOf(average).toEqualTypeOf<Signal<"average", "location">>();
  });
});

describe("resampling", () => {
  test("keeps the integral over every whole step, up and down", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 4, maxLength: 60 }),
        fc.integer({ min: 300, max: 9000 }),
        (values, step) => {
          const original = of(values);
          const other = resample(original, step);
          const [a, b] = [exposureOf(original), exposureOf(other)];
          const end = endOf(other);
          expect(between(b, 0, end)).toBeCloseTo(between(a, 0, end), 4);
          expect(end).toBeGreaterThan(endOf(original) - step);
        },
      ),
    );
  });

  test("refuses a step longer than the signal", () => {
    expect(() => resample(of([1, 2]), 3 * HOUR)).toThrow(/cannot be resampled/);
  });
});

describe("reading signals", () => {
  const meaning = { zone: "GB", kind: "average", basis: "location", source: "test" } as const;

  test("takes times without a zone as UTC and the step from the first rows", () => {
    const text = "time,gco2e_per_kwh\n2020-01-01 00:00:00,100\n2020-01-01 00:30:00,110\n";
    const read = signalFromCsv(text, meaning);
    expect(read).toMatchObject({ start: Date.UTC(2020, 0, 1) / 1000, step: 1800 });
    expect(read.issuedAt).toBe(endOf(read));
    expect(Array.from(read.values)).toEqual([100, 110]);
  });

  test("thins a finer stretch to the step, and names a hole", () => {
    const rows = ["00:00,1", "00:30,2", "00:45,9", "01:00,3", "02:00,4"];
    const text = `time,gco2e_per_kwh\n${rows.map((row) => `2020-01-01 ${row}`).join("\n")}`;
    expect(() => signalFromCsv(text, meaning)).toThrow(/no value at 2020-01-01T01:30:00.000Z/);
    const read = signalFromCsv(text.slice(0, text.lastIndexOf("\n")), meaning);
    expect(Array.from(read.values)).toEqual([1, 2, 3]);
  });

  test("an empty cell is an error, never a zero", () => {
    const text = "time,gco2e_per_kwh\n2020-01-01T00:00Z,100\n2020-01-01T01:00Z,\n";
    expect(() => signalFromCsv(text, meaning)).toThrow(/"" in row 3 is no number/);
    expect(() => signalFromCsv("time,ci\n", meaning)).toThrow(/no column time/);
  });

  test("JSON holds one signal or an archive, and says what is wrong with it", () => {
    const one = {
      schema: "godwit.signal/1",
      zone: "FR",
      kind: "marginal",
      basis: "location",
      issued_at: "2026-01-01T00:00:00Z",
      start: "2026-01-01T01:00:00+01:00",
      step_s: 300,
      values_gco2e_per_kwh: [50, 60],
      source: "test",
    };
    const [read] = signalsFromJson(JSON.stringify([one]));
    expect(read).toMatchObject({
      zone: "FR",
      kind: "marginal",
      start: Date.UTC(2026, 0, 1) / 1000,
    });
    expect(signalsFromJson(JSON.stringify(one))).toHaveLength(1);
    expect(() => signalsFromJson(JSON.stringify({ ...one, kind: "mean" }))).toThrow(/not a signal/);
    expect(() => signalsFromJson("{")).toThrow(/not JSON/);
  });
});

describe("forecasters", () => {
  // 15 days; each day's curve is the hour plus a hundred times the day.
  const history = of(
    Array.from({ length: 15 * 24 }, (_, at) => 100 * Math.floor(at / 24) + (at % 24)),
  );

  test("yesterday, the week's mean by hour and last week's curve are what their names say", () => {
    const at = 10 * DAY;
    expect(Array.from(yesterday(history, at, 30 * HOUR).values.slice(22, 26))).toEqual([
      922, 923, 900, 901,
    ]);
    // Days 3 to 9 have mean 6.
    expect(Array.from(weekMean(history, at, 2 * HOUR).values)).toEqual([600, 601]);
    expect(Array.from(seasonalNaive(history, at, 2 * HOUR).values)).toEqual([300, 301]);
    expect(Array.from(perfect(history, at, 2 * HOUR).values)).toEqual([1000, 1001]);
  });

  test("none but the perfect one looks beyond its issue time", () => {
    const at = 10 * DAY + 5 * HOUR;
    const changed = signal({
      ...history,
      values: history.values.map((value, hour) => (hour >= at / HOUR ? -1 : value)),
    });
    for (const forecaster of [yesterday, weekMean, seasonalNaive])
      expect(forecaster(changed, at, 2 * DAY).values).toEqual(
        forecaster(history, at, 2 * DAY).values,
      );
  });

  test("a day repeats from any hour of issue", () => {
    const flat = of(Array.from({ length: 15 * 24 }, (_, at) => at % 24));
    for (const forecaster of Object.values(forecasters)) {
      const from7 = forecaster(flat, 9 * DAY + 7 * HOUR, 24 * HOUR);
      expect(from7.values[0]).toBe(7);
      expect(from7.start).toBe(9 * DAY + 7 * HOUR);
    }
  });

  test("too little history is refused, not padded", () => {
    expect(() => weekMean(history, 6 * DAY, HOUR)).toThrow(
      /7-day mean by hour of DE cannot be formed/,
    );
    expect(() => perfect(history, 14 * DAY, 2 * DAY)).toThrow(/ends before its horizon/);
  });

  test("an archive gives the newest forecast that was known, of the same kind alone", () => {
    const issued = (at: number, value: number) =>
      signal({ ...of(Array.from({ length: 48 }, () => value)), start: at, issuedAt: at });
    const archive = [issued(0, 1), issued(6 * HOUR, 2), issued(12 * HOUR, 3)];
    const last = archived(archive);
    expect(last(history, 7 * HOUR, DAY).values[0]).toBe(2);
    expect(() => last(history, -1, DAY)).toThrow(/no archived forecast of DE fits/);
    const marginal = signal({ ...history, kind: "marginal" });
    expect(() => last(marginal, 7 * HOUR, DAY)).toThrow(/no archived forecast/);
  });
});
