import fc from "fast-check";
import { expect, test } from "vitest";
import { steadyRun } from "../../../test/run-records.ts";
import { clip } from "./clip.ts";
import type { GapRecord } from "./record.ts";
import { summarise } from "./result.ts";

test("parts of a run add up to it", () => {
  const run = steadyRun();
  const moment = fc.double({ min: 0.01, max: 9.99, noNaN: true });
  fc.assert(
    fc.property(moment, (cut) => {
      const parts = [clip(run, 0, cut), clip(run, cut, 10)];
      const energies = parts.map((part) =>
        part === null ? Number.NaN : (summarise(part).energy?.value ?? Number.NaN),
      );
      expect((energies[0] ?? 0) + (energies[1] ?? 0)).toBeCloseTo(375, 6);
    }),
  );
});

test("a part that ends after the last tick goes on at the last power", () => {
  const part = clip(steadyRun(), 9, 10.5);
  expect(part === null ? null : summarise(part).energy?.value).toBeCloseTo(37.5 * 1.5, 6);
});

test("a part keeps the gaps that reach into it, and no others", () => {
  const gap: GapRecord = {
    type: "gap",
    sensor: "fake:package-0",
    from: 4,
    to: 6,
    reason: "reset",
    detail: "it started again",
    joules: null,
  };
  const run = [...steadyRun(), gap];
  expect(clip(run, 5, 8)).toContain(gap);
  expect(clip(run, 6, 8)).not.toContain(gap);
});

test("nothing is made of a run with a single tick, or of no time", () => {
  expect(clip(steadyRun().slice(0, 2), 0, 1)).toBeNull();
  expect(clip(steadyRun(), 3, 3)).toBeNull();
});

test("a part between ticks has its part of a GPU's use", () => {
  const use = (t: number) => ({
    busyS: 0.8 * t,
    subjectS: 0.2 * t,
    toldS: t,
    heldS: t,
    othersS: 0,
  });
  const records = steadyRun().map((record) =>
    record.type === "tick" ? { ...record, gpu: { "fake:gpu": use(record.t) } } : record,
  );
  const ticks = clip(records, 2.5, 4.25)?.filter((record) => record.type === "tick") ?? [];
  const [first, last] = [ticks[0]?.gpu?.["fake:gpu"], ticks.at(-1)?.gpu?.["fake:gpu"]];
  expect(first).toEqual(use(2.5));
  expect((last?.subjectS ?? 0) - (first?.subjectS ?? 0)).toBeCloseTo(0.2 * 1.75, 9);
});
