// A file that a meter's logger appends to, one sample a line: `time,watts` (with or without a
// heading), or the log of SPEC PTDaemon that MLPerf Power submits as spl.txt. Format and the rules
// for times: docs/methods/machine-meters.md.

import type { Host, RandomAccessFile } from "../../core/index.ts";
import { hostErrorCode, reasonOf, UserError } from "../../core/index.ts";
import { believable, quoted } from "./machine-power.ts";
import type { Meter } from "./meter-plug.ts";

/** Bytes read from the end: the longest line of a three-channel PTDaemon log has under 400. */
const TAIL = 4096;

/** Seconds after which the newest line is too old to stand for now; meters write every 0.1 to 5 s. */
const STALE = 10;

/** Seconds that a meter's clock may be ahead: two hosts under NTP agree far better. */
const AHEAD = 2;

/** One line: when, as the meter's own clock says, and how much. */
export interface Sample {
  /** Milliseconds since 1970; in the meter's local time when `local`. */
  readonly time: number;
  /** The time names no zone. */
  readonly local: boolean;
  readonly watts: number;
}

/** A file; nothing is read yet. */
export function openMeterFile(host: Host, path: string): Meter {
  // Milliseconds to take from a local time to get UTC, fixed when the first sample is seen.
  let zone: number | null = null;
  let length = 0;
  return {
    device: path.slice(path.lastIndexOf("/") + 1),
    source: `meter file ${path}`,
    async read() {
      const tail = await tailOf(host, path, length);
      length = tail.length;
      const sample = newestSample(tail.text, path);
      if (sample.local) zone ??= zoneOf(sample.time - host.wall());
      const time = sample.time - (sample.local ? (zone ?? 0) : 0);
      const age = (host.wall() - time) / 1000;
      if (age > STALE) throw notNow(path, `${age.toFixed(0)} s old`);
      if (age < -AHEAD) throw notNow(path, `${(-age).toFixed(0)} s in the future`);
      return {
        at: host.monotonic() - BigInt(Math.round(age * 1e9)),
        value: believable(sample.watts, path),
      };
    },
  };
}

/**
 * Zones are whole quarters of an hour from UTC, from -12 to +14 h (IANA time zone database, since
 * 1972), so a local time tells its zone when the clocks agree otherwise.
 */
function zoneOf(difference: number): number {
  const quarter = 15 * 60_000;
  const zone = Math.round(difference / quarter) * quarter;
  return zone >= -12 * 4 * quarter && zone <= 14 * 4 * quarter ? zone : 0;
}

/** The last complete line of a log that is a sample; notices of PTDaemon are passed over. */
export function newestSample(tail: string, path: string): Sample {
  // What follows the last line feed is being written just now.
  const lines = tail.slice(0, tail.lastIndexOf("\n") + 1).split(/\r?\n/);
  for (const line of lines.reverse()) {
    const sample = line.trim() === "" || isNotice(line) ? null : sampleOf(line, path);
    if (sample !== null) return sample;
  }
  throw malformed(path, "holds no complete line yet");
}

/** Every sample of a whole log, in its order. Throws UserError `invalid-input` naming the line. */
export function samplesOf(log: string, path: string): readonly Sample[] {
  return log.split(/\r?\n/).flatMap((line) => {
    const sample = line.trim() === "" || isNotice(line) ? null : sampleOf(line, path);
    return sample === null ? [] : [sample];
  });
}

/** A heading, a comment, or a line of PTDaemon that reports an event instead of a sample. */
const isNotice = (line: string): boolean =>
  line.startsWith("#") ||
  /^Time,[^,]*,(NOTICE|WARNING|ERROR|INFO)/.test(line) ||
  /^(time|timestamp)[^,\d]*,\s*(watts|power_w|power \(w\)|w)\s*(,|$)/i.test(line);

function sampleOf(line: string, path: string): Sample {
  const cells = line.split(",").map((cell) => cell.trim());
  const [first, second, third, fourth] = cells;
  if (first === "Time" && third === "Watts") {
    return { ...timeOf(second, path), watts: numberOf(fourth, path, line) };
  }
  if (/^(time|timestamp)/i.test(first ?? "")) {
    throw malformed(path, `has the heading ${quoted(line)}, which names no watts`);
  }
  if (cells.length < 2) throw malformed(path, `holds the line ${quoted(line)}`);
  return { ...timeOf(first, path), watts: numberOf(second, path, line) };
}

