import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine, loadMachine } from "../../../test/fake-host.ts";
import type { NativeFunction } from "../../core/index.ts";
import { emi } from "./emi.ts";
import { parseEmiChannels, parseEmiMeasurements } from "./emi-format.ts";

/** UTF-16 with a terminating zero. */
const wide = (text: string): Uint8Array =>
  new Uint8Array(Uint16Array.from([...`${text}\0`], (c) => c.charCodeAt(0)).buffer);

const padded = (text: string): Uint8Array => {
  const bytes = new Uint8Array(32);
  bytes.set(wide(text));
  return bytes;
};

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const u16 = (value: number): Uint8Array => new Uint8Array(Uint16Array.of(value).buffer);
const i32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
const u64 = (...values: bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.of(...values).buffer);

/** EMI_METADATA_V1 of emi.h. */
const metadata1 = (name: string, unit = 0): Uint8Array =>
  joined(i32(unit), padded("OEM"), padded("Model"), u16(1), u16(wide(name).length), wide(name));

/** EMI_METADATA_V2 of emi.h. */
const metadata2 = (...names: string[]): Uint8Array =>
  joined(
    ...[padded("Microsoft"), padded("PPM"), u16(1), u16(names.length)],
    ...names.flatMap((name) => [i32(0), u16(wide(name).length), wide(name)]),
  );

interface FakeDevice {
  readonly version: number;
  readonly metadata: Uint8Array;
  /** Picowatt-hours of each channel, and the device's time. */
  energies: readonly bigint[];
  time: bigint;
  /** Code of GetLastError when it cannot be opened. */
  readonly refuses?: number;
}

/** Windows with some energy meters; counts what stays open. */
function windowsWith(devices: Record<string, FakeDevice>, changes: FakeMachine = {}) {
  const paths = Object.keys(devices);
  const open = new Map<number, FakeDevice>();
  let handles = 0;
  let error = 0;
  const list = `${paths.map((path) => `${path}\0`).join("")}\0`;
  const encoded = wide(list).subarray(0, 2 * list.length);
  const answer = (device: FakeDevice, code: unknown): Uint8Array | null => {
    switch (code) {
      case 0x224000:
        return u16(device.version);
      case 0x224004:
        return i32(device.metadata.length);
      case 0x224008:
        return device.metadata;
      case 0x22400c:
        return u64(...device.energies.flatMap((energy) => [energy, device.time]));
      default:
        return null;
    }
  };
  const manager: Record<string, NativeFunction> = {
    CM_Get_Device_Interface_List_SizeW: (length) => {
      (length as number[])[0] = list.length;
      return 0;
    },
    CM_Get_Device_Interface_ListW: (_guid, _device, buffer) => {
      (buffer as Uint8Array).set(encoded);
      return 0;
    },
  };
  const kernel: Record<string, NativeFunction> = {
    CreateFileW: (path) => {
      const device = devices[String(path)];
      error = device?.refuses ?? (device === undefined ? 2 : 0);
      if (device === undefined || device.refuses !== undefined) return -1;
      handles += 1;
      open.set(handles, device);
      return handles;
    },
    CloseHandle: (handle) => (open.delete(handle as number) ? 1 : 0),
    GetLastError: () => error,
    DeviceIoControl: (handle, code, _in, _inSize, out, outSize, returned) => {
      const device = open.get(handle as number);
      const bytes = device === undefined ? null : answer(device, code);
      error = bytes === null ? 50 : 122;
      if (bytes === null || bytes.length > (outSize as number)) return 0;
      (out as Uint8Array).set(bytes);
      (returned as number[])[0] = bytes.length;
      return 1;
    },
  };
  const host = loadMachine("win-intel", {
    libraries: { "cfgmgr32.dll": manager, "kernel32.dll": kernel },
    ...changes,
  });
  return { host, open };
}

const intel = (): FakeDevice => ({
  version: 2,
  metadata: metadata2(
    ...["RAPL_Package0_PKG", "RAPL_Package0_DRAM", "RAPL_Package0_PP0", "RAPL_Package0_PP1"],
  ),
  energies: [5_000_000_000n, 700_000_000n, 3_000_000_000n, 0n],
  time: 1000n,
});

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
    const device = intel();
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
    const device = intel();
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
    const broken = { ...intel(), version: 7 };
    const { host, open } = windowsWith({ a: broken, b: intel() });
    expect(await emi.probe(host)).toMatchObject({
      status: "ready",
      notes: ["EMI version 7 is not known"],
    });
    expect(open.size).toBe(0);
    const hostile = { ...intel(), metadata: new Uint8Array(70_000) };
    expect(await emi.probe(windowsWith({ a: hostile }).host)).toMatchObject({
      status: "absent",
      reason: "EMI metadata of 70000 bytes",
    });
  });

  test("is absent or denied with the reason, and never ready with nothing", async () => {
    expect(await emi.probe(createFakeHost())).toEqual({ status: "absent", reason: "not Windows" });
    expect(await emi.probe(loadMachine("win-intel"))).toMatchObject({ status: "denied" });
    expect(await emi.probe(windowsWith({}).host)).toMatchObject({ status: "absent" });
    const locked = windowsWith({ a: { ...intel(), refuses: 5 } });
    expect(await emi.probe(locked.host)).toMatchObject({ status: "denied" });
    const empty = loadMachine("win-intel", { libraries: {} });
    expect(await emi.probe(empty)).toMatchObject({ status: "absent" });
  });
});
