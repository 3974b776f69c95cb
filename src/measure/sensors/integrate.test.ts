import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advance,
  begin,
  faultOf,
  finish,
  type IntegrationRule,
  integrate,
  longestInterval,
  type Observation,
  type Piece,
} from "./integrate.ts";

/** A server package: 32 bits of 15.26 uJ are 65,536 J; 200 W limit, updated every millisecond. */
const PACKAGE: IntegrationRule = {
  kind: "counter",
  range: 65_536,
  maxPower: 200,
  updatePeriod: 0.001,
  interval: 1,
};
const POWER: IntegrationRule = { kind: "power", interval: 1 };

const value = (t: number, joules: number): Observation => ({ kind: "value", t, value: joules });
const fault = (t: number, restarted = false): Observation => ({
  kind: "fault",
  t,
  detail: "EIO",
  restarted,
});
const all = (rule: IntegrationRule, observations: readonly Observation[], to?: number) =>
  integrate(rule, observations, {
    from: observations[0]?.t ?? 0,
    to: to ?? observations.at(-1)?.t ?? 0,
  });
const joulesOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + (piece.joules ?? 0), 0);

describe("a counter", () => {
  test("counts the difference of its readings", () => {
    expect(all(PACKAGE, [value(0, 1000), value(1, 1100), value(2, 1250)])).toEqual([
      { kind: "energy", from: 0, to: 1, joules: 100 },
      { kind: "energy", from: 1, to: 2, joules: 150 },
    ]);
  });

  test("that wraps once goes on counting", () => {
    const pieces = all(PACKAGE, [value(0, 65_500), value(1, 64)]);
    expect(pieces).toEqual([{ kind: "energy", from: 0, to: 1, joules: 100 }]);
  });

  test("is not taken to wrap above 1.5 times its highest power", () => {
    // 400 J in 1 s is 400 W; the limit is 300 W and two updates.
    const [piece] = all(PACKAGE, [value(0, 65_500), value(1, 364)]);
    expect(piece).toMatchObject({ kind: "gap", joules: null });
    const [wrap] = all(PACKAGE, [value(0, 65_500), value(1, 264)]);
    expect(wrap).toEqual({ kind: "energy", from: 0, to: 1, joules: 300 });
  });

  test("that starts again is a gap, then counts from there", () => {
    const pieces = all(PACKAGE, [value(0, 5000), value(1, 20), value(2, 120)]);
    expect(pieces).toMatchObject([
      { kind: "gap", reason: "reset", joules: null },
      { kind: "energy", joules: 100 },
    ]);
  });

  test("that runs backwards is a gap, never negative energy and never a wrap", () => {
    const [piece] = all(PACKAGE, [value(0, 5000), value(1, 4990)]);
    expect(piece).toMatchObject({ kind: "gap", reason: "backwards", joules: null });
  });

  test("without a range never wraps", () => {
    const [piece] = all({ kind: "counter", interval: 1 }, [value(0, 1e9), value(1, 3)]);
    expect(piece).toMatchObject({ kind: "gap", reason: "reset" });
  });

  test("that jumps further than the device can is a gap", () => {
    const [piece] = all(PACKAGE, [value(0, 100), value(1, 50_000)]);
    expect(piece).toMatchObject({ kind: "gap", reason: "implausible" });
  });

  test("that stands still has stalled, and its next step is not trusted", () => {
    const still = [0, 1, 2, 3].map((t) => value(t, 700));
    expect(all(PACKAGE, [...still, value(4, 800)])).toMatchObject([
      { kind: "gap", from: 0, to: 4, reason: "stalled", joules: null },
    ]);
    expect(all(PACKAGE, still)).toMatchObject([{ kind: "gap", to: 3, reason: "stalled" }]);
  });

  test("may stand still between its updates", () => {
    const slow: IntegrationRule = { kind: "counter", updatePeriod: 0.1, interval: 0.02 };
    const pieces = all(
      slow,
      [0, 0.02, 0.04, 0.06, 0.08].map((t) => value(t, 5)).concat(value(0.1, 6)),
    );
    expect(pieces).toEqual([{ kind: "energy", from: 0, to: 0.1, joules: 1 }]);
  });

  test("that could not be read is a gap with the energy it counted meanwhile", () => {
    const pieces = all(PACKAGE, [value(0, 0), fault(1), value(2, 180)]);
    expect(pieces).toEqual([
      { kind: "gap", from: 0, to: 2, reason: "unreadable", detail: "EIO", joules: 180 },
    ]);
  });

  test("of a device that went away is not mixed with its successor", () => {
    // After the driver was loaded again the new counter already stands above the old one.
    const [piece] = all(PACKAGE, [value(0, 10), fault(1, true), value(2, 60)]);
    expect(piece).toMatchObject({ kind: "gap", joules: null });
  });

  test("that disappears for good is a gap to the end", () => {
    expect(all(PACKAGE, [value(0, 10), value(1, 60), fault(2, true)], 9)).toMatchObject([
      { kind: "energy", joules: 50 },
      { kind: "gap", from: 1, to: 9, reason: "unreadable", joules: null },
    ]);
  });

  test("whose device goes away after a failed read is not mixed either", () => {
    const [piece] = all(PACKAGE, [value(0, 10), fault(1), fault(2, true), value(3, 60)]);
    expect(piece).toMatchObject({ kind: "gap", joules: null });
  });

  test("that nobody asked any more is a gap from its last change to the end", () => {
    expect(all(PACKAGE, [value(0, 10), value(1, 60)], 30)).toMatchObject([
      { kind: "energy", joules: 50 },
      { kind: "gap", from: 1, to: 30, reason: "hole", joules: null },
    ]);
  });

  test("that was never readable is one gap, not zero joules", () => {
    expect(all(PACKAGE, [fault(0), fault(1)], 2)).toMatchObject([
      { kind: "gap", from: 0, to: 2, joules: null },
    ]);
  });

  test("that may have wrapped twice is a gap", () => {
    const [piece] = all(PACKAGE, [value(0, 100), value(400, 300)]);
    expect(piece).toMatchObject({ kind: "gap", reason: "hole", joules: null });
  });

  test("gives up on a reading that is not a number", () => {
    const pieces = all(PACKAGE, [value(0, 0), value(1, Number.NaN), value(2, 100)]);
    expect(pieces).toMatchObject([{ kind: "gap", reason: "unreadable", joules: 100 }]);
  });
});