function numberOf(cell: string | undefined, path: string, line: string): number {
  const value = Number(cell);
  if (cell === undefined || cell === "" || !Number.isFinite(value)) {
    throw malformed(path, `holds the line ${quoted(line)}`);
  }
  return value;
}

/** Unix seconds or milliseconds, ISO 8601, or PTDaemon's MM-DD-YYYY hh:mm:ss.mmm. */
function timeOf(cell: string | undefined, path: string): Pick<Sample, "time" | "local"> {
  const text = cell ?? "";
  const american = /^(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d:\d\d(?:\.\d+)?)$/.exec(text);
  if (american !== null) {
    const [, month, day, year, clock] = american;
    return stamp(`${year}-${month}-${day}T${clock}Z`, true, path);
  }
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text);
    // Seconds of 2001 to 2286 have 10 digits before the point, milliseconds have 13.
    if (value >= 1e9 && value < 1e10) return { time: value * 1000, local: false };
    if (value >= 1e12 && value < 1e13) return { time: value, local: false };
    throw malformed(path, `holds the time ${text}, which is no Unix time`);
  }
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(
    text,
  );
  if (iso === null) throw malformed(path, `holds the time ${quoted(text)}`);
  const [, day, clock, zone] = iso;
  return stamp(`${day}T${clock}${zone ?? "Z"}`, zone === undefined, path);
}

function stamp(text: string, local: boolean, path: string): Pick<Sample, "time" | "local"> {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw malformed(path, `holds the time ${quoted(text)}`);
  return { time, local };
}

/** The end of a file, whole lines but for the last, and the file's length in bytes. */
async function tailOf(
  host: Host,
  path: string,
  before: number,
): Promise<{ readonly text: string; readonly length: number }> {
  try {
    const file = await host.openFile(path);
    try {
      const length = await lengthOf(file, before);
      const start = Math.max(0, length - TAIL);
      const text = new TextDecoder().decode(await file.read(start, length - start));
      // The first line of the excerpt is cut unless the excerpt is the whole file.
      return { length, text: start === 0 ? text : text.slice(text.indexOf("\n") + 1) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = hostErrorCode(error);
    throw new UserError(
      code === "EACCES" ? "denied" : "invalid-input",
      `the meter file ${path} cannot be read (${code ?? reasonOf(error)})`,
      {
        hint: "Give --meter, or GODWIT_METER, the file that your meter's logger writes.",
        cause: error,
      },
    );
  }
}

/**
 * Length of a file in bytes, found by reading single bytes onwards from what it was last time: a few
 * reads for a log that has grown by a line, about 50 at first sight of a gigabyte.
 */
async function lengthOf(file: RandomAccessFile, before: number): Promise<number> {
  const holds = async (offset: number): Promise<boolean> => {
    try {
      return (await file.read(offset, 1)).length === 1;
    } catch (error) {
      // A read beyond the end is refused by the host, without a code or as EIO.
      const code = hostErrorCode(error);
      if (code !== null && code !== "EIO") throw error;
      return false;
    }
  };
  const start = before > 0 && (await holds(before - 1)) ? before : 0;
  if (!(await holds(start))) return start;
  let step = 1;
  while (await holds(start + step)) {
    step *= 2;
    if (start + step > Number.MAX_SAFE_INTEGER / 2) throw new Error("the file has no end");
  }
  let below = start + Math.floor(step / 2);
  let beyond = start + step;
  while (beyond - below > 1) {
    const middle = Math.floor((below + beyond) / 2);
    if (await holds(middle)) below = middle;
    else beyond = middle;
  }
  return beyond;
}

const malformed = (path: string, what: string): UserError =>
  new UserError("invalid-input", `the meter file ${path} ${what}`, {
    hint: "Write one sample a line as time,watts: Unix seconds or ISO 8601, a comma, watts. PTDaemon logs are read as they are.",
  });

const notNow = (path: string, what: string): UserError =>
  new UserError("invalid-input", `the newest sample of ${path} is ${what}`, {
    hint: "Is the logger running, and do both clocks agree? Times with a zone are exact, times without one are taken as local.",
  });
