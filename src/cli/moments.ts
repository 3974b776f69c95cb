// Moments as people type them: `+18h`, `2026-01-31T12:00Z`, `fri 9:00`. Times without a zone are those of
// the clock on this machine's wall. A time that clocks skip is refused; of one that comes twice the caller
// says which is meant.

import { UserError } from "../core/index.ts";
import { daysLater, type TimeZone, utcOf, type WallTime, weekdayOf } from "../core/time-zone.ts";
import { parseDuration } from "./values.ts";

/** What a moment is counted from. */
export interface Reckoning {
  /** Unix seconds. */
  readonly now: number;
  readonly zone: TimeZone;
  /** Which is meant when clocks go back and show a time twice: the safe one for what is asked. */
  readonly repeated: "first" | "second";
}

const HINT = "Give +18h, a time such as 2026-01-31T12:00 or 2026-01-31T12:00Z, or fri 9:00.";

/** A moment, Unix seconds. Throws UserError with an example for what cannot be read. */
export function parseMoment(option: string, text: string, by: Reckoning): number {
  const trimmed = text.trim();
  if (trimmed === "now") return by.now;
  if (trimmed.startsWith("+")) return by.now + parseDuration(option, trimmed.slice(1));
  const asked = { option, text: trimmed };
  const found = fullDate(asked, by) ?? timeOfDay(asked, by);
  if (found === null) throw unreadable(asked);
  return found;
}

interface Asked {
  readonly option: string;
  readonly text: string;
}

const unreadable = ({ option, text }: Asked): UserError =>
  new UserError("usage", `${option}: cannot read "${text}"`, { hint: HINT });

const DATE =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

function fullDate(asked: Asked, by: Reckoning): number | null {
  const match = DATE.exec(asked.text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0));
  const time = { year, month, day, hour, minute, second };
  // Days beyond the month's end run on: 30 February is refused here.
  if (!isTimeOfDay(time) || daysLater(time, 0).day !== day || month > 12) throw unreadable(asked);
  const offset = match[7];
  return offset === undefined
    ? localMoment(asked, time, by)
    : utcOf(time) - 60 * minutesOf(offset.toUpperCase());
}

const isTimeOfDay = ({ hour, minute, second }: WallTime): boolean =>
  hour < 24 && minute < 60 && second < 60;

function minutesOf(offset: string): number {
  if (offset === "Z") return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function localMoment(asked: Asked, time: WallTime, { zone, repeated }: Reckoning): number {
  const moments = zone.momentsOf(time);
  const moment = repeated === "first" ? moments[0] : moments.at(-1);
  if (moment !== undefined) return moment;
  throw new UserError("usage", `${asked.option}: "${asked.text}" never comes in ${zone.name}`, {
    hint: "Clocks go forward over it; give a time of an hour before or later.",
  });
}

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** `9:00`, `fri 9:00`, `today 18:00`, `tomorrow 6:30`: the next of these that is still to come. */
function timeOfDay(asked: Asked, by: Reckoning): number | null {
  const match = /^(?:([a-z]+)\s+)?(\d{1,2}):(\d\d)$/i.exec(asked.text);
  if (match === null) return null;
  const word = match[1]?.toLowerCase() ?? "";
  const [hour, minute] = [Number(match[2]), Number(match[3])];
  const today = { ...by.zone.wallTimeAt(by.now), hour, minute, second: 0 };
  if (!isTimeOfDay(today)) return null;
  if (word === "today") return localMoment(asked, today, by);
  if (word === "tomorrow") return localMoment(asked, daysLater(today, 1), by);
  if (word !== "" && (word.length < 3 || !DAYS.some((day) => day.startsWith(word)))) return null;
  for (let days = 0; days <= 7; days++) {
    const time = daysLater(today, days);
    if (word !== "" && !word.startsWith(weekdayOf(time).toLowerCase())) continue;
    const isOver = utcOf(time) < utcOf(by.zone.wallTimeAt(by.now));
    // A time that was skipped this morning is asked for as tomorrow's.
    if (isOver && by.zone.momentsOf(time).length === 0) continue;
    const moment = localMoment(asked, time, by);
    if (moment > by.now) return moment;
  }
  return null;
}
