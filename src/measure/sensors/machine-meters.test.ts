import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine, loadMachine } from "../../../test/fake-host.ts";
import { acpiMeter } from "./acpi-meter.ts";
import { battery } from "./battery.ts";
import { ipmi, parseDcmi } from "./ipmi.ts";
import type { Probe, Sensor } from "./sensor.ts";

/** The only sensor of a probe that must be ready. */
function only(probe: Probe): Sensor {
  if (probe.status !== "ready") throw new Error(`${probe.status}: ${probe.reason}`);
  const [sensor, ...more] = probe.sensors;
  if (sensor === undefined || more.length > 0) throw new Error("not one sensor");
  return sensor;
}

describe("the ACPI power meter", () => {
  test("is read in microwatts and tells its averaging interval", async () => {
    const sensor = only(await acpiMeter.probe(loadMachine("server-acpi-meter")));
    expect(sensor).toMatchObject({ domain: "machine", scope: "wall", updatePeriod: 1 });
    expect((await sensor.read()).value).toBe(213);
  });

  test("is found where old kernels kept it", async () => {
    const files = {
      "/sys/class/hwmon/hwmon0/name": "power_meter\n",
      "/sys/class/hwmon/hwmon0/device/power1_average": "87000000\n",
    };
    const sensor = only(await acpiMeter.probe(createFakeHost({ files })));
    expect((await sensor.read()).value).toBe(87);
  });

  test("that reads nothing, zero or garbage is absent, never 0 W", async () => {
    for (const text of ["0\n", "\n", "N/A\n", "-5000000\n"]) {
      const host = loadMachine("server-acpi-meter", {
        files: { "/sys/class/hwmon/hwmon1/power1_average": text },
      });
      expect(await acpiMeter.probe(host)).toMatchObject({ status: "absent" });
    }
  });

  test("that only root may read is denied with its remedy", async () => {
    const host = loadMachine("server-acpi-meter", {
      files: { "/sys/class/hwmon/hwmon1/power1_average": { fault: "EACCES" } },
    });
    expect(await acpiMeter.probe(host)).toMatchObject({
      status: "denied",
      remedy: expect.stringContaining("chmod"),
    });
  });

  test("that goes away in the middle rejects", async () => {
    const host = loadMachine("server-acpi-meter");
    const sensor = only(await acpiMeter.probe(host));
    host.files.delete("/sys/class/hwmon/hwmon1/power1_average");
    await expect(sensor.read()).rejects.toThrow("ENOENT");
  });
});

describe("a battery", () => {
  const BAT = "/sys/class/power_supply/BAT0";
  const laptop = (files: FakeMachine["files"] = {}) => loadMachine("laptop-battery", { files });

  test("discharging is the whole laptop, and a mouse's battery is not part of it", async () => {
    const sensor = only(await battery.probe(laptop()));
    expect(sensor).toMatchObject({ device: "BAT0", kind: "power", scope: "wall" });
    expect((await sensor.read()).value).toBeCloseTo(11.364, 9);
  });

  test("that tells amperes and volts is their product, whatever the sign of discharge", async () => {
    const host = laptop({ [`${BAT}/current_now`]: "-734000\n" });
    host.files.delete(`${BAT}/power_now`);
    // 0.734 A x 15.48 V
    expect((await only(await battery.probe(host)).read()).value).toBeCloseTo(11.36232, 6);
  });

  test("that tells only what is left is a counter of joules", async () => {
    const host = laptop();
    host.files.delete(`${BAT}/power_now`);
    const sensor = only(await battery.probe(host));
    expect(sensor.kind).toBe("counter");
    const before = await sensor.read();
    host.files.set(`${BAT}/energy_now`, "42140000\n");
    // Exact: 10 mWh = 36 J.
    expect((await sensor.read()).value - before.value).toBeCloseTo(36, 6);
  });

  test("two batteries drained in turn add up", async () => {
    const second = "/sys/class/power_supply/BAT1";
    const host = laptop({
      [`${second}/type`]: "Battery\n",
      [`${second}/status`]: "Not charging\n",
      [`${second}/power_now`]: "0\n",
    });
    const sensor = only(await battery.probe(host));
    expect(sensor.device).toBe("BAT0+BAT1");
    expect((await sensor.read()).value).toBeCloseTo(11.364, 9);
    host.files.set(`${BAT}/status`, "Not charging\n");
    host.files.set(`${second}/status`, "Discharging\n");
    host.files.set(`${second}/power_now`, "9000000\n");
    expect((await sensor.read()).value).toBe(9);
  });

  test("on mains is absent and says why, also when a charge limit holds it", async () => {
    const limited = laptop({
      "/sys/class/power_supply/AC/online": "1\n",
      [`${BAT}/status`]: "Not charging\n",
    });
    expect(await battery.probe(limited)).toEqual({
      status: "absent",
      reason: "plugged in (AC is online)",
    });
    const usb = laptop({
      "/sys/class/power_supply/AC/type": "USB\n",
      "/sys/class/power_supply/AC/online": "2\n",
    });
    expect(await battery.probe(usb)).toMatchObject({ status: "absent" });
    const charging = laptop({ [`${BAT}/status`]: "Charging\n" });
    expect(await battery.probe(charging)).toMatchObject({
      reason: expect.stringMatching("plugged"),
    });
  });

  test("plugged in during a run is a gap, and unplugged again it reads on", async () => {
    const host = laptop();
    const sensor = only(await battery.probe(host));
    host.files.set("/sys/class/power_supply/AC/online", "1\n");
    await expect(sensor.read()).rejects.toThrow("plugged in");
    host.files.set("/sys/class/power_supply/AC/online", "0\n");
    expect((await sensor.read()).value).toBeCloseTo(11.364, 9);
  });

  test("whose gauge says 0 W while it discharges is no reading", async () => {
    const host = laptop({ [`${BAT}/power_now`]: "0\n" });
    expect(await battery.probe(host)).toMatchObject({
      status: "absent",
      reason: "the battery reads 0 W, but this machine is running",
    });
  });

  test("is absent where there is none", async () => {
    expect(await battery.probe(createFakeHost())).toMatchObject({ status: "absent" });
  });
});

