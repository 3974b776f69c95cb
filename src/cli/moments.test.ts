import { describe, expect, test } from "vitest";
import { UserError } from "../core/index.ts";
import { timeZone } from "../core/time-zone.ts";
import { parseMoment } from "./moments.ts";

const at = (text: string): number => Date.parse(text) / 1000;

/** Read at a moment in a zone. */
const read = (text: string, now: string, zone = "Europe/Berlin", repeated?: "second") =>
  parseMoment("--deadline", text, {
    now: at(now),
    zone: timeZone(zone),
    repeated: repeated ?? "first",
  });

const utc = (moment: number): string => new Date(moment * 1000).toISOString().slice(0, 16);

describe("moments as people type them", () => {
  // 8 January 2026 is a Thursday.
  const thursday = "2026-01-08T17:00Z";

  test.each([
    ["+18h", "2026-01-09T11:00"],
    ["now", "2026-01-08T17:00"],
    ["fri 9:00", "2026-01-09T08:00"],
    ["Friday 09:00", "2026-01-09T08:00"],
    ["thu 18:30", "2026-01-08T17:30"],
    ["thu 18:00", "2026-01-15T17:00"],
    ["9:00", "2026-01-09T08:00"],
    ["19:00", "2026-01-08T18:00"],
    ["tomorrow 6:30", "2026-01-09T05:30"],
    ["2026-01-31T12:00", "2026-01-31T11:00"],
    ["2026-01-31 12:00Z", "2026-01-31T12:00"],
    ["2026-01-31T12:00+05:30", "2026-01-31T06:30"],
  ])("%s", (text, expected) => expect(utc(read(text, thursday))).toBe(expected));

  test.each([
    "fri",
    "fry 9:00",
    "f 9:00",
    "25:00",
    "2026-02-30T12:00Z",
    "2026-13-01T00:00",
    "+-3h",
    "",
  ])("refuses %j with an example", (text) => expect(() => read(text, thursday)).toThrow(UserError));
});

// Clocks in Germany go forward on Sunday 29 March 2026 and back on Sunday 25 October 2026.
describe("over the night in which clocks change", () => {
  test("fri 9:00 is nine on the clock of that Friday, not a multiple of 24 hours away", () => {
    // The Saturday before each change, 9:00 on the clock.
    expect(utc(read("fri 9:00", "2026-03-28T08:00Z"))).toBe("2026-04-03T07:00");
    expect(utc(read("fri 9:00", "2026-10-24T07:00Z"))).toBe("2026-10-30T08:00");
  });
  test("+24h is 24 hours, tomorrow at the same time is 23", () => {
    const saturday = "2026-03-28T08:00Z";
    expect(read("+24h", saturday) - read("tomorrow 9:00", saturday)).toBe(3600);
  });
  test("a time that is skipped is refused, and one that comes twice is the safe one", () => {
    expect(() => read("sun 2:30", "2026-03-28T08:00Z")).toThrow("never comes in Europe/Berlin");
    expect(utc(read("sun 2:30", "2026-10-24T07:00Z"))).toBe("2026-10-25T00:30");
    expect(utc(read("sun 2:30", "2026-10-24T07:00Z", "Europe/Berlin", "second"))).toBe(
      "2026-10-25T01:30",
    );
  });
  test("a time that was skipped this morning is the next one, not a fault", () => {
    expect(utc(read("2:30", "2026-03-29T08:00Z"))).toBe("2026-03-30T00:30");
  });
  test("the same words mean another moment in another zone", () => {
    expect(utc(read("fri 9:00", "2026-01-08T17:00Z", "Asia/Kolkata"))).toBe("2026-01-09T03:30");
  });
});