describe("power", () => {
  test("is integrated by the trapezoid rule", () => {
    expect(joulesOf(all(POWER, [value(0, 100), value(1, 200), value(2, 200)]))).toBe(350);
  });

  test("is exact for power that changes linearly", () => {
    const ramp = [0, 0.3, 1, 1.7, 3].map((t) => value(t, 10 * t));
    expect(joulesOf(all(POWER, ramp))).toBeCloseTo(45, 12);
  });

  test("that is missing is a gap", () => {
    expect(all(POWER, [value(0, 100), fault(1), value(2, 100)])).toMatchObject([
      { kind: "gap", from: 0, to: 2, reason: "unreadable", joules: null },
    ]);
  });

  test("over too long a hole is a gap, not a trapezoid", () => {
    expect(all(POWER, [value(0, 100), value(60, 100)])).toMatchObject([
      { kind: "gap", reason: "hole", joules: null },
    ]);
  });

  test("read twice from a file that has not grown counts once", () => {
    const pieces = all(POWER, [value(0, 100), value(1, 100), value(1, 100), value(2, 100)]);
    expect(joulesOf(pieces)).toBe(200);
  });

  test("holds its last reading to the end, but not across a hole", () => {
    expect(joulesOf(all(POWER, [value(0, 100)], 1))).toBe(100);
    expect(all(POWER, [value(0, 100)], 30)).toMatchObject([{ kind: "gap", reason: "hole" }]);
  });
});

describe("clocks", () => {
  const at = (t: number, wall: number, joules: number): Observation => ({
    kind: "value",
    t,
    wall,
    value: joules,
  });

  test("a suspend splits the window: the counter is not trusted across it", () => {
    const pieces = all(PACKAGE, [
      at(0, 0, 0),
      at(1, 1000, 50),
      at(2, 3_602_000, 120),
      at(3, 3_603_000, 170),
    ]);
    expect(pieces).toMatchObject([
      { kind: "energy", joules: 50 },
      { kind: "gap", from: 1, to: 2, reason: "suspended", joules: null },
      { kind: "energy", joules: 50 },
    ]);
  });

  test("a clock set back splits the window too", () => {
    const pieces = all(PACKAGE, [at(0, 1e9, 0), at(1, 0, 50)]);
    expect(pieces).toMatchObject([{ kind: "gap", reason: "clock", joules: null }]);
  });

  test("a clock that is slewed does not", () => {
    const pieces = all(PACKAGE, [at(0, 0, 0), at(100, 100_050, 5000)]);
    expect(pieces).toMatchObject([{ kind: "energy", joules: 5000 }]);
  });
});

