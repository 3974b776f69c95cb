import { describe, expect, test } from "vitest";
import {
  type FakeDevice,
  intelMeter,
  metadata1,
  metadata2,
  u64,
  windowsWith,
} from "../../../test/fake-emi.ts";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { emi } from "./emi.ts";
import { parseEmiChannels, parseEmiMeasurements } from "./emi-format.ts";

describe("the layout of emi.h", () => {
  test("of version 1 names one channel, of version 2 all of them in order", () => {
    expect(parseEmiChannels(1, metadata1("CPU Meter"))).toEqual(["CPU Meter"]);
    const names = ["RAPL_Package0_PKG", "odd", "RAPL_Package0_DRAM"];
    expect(parseEmiChannels(2, metadata2(...names))).toEqual(names);
  });

  test("measures in picowatt-hours and 100 ns, beyond what a double holds exactly", () => {
    const [one, two] = parseEmiMeasurements(u64(1_000_000_000_000n, 7n, 2n ** 63n, 2n ** 60n), 2);
    // Exact: 1 Wh = 3600 J.
    expect(one).toEqual({ energy: 3600, time: 7n });
    expect(two).toEqual({ energy: 2 ** 63 * 3.6e-9, time: 2n ** 60n });
  });

  test("cut short anywhere, or in another unit, is an error and no value", () => {
    for (const [version, bytes] of [
      [1, metadata1("CPU Meter")],
      [2, metadata2("RAPL_Package0_PKG")],
    ] as const) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => parseEmiChannels(version, bytes.subarray(0, length))).toThrow("ends early");
      }
    }
    expect(() => parseEmiChannels(1, metadata1("CPU Meter", 1))).toThrow("unit 1");
    expect(() => parseEmiMeasurements(u64(1n, 2n, 3n), 2)).toThrow("ends early");
  });
});

describe("the provider", () => {
  test("counts the package and its memory, not what lies inside the package", async () => {
    const device = intelMeter();
    const { host, open } = windowsWith({ "\\\\?\\EMI0": device });
    const probe = await emi.probe(host);
    if (probe.status !== "ready") throw new Error(probe.reason);
    expect(probe.sensors.map(({ id, domain }) => [id, domain])).toEqual([
      ["emi:RAPL_Package0_PKG", "cpu"],
      ["emi:RAPL_Package0_DRAM", "memory"],
    ]);
    const [cpu] = probe.sensors;
    const before = await cpu?.read();
    // 2e9 pWh in 2 s are 3.6 W.
    device.energies = [7_000_000_000n, 700_000_000n, 3_000_000_000n, 0n];
    device.time += 20_000_000n;
    host.advance(2000);
    const after = await cpu?.read();
    expect((after?.value ?? 0) - (before?.value ?? 0)).toBeCloseTo(7.2, 9);
    expect((after?.at ?? 0n) - (before?.at ?? 0n)).toBe(2_000_000_000n);
    expect(open.size).toBe(0);
  });

  test("takes AMD's socket channel, which has the SoC rail in it", async () => {
    const names = ["VDDCR_VDD Power", "VDDCR_SOC Power", "Current Socket Power", "Apu Power"];
    const { host } = windowsWith({
      amd: { version: 2, metadata: metadata2(...names), energies: [4n, 3n, 9n, 9n], time: 1n },
    });
    const probe = await emi.probe(host);
    expect(probe.status === "ready" && probe.sensors.map(({ device }) => device)).toEqual([
      "Current Socket Power",
    ]);
  });

  test("counts a socket once that two dies show, and two sockets twice", async () => {
    const die = (energy: bigint): FakeDevice => ({
      version: 1,
      metadata: metadata1("RAPL_Package0_PKG"),
      energies: [energy],
      time: 1n,
    });
    const mirrored = windowsWith({ a: die(1_000_000_000_000n), b: die(1_000_000_100_000n) });
    const one = await emi.probe(mirrored.host);
    expect(one).toMatchObject({
      sensors: [{ id: "emi:RAPL_Package0_PKG" }],
      notes: ["RAPL_Package0_PKG shows the same counter as RAPL_Package0_PKG"],
    });
    const two = await emi.probe(
      windowsWith({ a: die(5_000_000_000n), b: die(4_000_000_000n) }).host,
    );
    expect(two.status === "ready" && two.sensors.map(({ id }) => id)).toEqual([
      "emi:RAPL_Package0_PKG",
      "emi:RAPL_Package0_PKG#2",
    ]);
  });

  test("takes a device whose time stands still as stalled, after 10 s", async () => {
    const device = intelMeter();
    const { host } = windowsWith({ a: device });
    const probe = await emi.probe(host);
    const sensor = probe.status === "ready" ? probe.sensors[0] : undefined;
    await sensor?.read();
    host.advance(9000);
    await sensor?.read();
    host.advance(2000);
    await expect(sensor?.read()).rejects.toThrow("has not been updated");
    device.time += 1n;
    await expect(sensor?.read()).resolves.toMatchObject({ value: 18 });
  });

  test("goes on with the devices that answer, and says which do not", async () => {
    const broken = { ...intelMeter(), version: 7 };
    const { host, open } = windowsWith({ a: broken, b: intelMeter() });
    expect(await emi.probe(host)).toMatchObject({
      status: "ready",
      notes: ["EMI version 7 is not known"],
    });
    expect(open.size).toBe(0);
    const hostile = { ...intelMeter(), metadata: new Uint8Array(70_000) };
    expect(await emi.probe(windowsWith({ a: hostile }).host)).toMatchObject({
      status: "absent",
      reason: "EMI metadata of 70000 bytes",
    });
  });

  test("is absent or denied with the reason, and never ready with nothing", async () => {
    expect(await emi.probe(createFakeHost())).toEqual({ status: "absent", reason: "not Windows" });
    expect(await emi.probe(loadMachine("win-intel"))).toMatchObject({ status: "denied" });
    expect(await emi.probe(windowsWith({}).host)).toMatchObject({ status: "absent" });
    const locked = windowsWith({ a: { ...intelMeter(), refuses: 5 } });
    expect(await emi.probe(locked.host)).toMatchObject({ status: "denied" });
    const empty = loadMachine("win-intel", { libraries: {} });
    expect(await emi.probe(empty)).toMatchObject({ status: "absent" });
  });
});