describe("a management controller by ipmitool", () => {
  // The format of lib/ipmi_dcmi.c of ipmitool 1.8.
  const answer = (watts: string, state = "activated"): string => `
    Instantaneous power reading:                   ${watts}
    Minimum during sampling period:                 68 Watts
    Maximum during sampling period:                504 Watts
    Average power reading over sample period:      348 Watts
    IPMI timestamp:                           Thu Feb 15 08:36:01 2024
    Sampling period:                          00000005 Seconds.
    Power reading state is:                   ${state}

`;
  const server = (stdout: string, more: Partial<{ stderr: string; code: number }> = {}) =>
    createFakeHost({
      files: { "/dev/ipmi0": "" },
      commands: { ipmitool: () => ({ stdout, ...more }) },
    });

  test("is the instantaneous reading, not the average over a month", async () => {
    const sensor = only(await ipmi.probe(server(answer("332 Watts"))));
    expect(sensor).toMatchObject({ scope: "wall", updatePeriod: 5 });
    expect((await sensor.read()).value).toBe(332);
  });

  test("that offers the command and does not fill it in is absent", async () => {
    expect(await ipmi.probe(server(answer("0 Watts")))).toMatchObject({ status: "absent" });
    expect(await ipmi.probe(server(answer("235 Watts", "deactivated")))).toMatchObject({
      status: "absent",
      reason: expect.stringContaining("deactivated"),
    });
  });

  test("in another unit, or not an answer, is refused by name", () => {
    expect(() => parseDcmi(answer("332000 Milliwatts"))).toThrow("Milliwatts");
    expect(() => parseDcmi("DCMI request failed because: Invalid command (c1)")).toThrow("c1");
    expect(() => parseDcmi("")).toThrow("ipmitool answered");
    expect(() => parseDcmi(`${"x".repeat(1e6)}`)).toThrow(/^.{0,120}$/);
  });

  test("that root alone may ask is denied with a rule for udev", async () => {
    const stderr =
      "Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: Permission denied\n";
    expect(await ipmi.probe(server("", { stderr, code: 1 }))).toMatchObject({
      status: "denied",
      remedy: expect.stringContaining("udev"),
    });
  });

  test("without the tool says to install it, without the device is absent", async () => {
    const host = createFakeHost({ files: { "/dev/ipmi0": "" } });
    expect(await ipmi.probe(host)).toMatchObject({
      status: "denied",
      remedy: expect.stringContaining("install ipmitool"),
    });
    expect(await ipmi.probe(createFakeHost())).toMatchObject({ status: "absent" });
  });

  test("that stops answering rejects", async () => {
    let working = true;
    const host = createFakeHost({
      files: { "/dev/ipmi0": "" },
      commands: {
        ipmitool: () =>
          working ? { stdout: answer("332 Watts") } : { stderr: "Unable to open", code: 1 },
      },
    });
    const sensor = only(await ipmi.probe(host));
    working = false;
    await expect(sensor.read()).rejects.toThrow("Unable to open");
  });
});
