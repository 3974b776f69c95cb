import { describe, expect, test } from "vitest";
import {
  everySecond,
  NO_SUPPLY,
  sensorRecord,
  startRecord,
  ticksAt,
} from "../../../test/run-records.ts";
import { exact, figure } from "../../core/index.ts";
import { assemble } from "./assemble.ts";
import type { StartRecord } from "./record.ts";

const declared = { method: "declared", source: "a test" } as const;
const baseline = (value: number, low = value, high = value) => ({
  "fake:package-0": figure("W", value, { low, high }, declared),
});

/** Ten seconds at 100 W, all processors busy, with this share of them the subject's. */
function energyOf(share: number, start: Partial<StartRecord>) {
  const ticks = ticksAt(everySecond(10), {
    joules: [(t) => 100 * t],
    busyS: (t) => 8 * t,
    subjectS: (t) => 8 * share * t,
  });
  const idleShare = exact("1", 0.5, declared);
  const card = assemble([startRecord({ wall: NO_SUPPLY, idleShare, ...start }), ...ticks]);
  return card.measures.energy ?? expect.fail("no energy");
}

describe("with a baseline that is exact", () => {
  const idle = baseline(40);

  test("a subject that was alone, or absent, has no doubt", () => {
    expect(energyOf(1, { idle }).net).toMatchObject({ value: 600, low: 600, high: 600 });
    expect(energyOf(0, { idle }).net).toMatchObject({ value: 0, low: 0, high: 0 });
  });

  test("one that shared the machine may have used more or less in its seconds", () => {
    // 600 J active: at weights of 1/1.5 and 1.5 a half is 0.4 and 0.6 of it.
    const { net } = energyOf(0.5, { idle });
    expect(net?.value).toBeCloseTo(300, 9);
    expect(net?.low).toBeCloseTo(240, 9);
    expect(net?.high).toBeCloseTo(360, 9);
  });
});

test("a baseline's own interval reaches net energy in full and attributed energy in part", () => {
  // 400 J of idle between 300 and 500; half of it is the subject's either way.
  const { net, attributed } = energyOf(1, { idle: baseline(40, 30, 50) });
  expect(net).toMatchObject({ value: 600, low: 500, high: 700 });
  expect(attributed).toMatchObject({ value: 800, low: 750, high: 850 });
});

test("without a baseline a busy machine may have idled at a quarter of its power", () => {
  const { net } = energyOf(1, {});
  expect(net?.value).toBeCloseTo(1000, 9);
  expect(net?.low).toBeCloseTo(750, 9);
  expect(net?.high).toBeCloseTo(1000, 9);
});

test("causes that are independent add in quadrature", () => {
  const { net } = energyOf(0.5, { idle: baseline(40, 30, 50) });
  // 60 J by weight and 50 J by idle power.
  expect((net?.value ?? 0) - (net?.low ?? 0)).toBeCloseTo(Math.hypot(60, 50), 9);
});

test("a subject cannot own more than the machine used", () => {
  const sensors = [sensorRecord({ error: { low: 0.5, high: 1.05 } })];
  const { gross, attributed } = energyOf(0.9, {
    sensors,
    idle: baseline(20, 0, 60),
    idleShare: exact("1", 1, declared),
  });
  expect(attributed?.high).toBeLessThanOrEqual(gross.high + 1e-9);
  const { net } = energyOf(0.95, { sensors, idle: baseline(0, 0, 60) });
  expect(net?.high).toBeLessThanOrEqual(gross.high + 1e-9);
});
