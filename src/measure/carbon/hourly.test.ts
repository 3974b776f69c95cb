import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { missingGrids, readGrid } from "../../../test/grid-carbon.ts";
import { exact, joules, kilowattHours, mean, withError } from "../../core/index.ts";
import { type EnergySlice, joinHourly } from "./hourly.ts";
import { intensity } from "./intensity.ts";
import { createSeries, type IntensitySeries } from "./series.ts";

const HOUR = 3_600_000;
const origin = { method: "declared", source: "a test" } as const;
const accounting = { kind: "average", basis: "location", scope: "life-cycle" } as const;
const seriesOf = (values: readonly (number | null)[], start = 0): IntensitySeries =>
  createSeries({
    ...accounting,
    zone: "X",
    source: "a test",
    points: values.flatMap((value, at) =>
      value === null ? [] : [{ start: start + at * HOUR, end: start + (at + 1) * HOUR, value }],
    ),
  });
const meanOf = (value: number) => intensity(withError("gCO2e/kWh", value, 0.3, origin), accounting);
const slice = (start: number, end: number, kwh: number): EnergySlice => ({
  start: start * HOUR,
  end: end * HOUR,
  energy: kilowattHours(kwh),
});

describe("energy joined with the hours it was used in", () => {
  test("partial hours count by time", () => {
    // 3 kWh from 0:30 to 2:00: 1 kWh in the first hour, 2 kWh in the second.
    const { emissions, covered } = joinHourly(
      [slice(0.5, 2, 3)],
      seriesOf([100, 400]),
      meanOf(300),
    );
    expect(emissions.figure.value).toBeCloseTo(100 + 800, 6);
    expect(covered).toBe(1);
  });
  test("a gap falls back on the mean, with a wider interval, and says so", () => {
    const slices = [slice(0, 1, 1), slice(1, 2, 1)];
    const full = joinHourly(slices, seriesOf([100, 100]), meanOf(100));
    const half = joinHourly(slices, seriesOf([100, null]), meanOf(100));
    expect(half.emissions.figure.value).toBeCloseTo(200, 9);
    expect(half.covered).toBe(0.5);
    expect(half.notices).toEqual([
      "50 % of the energy has no hourly intensity; the mean stands in",
    ]);
    expect(half.emissions.figure.fallbacks).toEqual(half.notices);
    expect(full.notices).toEqual([]);
    const width = ({ emissions: { figure } }: typeof full) => figure.high - figure.low;
    expect(width(half)).toBeGreaterThan(1.5 * width(full));
  });
  test("outside the series all falls back; no energy is no emissions", () => {
    const outside = joinHourly([slice(100, 101, 2)], seriesOf([100]), meanOf(300));
    expect(outside.emissions.figure.value).toBeCloseTo(600, 9);
    expect(outside).toMatchObject({ covered: 0, meanIntensity: null, errorOfMean: null });
    expect(joinHourly([], seriesOf([100]), meanOf(300)).emissions.figure.value).toBe(0);
  });
  test("constant intensity gives what one multiplication gives, however energy is cut", () => {
    const cut = fc.array(
      fc.record({
        start: fc.integer({ min: 0, max: 40 * HOUR }),
        length: fc.integer({ min: 1, max: 8 * HOUR }),
        energy: fc.double({ min: 0, max: 1e9, noNaN: true }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(cut, (cuts) => {
        const slices = cuts.map(({ start, length, energy }) => ({
          start,
          end: start + length,
          energy: joules(energy),
        }));
        const total = slices.reduce((all, { energy }) => all + energy, 0);
        const joined = joinHourly(slices, seriesOf(Array(50).fill(250)), meanOf(9));
        const expected = (total / 3.6e6) * 250;
        expect(joined.emissions.figure.value).toBeCloseTo(expected, 3);
      }),
    );
  });
  test("a mean of another accounting is refused, and so is a slice backwards", () => {
    const direct = intensity(exact("gCO2e/kWh", 300, origin), { ...accounting, scope: "direct" });
    expect(() => joinHourly([slice(0, 1, 1)], seriesOf([100]), direct)).toThrow(/cannot fall back/);
    expect(() => joinHourly([slice(2, 1, 1)], seriesOf([100]), meanOf(1))).toThrow(RangeError);
  });
});

describe.skipIf(missingGrids !== null)("where the annual mean would have been wrong (2021)", () => {
  const year = (grid: string) => {
    const hours = readGrid(grid).filter(({ start }) => new Date(start).getUTCFullYear() === 2021);
    const series = createSeries({
      ...accounting,
      zone: grid,
      source: `${grid}, hourly`,
      points: hours.map(({ start, lifeCycle }) => ({ start, end: start + HOUR, value: lifeCycle })),
    });
    return { series, mean: meanOf(mean(hours.map(({ lifeCycle }) => lifeCycle))) };
  };
  /** A job of two hours at 1 kW that begins at the same hour of every day of the year. */
  const daily = (hour: number): readonly EnergySlice[] =>
    Array.from({ length: 364 }, (_, day) => {
      const start = Date.UTC(2021, 0, 1 + day, hour);
      return { start, end: start + 2 * HOUR, energy: kilowattHours(2) };
    });
  const error = (grid: string, hour: number): number => {
    const { series, mean } = year(grid);
    return 100 * (joinHourly(daily(hour), series, mean).errorOfMean ?? Number.NaN);
  };

  test("California: at noon the mean says far too much, in the evening too little", () => {
    // In percent; 20:00 UTC is noon in California, 4:00 UTC is evening.
    expect(Math.round(error("CISO", 20))).toBe(45);
    expect(Math.round(error("CISO", 4))).toBe(-18);
  });
  test("Germany: noon against the early evening", () => {
    expect(Math.round(error("DE", 11))).toBe(17);
    expect(Math.round(error("DE", 18))).toBe(-10);
  });
  test("Poland: coal around the clock, so the mean is nearly right at any hour", () => {
    for (const hour of [0, 6, 12, 18]) expect(Math.abs(error("PL", hour))).toBeLessThan(6);
  });
  test("a single day may be off by more than any daily habit", () => {
    const { series, mean: annual } = year("DE");
    const errors = daily(11).map(
      (one) => 100 * (joinHourly([one], series, annual).errorOfMean ?? Number.NaN),
    );
    expect(Math.max(...errors)).toBeGreaterThan(100);
    expect(Math.min(...errors)).toBeLessThan(-25);
  });
  test("all hours together give back the mean", () => {
    const { series, mean: annual } = year("DE");
    const [first, last] = [series.points[0], series.points.at(-1)];
    const whole = { start: first?.start ?? 0, end: last?.end ?? 0, energy: kilowattHours(8760) };
    expect(joinHourly([whole], series, annual).errorOfMean).toBeCloseTo(0, 9);
  });
});
