import fc from "fast-check";
import { expect, test } from "vitest";
import { fixedDuration } from "./duration.ts";
import { between, exposureOf } from "./exposure.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import type { Policy } from "./policies/policy.ts";
import { waitAwhileInterrupting } from "./policies/wait-awhile.ts";
import { signal } from "./signal.ts";
import { cheapestSlots, lowestWindows, ranked, windowSums } from "./sweep.ts";

const years = fc.record({
  values: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }),
  length: fc.integer({ min: 1, max: 12 }),
  slack: fc.integer({ min: 0, max: 70 }),
});

test("sweeps equal the definition at every start", () => {
  fc.assert(
    fc.property(years, ({ values, length, slack }) => {
      const sum = (of: readonly number[]) => of.reduce((a, b) => a + b, 0);
      const starts = Math.max(0, values.length - length + 1);
      const windows = Array.from({ length: starts }, (_, at) => sum(values.slice(at, at + length)));
      expect(Array.from(windowSums(values, length))).toEqual(windows);
      expect(Array.from(lowestWindows(values, length, slack))).toEqual(
        windows.map((_, at) => Math.min(...windows.slice(at, at + slack + 1))),
      );
      expect(Array.from(cheapestSlots(ranked(values), length, slack))).toEqual(
        windows.map((_, at) => {
          const open = values.slice(at, at + length + slack).sort((a, b) => a - b);
          return sum(open.slice(0, length));
        }),
      );
    }),
  );
});

test("sweeps equal what the policies choose one by one", () => {
  fc.assert(
    fc.property(years, ({ values, length, slack }) => {
      fc.pre(values.length >= length + slack);
      const forecast = exposureOf(
        signal({
          ...{ zone: "x", kind: "average", basis: "location", issuedAt: 0, start: 0, step: 1 },
          values,
          source: "test",
        }),
      );
      const cost = (policy: Policy, start: number): number => {
        const work = {
          ...{ earliest: start, latestStart: start + slack, plannedS: length, watts: 1 },
          duration: fixedDuration(length),
          interruption: null,
        };
        const runs = policy.choose(work, forecast);
        return runs.reduce((sum, run) => sum + between(forecast, run.start, run.end), 0);
      };
      const windows = lowestWindows(values, length, slack);
      const slots = cheapestSlots(ranked(values), length, slack);
      for (let start = 0; start + length + slack <= values.length; start++) {
        expect(cost(lowestWindow, start)).toBeCloseTo(windows[start] ?? NaN, 9);
        expect(cost(waitAwhileInterrupting, start)).toBeCloseTo(slots[start] ?? NaN, 9);
      }
    }),
  );
});
