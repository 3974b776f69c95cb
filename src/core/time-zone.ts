// Wall clocks: what a clock on the wall of a time zone shows at a moment, and which moments show a given
// time. When clocks go forward some times never come; when they go back some come twice. Arithmetic on
// days and hours of a person happens here; everything else counts Unix seconds.

/** A date and a time of day as a clock shows them. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** A time zone, such as Europe/Berlin. */
export interface TimeZone {
  readonly name: string;
  /** What clocks show at a moment, Unix seconds. */
  wallTimeAt(moment: number): WallTime;
  /** Moments at which clocks show a time: none when it is skipped, two when it comes twice. */
  momentsOf(time: WallTime): readonly number[];
}

const DAY = 86_400;

/** A zone of the IANA database. Throws RangeError when there is none of that name. */
export function timeZone(name: string): TimeZone {
  const wallTimeAt = UTC_NAMES.has(name) ? utcTimeAt : wallTimeOf(name);
  return {
    name,
    wallTimeAt,
    momentsOf(time) {
      const asUtc = utcOf(time);
      // No zone changes its clocks twice within two days: the offset is that of the day before or after.
      const offsets = [asUtc - DAY, asUtc + DAY].map((near) => utcOf(wallTimeAt(near)) - near);
      return [...new Set(offsets)]
        .map((offset) => asUtc - offset)
        .filter((moment) => utcOf(wallTimeAt(moment)) === asUtc)
        .sort((a, b) => a - b);
    },
  };
}

/** Names under which servers have it. */
const UTC_NAMES: ReadonlySet<string> = new Set(["UTC", "Etc/UTC"]);

/** Clocks of UTC need no tables, which take 20 ms to load. */
function utcTimeAt(moment: number): WallTime {
  const date = new Date(Math.floor(moment) * 1000);
  return {
    ...{ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() },
    ...{ hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() },
  };
}

function wallTimeOf(name: string): TimeZone["wallTimeAt"] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (moment) => {
    const parts = format.formatToParts(Math.floor(moment) * 1000);
    const of = (type: Intl.DateTimeFormatPartTypes): number =>
      Number(parts.find((part) => part.type === type)?.value);
    const [year, month, day] = [of("year"), of("month"), of("day")];
    return { year, month, day, hour: of("hour"), minute: of("minute"), second: of("second") };
  };
}

/** The moment at which clocks of UTC show a time, Unix seconds; days beyond a month's run on. */
export const utcOf = ({ year, month, day, hour, minute, second }: WallTime): number =>
  Date.UTC(year, month - 1, day, hour, minute, second) / 1000;

/** The same time of day some days later, as calendars count. */
export function daysLater(time: WallTime, days: number): WallTime {
  const date = new Date((utcOf(time) + days * DAY) * 1000);
  return {
    ...time,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
  };
}

/** Days of the week as they are written short, Sunday first. */
export const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** The day of the week of a date. */
export const weekdayOf = (time: WallTime): (typeof WEEKDAYS)[number] =>
  WEEKDAYS[new Date(utcOf(time) * 1000).getUTCDay()] ?? "Sun";

const two = (value: number): string => String(value).padStart(2, "0");

/** `09:05`. */
export const clockText = ({ hour, minute }: WallTime): string => `${two(hour)}:${two(minute)}`;

/** `Fri 2026-01-09 09:05`. */
export const wallTimeText = (time: WallTime): string =>
  `${weekdayOf(time)} ${time.year}-${two(time.month)}-${two(time.day)} ${clockText(time)}`;
