import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { externalMeter, openMeter } from "./external-meter.ts";
import { newestSample } from "./meter-file.ts";

/** The wall clock of a fake host when it starts. */
const NOW = Date.UTC(2026, 0, 1);
const unix = (offset = 0): string => String(NOW / 1000 + offset);
const hostWith = (text: string) => createFakeHost({ files: { "/log/m.csv": text } });
const read = async (text: string) => await (await openMeter(hostWith(text), "/log/m.csv")).read();

describe("times", () => {
  test("of every kind stand for the moment that they name", async () => {
    for (const time of [
      unix(),
      `${unix()}.000`,
      String(NOW),
      "2026-01-01T00:00:00Z",
      "2026-01-01T05:30:00+05:30",
      "2025-12-31 19:00:00.000-0500",
    ]) {
      const { at, value } = await read(`time,watts\n${time},25.5\n`);
      expect([time, at, value]).toEqual([time, 1_000_000_000n, 25.5]);
    }
  });

  test("a sample of a moment ago is dated back by its age", async () => {
    const { at } = await read(`${unix(-0.25)},25.5\n`);
    expect(at).toBe(750_000_000n);
  });

  test("that are old or ahead are errors that say by how much", async () => {
    await expect(read(`${unix(-61)},25\n`)).rejects.toThrow("61 s old");
    await expect(read(`${unix(30)},25\n`)).rejects.toThrow("30 s in the future");
    await expect(read("12.5,25\n")).rejects.toThrow("no Unix time");
    await expect(read("yesterday,25\n")).rejects.toThrow('the time "yesterday"');
    await expect(read("2026-13-45T00:00:00Z,25\n")).rejects.toThrow("holds the time");
  });

  test("without a zone are local: a whole number of quarter hours off is the zone", async () => {
    // Kathmandu is 5 h 45 min ahead.
    const { at } = await read("2026-01-01T05:44:59.500,25\n");
    expect(at).toBe(500_000_000n);
    // The machine that runs the analyser may be in New York.
    await read("Time,12-31-2025 19:00:00.000,Watts,25.13,Volts,228,Mark,notset\n");
    await expect(read("2026-01-01T05:40:00,25\n")).rejects.toThrow("s old");
  });

  test("the zone of a log is fixed by its first sample, so a stopped log grows old", async () => {
    const host = hostWith("2026-01-01T02:00:00,25\n");
    const sensor = await openMeter(host, "/log/m.csv");
    host.advance(3_600_000);
    await expect(sensor.read()).rejects.toThrow("3600 s old");
  });

  test("a clock that jumps is a gap, and the log catches up with it", async () => {
    const host = hostWith(`${unix()},25\n`);
    const sensor = await openMeter(host, "/log/m.csv");
    host.jumpWall(-3_600_000);
    await expect(sensor.read()).rejects.toThrow("in the future");
    host.files.set("/log/m.csv", `${unix()},25\n${unix(-3600)},26\n`);
    expect((await sensor.read()).value).toBe(26);
  });
});

