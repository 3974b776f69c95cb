import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { daysLater, timeZone, utcOf, type WallTime, wallTimeText } from "./time-zone.ts";

const berlin = timeZone("Europe/Berlin");
const at = (text: string): number => Date.parse(text) / 1000;
const wall = (text: string): WallTime => timeZone("UTC").wallTimeAt(at(`${text}Z`));

test("clocks of UTC, which need no tables, show what those of Etc/GMT show by the tables", () => {
  const greenwich = timeZone("Etc/GMT");
  const moment = fc.double({ min: 0, max: 4e9, noNaN: true });
  const agree = fc.property(moment, (at) => {
    expect(timeZone("UTC").wallTimeAt(at)).toEqual(greenwich.wallTimeAt(at));
  });
  fc.assert(agree);
});

// Directive 2000/84/EC: summer time begins and ends at 01:00 UTC, 2026 on 29 March and 25 October.
describe("clocks that change", () => {
  test("a time that is skipped has no moment, one that comes twice has two", () => {
    expect(berlin.momentsOf(wall("2026-03-29T02:30"))).toEqual([]);
    expect(berlin.momentsOf(wall("2026-10-25T02:30"))).toEqual([
      at("2026-10-25T00:30Z"),
      at("2026-10-25T01:30Z"),
    ]);
  });
  test("the hours beside them have one", () => {
    expect(berlin.momentsOf(wall("2026-03-29T01:59"))).toEqual([at("2026-03-29T00:59Z")]);
    expect(berlin.momentsOf(wall("2026-03-29T03:00"))).toEqual([at("2026-03-29T01:00Z")]);
    expect(berlin.momentsOf(wall("2026-10-25T03:00"))).toEqual([at("2026-10-25T02:00Z")]);
  });
  test("the zones with half-hour changes and with midnight gaps are no exception", () => {
    // Lord Howe Island moves by half an hour; Santiago skips midnight.
    const island = timeZone("Australia/Lord_Howe");
    expect(island.momentsOf(wall("2026-10-04T02:15"))).toEqual([]);
    expect(island.momentsOf(wall("2026-04-05T01:45"))).toHaveLength(2);
    expect(timeZone("America/Santiago").momentsOf(wall("2026-09-06T00:30"))).toEqual([]);
  });
});

test("what a clock shows at a moment leads back to that moment", () => {
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: at("2012-01-02T00:00Z"), max: at("2035-01-01T00:00Z") }),
      (name, moment) => {
        const zone = timeZone(name);
        expect(zone.momentsOf(zone.wallTimeAt(moment))).toContain(moment);
      },
    ),
    { numRuns: 300 },
  );
});

test("days are counted on the calendar", () => {
  expect(wallTimeText(daysLater(wall("2028-02-28T09:05"), 1))).toBe("Tue 2028-02-29 09:05");
  expect(utcOf(daysLater(wall("2026-12-31T23:00"), 1))).toBe(at("2027-01-01T23:00Z"));
});