test("a missing device is told from a failing one", () => {
  const gone = Object.assign(new Error("gone"), { code: "ENODEV" });
  expect(faultOf(gone, { t: 1 })).toMatchObject({ restarted: true });
  expect(faultOf(new Error("busy"), { t: 1 })).toMatchObject({ restarted: false, detail: "busy" });
});

test("a wrapping counter is to be read at least twice a wrap", () => {
  // 65,536 J at 200 W wrap in 328 s.
  expect(longestInterval(PACKAGE)).toBeCloseTo(163.84, 6);
  expect(longestInterval({ kind: "counter", range: 65_536 })).toBeCloseTo(32.768, 6);
  expect(longestInterval({ kind: "counter" })).toBe(Number.POSITIVE_INFINITY);
});

describe("properties", () => {
  /** Joules used in each second, all plausible, seen through a counter that wraps. */
  const uses = fc.array(fc.double({ min: 0.01, max: 290, noNaN: true }), {
    minLength: 1,
    maxLength: 60,
  });
  const start = fc.double({ min: 0, max: 65_000, noNaN: true });
  const readings = (from: number, used: readonly number[]): Observation[] => {
    let total = from;
    return [value(0, total % 65_536)].concat(
      used.map((joules, index) => {
        total += joules;
        return value(index + 1, total % 65_536);
      }),
    );
  };

  test("every joule is counted, over a wrap as well", () => {
    fc.assert(
      fc.property(start, uses, (from, used) => {
        const truth = used.reduce((sum, joules) => sum + joules, 0);
        expect(joulesOf(all(PACKAGE, readings(from, used)))).toBeCloseTo(truth, 6);
      }),
    );
  });

  test("integrating [a, b] and [b, c] is integrating [a, c]", () => {
    fc.assert(
      fc.property(start, uses, fc.nat(), (from, used, where) => {
        const seen = readings(from, used);
        const split = where % seen.length;
        const whole = joulesOf(all(PACKAGE, seen));
        const halves =
          joulesOf(all(PACKAGE, seen.slice(0, split + 1))) +
          joulesOf(all(PACKAGE, seen.slice(split)));
        expect(halves).toBeCloseTo(whole, 6);
      }),
    );
  });

  const anything = fc.array(
    fc.oneof(
      fc.record({
        value: fc.double({ min: -10, max: 70_000 }),
        step: fc.double({ min: 0, max: 50, noNaN: true }),
      }),
      fc.record({ restarted: fc.boolean(), step: fc.double({ min: 0, max: 50, noNaN: true }) }),
    ),
    { maxLength: 40 },
  );

  test("whatever is read, energy is never negative, never above the limit, and pieces touch", () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(PACKAGE, POWER), (steps, rule) => {
        let t = 0;
        let state = begin(0);
        const pieces: Piece[] = [];
        for (const step of steps) {
          t += step.step;
          const next = advance(
            rule,
            state,
            "value" in step ? value(t, step.value) : fault(t, step.restarted),
          );
          state = next.state;
          if (next.piece !== null) pieces.push(next.piece);
        }
        const tail = finish(rule, state, t + 1);
        if (tail !== null) pieces.push(tail);
        for (const [index, piece] of pieces.entries()) {
          expect(piece.to).toBeGreaterThan(piece.from);
          expect(piece.joules ?? 0).toBeGreaterThanOrEqual(0);
          const before = pieces[index - 1];
          if (before !== undefined) expect(piece.from).toBe(before.to);
          if (rule === PACKAGE) {
            const most = 1.5 * 200 * (piece.to - piece.from + 0.002);
            expect(piece.joules ?? 0).toBeLessThanOrEqual(most * (1 + 1e-12));
          }
        }
      }),
    );
  });
});
