import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addParts,
  attributedOf,
  NO_PARTS,
  netOf,
  splitByActivity,
  splitByOccupation,
  splitExclusive,
  unattributedOf,
} from "./attribution.ts";

// Kepler, "Power Attribution Guide", docs/developer/power-attribution-guide.md of
// sustainable-computing-io/kepler at commit 0ad883c, "Attribution Examples". One second of each, so
// that watts are joules.
describe("the examples of Kepler's attribution guide", () => {
  test("1: 40 W at 25 % use leave 10 W active; a container with 20 % of CPU time gets 2 W", () => {
    const interval = { joules: 40, seconds: 1, utilisation: 0.25, share: 0.2 };
    const parts = splitByActivity(interval, null, 0);
    expect(netOf(parts)).toBe(2);
    expect(parts.ownActive + parts.otherActive).toBe(10);
    expect(parts.ownIdle + parts.otherIdle).toBe(30);
  });

  test.each([
    ["process 1", 100, 2],
    ["process 2", 80, 1.6],
    ["process 3", 70, 1.4],
    ["process 4", 60, 1.2],
    ["process 5", 200, 4],
    ["process 6", 90, 1.8],
    ["process 7", 110, 2.2],
    ["container A", 150, 3],
    ["container B", 60, 1.2],
    ["container C", 90, 1.8],
    ["container D", 110, 2.2],
    ["pod X", 200, 4],
    ["the virtual machine", 200, 4],
  ])("2: 60 W at a third of use; %s with %i of 1000 ms gets %f W", (_, milliseconds, watts) => {
    const interval = { joules: 60, seconds: 1, utilisation: 1 / 3, share: milliseconds / 1000 };
    expect(netOf(splitByActivity(interval, null, 0))).toBeCloseTo(watts, 12);
  });

  test.each([
    ["3: a container of 150 of 1000 ms", 0.15],
    ["4: a pod of 250 of 1000 ms", 0.25],
  ])("%s gets that part of active power", (_, share) => {
    const interval = { joules: 80, seconds: 1, utilisation: 0.5, share };
    expect(netOf(splitByActivity(interval, null, 0))).toBeCloseTo(share * 40, 12);
  });
});

describe("a baseline", () => {
  const interval = { joules: 100, seconds: 2, utilisation: 0.5, share: 0.25 };

  test("takes idle energy off before shares are taken", () => {
    // 100 J less 15 W for 2 s: 70 J, a quarter of it 17.5 J; half of the idle 30 J is reserved.
    expect(splitByActivity(interval, 15, 0.5)).toEqual({
      ownActive: 17.5,
      ownIdle: 15,
      otherActive: 52.5,
      otherIdle: 15,
    });
  });

  test("that is above the power of an interval takes no more than there is", () => {
    const parts = splitByActivity(interval, 80, 0);
    expect(netOf(parts)).toBe(0);
    expect(unattributedOf(parts)).toBe(100);
  });
});

test("memory in use is active and what is reserved beyond it is idle", () => {
  expect(splitByOccupation(100, 0.1, 0.25)).toEqual({
    ownActive: 10,
    ownIdle: 15,
    otherActive: 0,
    otherIdle: 75,
  });
  // Use above the limit (it was raised meanwhile) counts as used.
  expect(attributedOf(splitByOccupation(100, 0.3, 0.25))).toBe(30);
});

test("a device held alone is the subject's whole, its idle too", () => {
  expect(splitExclusive(300, 10, 12)).toEqual({
    ownActive: 180,
    ownIdle: 120,
    otherActive: 0,
    otherIdle: 0,
  });
});

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const intervals = fc.array(
  fc.record({
    joules: fc.double({ min: 0, max: 1e6, noNaN: true }),
    seconds: fc.double({ min: 1e-3, max: 100, noNaN: true }),
    utilisation: unit,
    weights: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 30 },
);

test("what n subjects get and what idles add up to what was measured", () => {
  const idlePower = fc.option(fc.double({ min: 0, max: 1e4, noNaN: true }));
  fc.assert(
    fc.property(intervals, idlePower, (given, idle) => {
      let handedOut = 0;
      let idled = 0;
      for (const { weights, ...interval } of given) {
        const all = weights.reduce((sum, weight) => sum + weight, 0);
        const shares = weights.map((weight) => (all === 0 ? 1 / weights.length : weight / all));
        for (const share of shares) {
          handedOut += netOf(splitByActivity({ ...interval, share }, idle, 0));
        }
        const any = splitByActivity({ ...interval, share: 0 }, idle, 0);
        idled += any.otherIdle;
      }
      const measured = given.reduce((sum, { joules }) => sum + joules, 0);
      expect(Math.abs(handedOut + idled - measured)).toBeLessThanOrEqual(1e-9 * (1 + measured));
    }),
  );
});

test("own and other parts add up to the interval under every rule, and none is negative", () => {
  fc.assert(
    fc.property(intervals, unit, unit, fc.option(unit), (given, share, idleShare, idle) => {
      for (const interval of given) {
        const rules = [
          splitByActivity({ ...interval, share }, idle, idleShare),
          splitByOccupation(interval.joules, share, idleShare),
          splitExclusive(interval.joules, interval.seconds, idle),
        ];
        for (const parts of rules) {
          const whole = attributedOf(parts) + unattributedOf(parts);
          expect(Math.abs(whole - interval.joules)).toBeLessThanOrEqual(1e-9 * interval.joules);
          expect(Math.min(...Object.values(parts))).toBeGreaterThanOrEqual(0);
        }
      }
    }),
  );
});

test("parts of intervals add up part by part", () => {
  const parts = { ownActive: 1, ownIdle: 2, otherActive: 3, otherIdle: 4 };
  expect(addParts(parts, NO_PARTS)).toEqual(parts);
  expect(addParts(parts, parts)).toEqual({
    ownActive: 2,
    ownIdle: 4,
    otherActive: 6,
    otherIdle: 8,
  });
});