describe("lines", () => {
  // MLPerf Power, spl.txt of SPEC PTDaemon 1.9; the multi-channel line and the notices are of the
  // logs in the tests of mlcommons/power-dev.
  const ptdaemon = [
    "Time,01-01-2026 00:00:00.000,NOTICE,Analyzer identity response of 32 bytes: YOKOGAWA,WT310",
    "Time,01-01-2026 00:00:00.053,Watts,25.130000,Volts,228.340000,Amps,0.226790,PF,0.485300,Mark,notset",
    "Time,01-01-2026 00:00:00.100,Watts,272.930000,Volts,-1.000000,Amps,-1.000000,PF,-1.000000,Mark,notset,Ch1,Watts,91.060000,Volts,120.950000",
  ];

  test("of PTDaemon are read, the sum of its channels and not the first", () => {
    expect(newestSample(`${ptdaemon.join("\r\n")}\r\n`, "spl.txt")).toEqual({
      time: NOW + 100,
      local: true,
      watts: 272.93,
    });
  });

  test("that only report an event are passed over", () => {
    const text = `${ptdaemon[1]}\n${ptdaemon[0]}\n# comment\n\n`;
    expect(newestSample(text, "spl.txt").watts).toBe(25.13);
    expect(newestSample(`${unix()},7\ntime,watts\n`, "m.csv").watts).toBe(7);
  });

  test("that are being written are left for the next time", async () => {
    const whole = `${unix()},25.5\n`;
    const next = `${unix(1)},31.25\n`;
    for (let cut = 0; cut < next.length; cut += 1) {
      expect((await read(whole + next.slice(0, cut))).value).toBe(25.5);
    }
  });

  test("with another unit, too few cells or no number are errors with a name", async () => {
    for (const text of [
      `time,kilowatts\n`,
      `time,volts\n${unix()},\n`,
      `${unix()}\n`,
      `${unix()},25 W\n`,
      `${unix()},NaN\n`,
      `${unix()},Infinity\n`,
      "Time,01-01-2026 00:00:00.053,Watts\n",
      "\u0000\u0001\u0002\n",
      "",
      "no line feed",
    ]) {
      await expect(read(text)).rejects.toMatchObject({
        name: "UserError",
        code: "invalid-input",
        hint: expect.stringContaining("time,watts"),
      });
    }
    await expect(read(`${unix()},0\n`)).rejects.toThrow("0 W, but this machine is running");
    await expect(read(`${unix()},-1.000000\n`)).rejects.toThrow("-1 W");
    await expect(read(`${unix()},25130000\n`)).rejects.toThrow("milliwatts");
  });

  // Pieces of real lines, put together wrongly, come closer to a sample than random text does.
  const piece = fc.constantFrom(
    ...["Time", "time", "Watts", "watts", "NOTICE", ",", ",", ",", "\n", "\r\n", "#", " ", "-"],
    ...["25.13", "1767225600", "01-01-2026 00:00:00.000", "2026-01-01T00:00:00Z", "NaN", "\u0000"],
  );

  test("any text at all gives a sample or a UserError", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        try {
          const { watts, time } = newestSample(`${text}\n`, "m.csv");
          expect(Number.isFinite(watts) && Number.isFinite(time)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: "UserError" });
        }
      }),
    );
  });
});

describe("a file", () => {
  test("of any length is read at its end", async () => {
    for (const lines of [1, 2, 100, 5000]) {
      const text = Array.from({ length: lines }, (_, i) => `${unix(i - lines + 1)},${i + 1}\n`);
      expect((await read(text.join(""))).value).toBe(lines);
    }
  });

  test("that grows is followed, and one that is cut short is read on", async () => {
    const host = hostWith(`${unix()},10\n`.repeat(1000));
    const sensor = await openMeter(host, "/log/m.csv");
    host.files.set("/log/m.csv", `${unix()},10\n${unix()},20\n`);
    expect((await sensor.read()).value).toBe(20);
    host.files.set("/log/m.csv", "");
    await expect(sensor.read()).rejects.toThrow("no complete line");
    host.files.delete("/log/m.csv");
    await expect(sensor.read()).rejects.toThrow("ENOENT");
  });

  test("that is not there or locked is denied, and says which file", async () => {
    const host = createFakeHost({
      env: { GODWIT_METER: "/log/m.csv" },
      files: { "/log/m.csv": { fault: "EACCES" } },
    });
    expect(await externalMeter.probe(host)).toMatchObject({
      status: "denied",
      reason: "the meter file /log/m.csv cannot be read (EACCES)",
      remedy: expect.stringContaining("GODWIT_METER"),
    });
    await expect(openMeter(createFakeHost(), "/none")).rejects.toMatchObject({
      code: "invalid-input",
      message: "the meter file /none cannot be read (ENOENT)",
    });
  });
});
