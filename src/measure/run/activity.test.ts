import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endRecord, everySecond, startRecord, ticksAt } from "../../../test/run-records.ts";
import { activityOf, reconcile } from "./activity.ts";
import { readTimeline } from "./timeline.ts";

const activity = (
  times: readonly number[],
  busyS: (t: number) => number | null,
  subjectS: (t: number) => number | null,
  exact: number | null = null,
) => {
  const ticks = ticksAt(times, { joules: [(t) => t], busyS, subjectS });
  const end = endRecord(times.at(-1) ?? 0, { subjectS: exact });
  const timeline = readTimeline([startRecord(), ...ticks, end]);
  return timeline === null ? expect.fail("no timeline") : activityOf(timeline);
};

describe("activity", () => {
  test("is busy time over all processors, and the subject's part of it", () => {
    const found = activity(
      everySecond(2),
      (t) => 4 * t,
      (t) => t,
    );
    expect(found).toEqual([
      { seconds: 1, utilisation: 0.5, share: 0.25 },
      { seconds: 1, utilisation: 0.5, share: 0.25 },
    ]);
  });

  test("is not trusted where busy time is a few ticks of the kernel's clock", () => {
    // One tick of 10 ms each: read apart, the first interval would be wholly the subject's.
    const busy = (t: number) => (t >= 0.1 ? 0.01 : 0) + (t >= 0.2 ? 1.99 : 0);
    const own = (t: number) => (t >= 0.1 ? 0.01 : 0) + (t >= 0.2 ? 0.49 : 0);
    const found = activity([0, 0.1, 0.2], busy, own);
    expect(found.map(({ share }) => share)).toEqual([0.25, 0.25]);
  });

  test("on an idle machine nobody has a share, and that is known", () => {
    expect(
      activity(
        everySecond(1),
        () => 0,
        () => 0,
      ),
    ).toEqual([{ seconds: 1, utilisation: 0, share: 0 }]);
  });

  test("a subject that seems busier than the machine has all of it", () => {
    const [first] = activity(
      everySecond(1),
      (t) => 2 * t,
      (t) => 2.02 * t,
    );
    expect(first?.share).toBe(1);
  });

  test("holes in CPU time are filled from their neighbours", () => {
    const found = activity(
      everySecond(4),
      (t) => (t === 2 ? null : 4 * t),
      (t) => 2 * t,
    );
    expect(found.map(({ share }) => share)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  test("without busy time nothing is known", () => {
    expect(
      activity(
        everySecond(1),
        () => null,
        (t) => t,
      )[0],
    ).toMatchObject({ share: null });
  });
});

describe("reconciling with the exact total", () => {
  test("lays missed CPU time where the machine was busy for nobody", () => {
    expect(reconcile([1, 0, 1], [1, 4, 3], 5)).toEqual([1, 2, 2]);
  });

  test("shrinks what was sampled too high", () => {
    expect(reconcile([2, 2], [4, 4], 3)).toEqual([1.5, 1.5]);
  });

  test("never gives an interval more than its busy time, and adds up where there is room", () => {
    const interval = fc.record({
      busy: fc.double({ min: 0, max: 10, noNaN: true }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const factor = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1 }), factor, (intervals, reach) => {
        const busy = intervals.map((one) => one.busy);
        const sampled = intervals.map((one) => one.busy * one.part);
        const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
        const exact = add(sampled) + reach * (add(busy) - add(sampled));
        const result = reconcile(sampled, busy, exact);
        expect(add(result)).toBeCloseTo(exact, 6);
        for (const [index, own] of result.entries()) {
          expect(own).toBeLessThanOrEqual((busy[index] ?? 0) + 1e-9);
        }
      }),
    );
  });
});
