import { expect, test } from "vitest";
import { samplingPeriod } from "./period.ts";

const counter = { kind: "counter" } as const;
const gauge = { kind: "power", updatePeriod: 0.1 } as const;

test("counters are read every second, and every ten once a run is long", () => {
  expect(samplingPeriod([counter], 0)).toBe(1);
  expect(samplingPeriod([counter], 600)).toBe(10);
});

test("power is read ten times a second while the run may be short", () => {
  expect(samplingPeriod([counter, gauge], 0)).toBe(0.1);
  expect(samplingPeriod([counter, gauge], 10)).toBe(1);
  expect(samplingPeriod([gauge], 3600)).toBe(1);
});

test("a gauge that does not say how often it is renewed is not hurried", () => {
  expect(samplingPeriod([{ kind: "power" }], 0)).toBe(1);
});

test("a counter is read twice a wrap whatever the wish", () => {
  // 65.5 kJ at 10 kW wraps in 6.55 s.
  const wrapping = { ...counter, range: 65_536, maxPower: 10_000 };
  expect(samplingPeriod([wrapping], 3600, 60)).toBeCloseTo(3.2768, 6);
  expect(samplingPeriod([wrapping], 0, 0.5)).toBe(0.5);
});
