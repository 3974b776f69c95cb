import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bridgeGaps, energyBetween, energyFigure } from "./bridge.ts";
import type { Gap, Piece } from "./integrate.ts";

const energy = (from: number, to: number, joules: number): Piece => ({
  kind: "energy",
  from,
  to,
  joules,
});
const gap = (from: number, to: number, joules: number | null = null): Gap => ({
  kind: "gap",
  from,
  to,
  reason: "unreadable",
  detail: "EIO",
  joules,
});

describe("a gap", () => {
  test("is bridged at the mean power of its neighbours, with an interval around both", () => {
    const [, bridge] = bridgeGaps([energy(0, 1, 50), gap(1, 3), energy(3, 4, 150)]);
    expect(bridge).toMatchObject({ joules: 200, low: 50, high: 600 });
  });

  test("is not bridged above the device's limit", () => {
    const [, bridge] = bridgeGaps([energy(0, 1, 50), gap(1, 3), energy(3, 4, 150)], {
      maxPower: 200,
    });
    expect(bridge?.high).toBe(400);
  });

  test("at an end of the run takes the one neighbour it has", () => {
    const [head] = bridgeGaps([gap(0, 2), energy(2, 3, 100)]);
    expect(head).toMatchObject({ joules: 200, low: 100, high: 400 });
  });

  test("behind which the counter went on has the counter's energy", () => {
    const pieces = bridgeGaps([energy(0, 1, 50), gap(1, 3, 300), energy(3, 4, 50)]);
    expect(energyBetween(pieces, { from: 0, to: 4 })).toMatchObject({
      joules: 400,
      low: 400,
      high: 400,
    });
    // Half of the gap: where in it the energy went is not known.
    expect(energyBetween(pieces, { from: 1, to: 2 })).toMatchObject({
      joules: 150,
      low: 75,
      high: 300,
    });
  });

  test("has no more than all of that energy in any part", () => {
    const pieces = bridgeGaps([energy(0, 1, 50), gap(1, 3, 300)]);
    expect(energyBetween(pieces, { from: 1, to: 2.8 })).toMatchObject({ high: 300 });
  });

  test("beside power above the device's stated limit goes up to that power", () => {
    const [, bridge] = bridgeGaps([energy(0, 1, 300), gap(1, 2)], { maxPower: 200 });
    expect(bridge).toMatchObject({ joules: 300, high: 300 });
  });

  test("that is all there is leaves the energy unknown", () => {
    expect(energyBetween(bridgeGaps([gap(0, 10)]), { from: 0, to: 10 })).toBeNull();
  });
});

describe("a window", () => {
  test("says how much of it was bridged and how much nothing covers", () => {
    const pieces = bridgeGaps([energy(0, 1, 50), gap(1, 3), energy(3, 4, 50)]);
    expect(energyBetween(pieces, { from: 0, to: 5 })).toMatchObject({ bridged: 2, uncovered: 1 });
  });

  test("shorter than 20 updates carries its quantisation error", () => {
    const pieces = bridgeGaps([energy(0, 1, 100)]);
    // 0.684 x 100 W x 0.1 s: the 90 % point of a triangular error of one update.
    expect(
      energyBetween(pieces, { from: 0, to: 1 }, { updatePeriod: 0.1 })?.quantisation,
    ).toBeCloseTo(6.838, 3);
    expect(energyBetween(pieces, { from: 0, to: 1 }, { updatePeriod: 0.05 })?.quantisation).toBe(0);
  });

  test("in which the counter has not moved is below resolution, not zero", () => {
    const still = energyBetween(
      bridgeGaps([energy(0, 0.01, 0)]),
      { from: 0, to: 0.01 },
      {
        updatePeriod: 0.1,
        maxPower: 300,
      },
    );
    expect(still?.joules).toBe(0);
    expect(still?.high).toBeCloseTo(0.6838 * 300 * 0.1, 2);
  });

  const series = fc
    .array(
      fc.tuple(
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.option(fc.double({ min: 0, max: 1e4, noNaN: true })),
      ),
      {
        minLength: 1,
        maxLength: 20,
      },
    )
    .map((steps) => {
      let t = 0;
      return steps.map(([length, joules]): Piece => {
        const from = t;
        t += length;
        return joules === null ? gap(from, t) : energy(from, t, joules);
      });
    });

  test("is the sum of its halves, wherever it is split and whatever was bridged", () => {
    fc.assert(
      fc.property(series, fc.double({ min: 0, max: 1, noNaN: true }), (pieces, where) => {
        const end = pieces.at(-1)?.to ?? 0;
        const middle = end * where;
        const spans = bridgeGaps(pieces);
        const whole = energyBetween(spans, { from: 0, to: end });
        if (whole === null) return;
        const halves =
          (energyBetween(spans, { from: 0, to: middle })?.joules ?? 0) +
          (energyBetween(spans, { from: middle, to: end })?.joules ?? 0);
        expect(halves).toBeCloseTo(whole.joules, 6);
        expect(whole.low).toBeLessThanOrEqual(whole.joules + 1e-9);
        expect(whole.high).toBeGreaterThanOrEqual(whole.joules - 1e-9);
      }),
    );
  });
});

describe("a figure", () => {
  const sensor = { method: "measured", source: "RAPL", error: 0.03 } as const;

  test("of a window that was seen has the sensor's own interval", () => {
    const seen = energyBetween(bridgeGaps([energy(0, 10, 1000)]), { from: 0, to: 10 });
    if (seen === null) throw new Error("unreachable");
    const result = energyFigure(sensor, seen);
    expect(result.method).toBe("measured");
    expect(result.fallbacks).toEqual([]);
    // exp(1.645 x 0.03) = 1.0506
    expect(result.high).toBeCloseTo(1050.6, 1);
    expect(result.low).toBeCloseTo(951.9, 1);
  });

  test("of a short window has the error of short windows, where the sensor names one", () => {
    const slow = { ...sensor, shortWindow: { below: 30, error: 0.1 } };
    const highOf = (seconds: number): number => {
      const seen = energyBetween(bridgeGaps([energy(0, 60, 6000)]), { from: 0, to: seconds });
      return seen === null ? expect.fail("no energy") : energyFigure(slow, seen).high / seen.joules;
    };
    // exp(1.645 x 0.1) = 1.1788
    expect(highOf(29.9)).toBeCloseTo(1.1788, 4);
    expect(highOf(30)).toBeCloseTo(1.0506, 4);
  });

  test("of a window that was mostly bridged is an estimate and says so", () => {
    const pieces = bridgeGaps([energy(0, 1, 100), gap(1, 10)]);
    const seen = energyBetween(pieces, { from: 0, to: 10 });
    if (seen === null) throw new Error("unreachable");
    const result = energyFigure(sensor, seen, ["rapl-perf absent: no FFI"]);
    expect(result.method).toBe("estimated");
    expect(result.fallbacks).toHaveLength(2);
    expect(result.fallbacks[1]).toContain("9.0 s bridged");
    expect(result.high).toBeGreaterThan(1800);
  });
});
