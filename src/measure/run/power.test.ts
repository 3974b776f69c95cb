import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimate, peakOf, powerCurve } from "./power.ts";

const curve = (
  times: readonly number[],
  joules: readonly number[],
  gaps: readonly number[] = [],
) => ({
  times,
  joules,
  silent: times.slice(1).map((_, index) => gaps.includes(index)),
});

describe("a power curve", () => {
  test("is the mean power of every interval, null in a gap", () => {
    const stretches = powerCurve(curve([0, 1, 2, 4], [0, 50, 150, 190], [1]));
    expect(stretches.map(({ watts }) => watts)).toEqual([50, null, 20]);
  });

  test("joins intervals that the sensor cannot resolve, so that a lone update is no peak", () => {
    // A counter of 100 ms read every 10 ms: all of its energy in one of the readings.
    const times = Array.from({ length: 201 }, (_, index) => index / 100);
    const joules = times.map((t) => 5 * Math.floor(t * 10 + 1e-9));
    expect(peakOf(powerCurve(curve(times, joules), 0.1))).toBeCloseTo(50, 6);
  });

  test("adds what the end cuts short to the stretch before", () => {
    const stretches = powerCurve(curve([0, 1, 1.001], [0, 50, 51]));
    expect(stretches).toHaveLength(1);
    expect(stretches[0]?.watts).toBeCloseTo(51 / 1.001, 9);
  });

  test("keeps all energy that is not in a gap", () => {
    const step = fc.record({
      seconds: fc.double({ min: 0.001, max: 2, noNaN: true }),
      watts: fc.double({ min: 0, max: 500, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
        const times = [0];
        const joules = [0];
        for (const { seconds, watts } of steps) {
          times.push((times.at(-1) ?? 0) + seconds);
          joules.push((joules.at(-1) ?? 0) + seconds * watts);
        }
        const stretches = powerCurve(curve(times, joules));
        const energy = stretches.reduce(
          (sum, { from, to, watts }) => sum + (watts ?? 0) * (to - from),
          0,
        );
        expect(energy).toBeCloseTo(joules.at(-1) ?? 0, 6);
      }),
    );
  });
});

test("decimation keeps the lowest, the highest and a gap", () => {
  const stretches = Array.from({ length: 10_000 }, (_, index) => ({
    from: index,
    to: index + 1,
    watts: index === 5000 ? null : index === 7777 ? 900 : index === 3333 ? 1 : 100 + (index % 7),
  }));
  const thin = decimate(stretches, 512);
  expect(thin.length).toBeLessThanOrEqual(520);
  const watts = thin.map((stretch) => stretch.watts);
  expect(watts).toEqual(expect.arrayContaining([900, 1, null]));
  expect(thin.map(({ from }) => from)).toEqual(
    thin.map(({ from }) => from).toSorted((a, b) => a - b),
  );
});
