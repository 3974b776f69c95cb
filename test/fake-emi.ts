// A made-up Windows with the Energy Metering Interface for tests: devices that are plain objects in the
// layout of emi.h, and may change while a test runs.

import type { NativeFunction } from "../src/core/index.ts";
import { type FakeMachine, loadMachine } from "./fake-host.ts";

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
export const u64 = (...values: bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.of(...values).buffer);

/** EMI_METADATA_V1 of emi.h. */
export const metadata1 = (name: string, unit = 0): Uint8Array =>
  joined(i32(unit), padded("OEM"), padded("Model"), u16(1), u16(wide(name).length), wide(name));

/** EMI_METADATA_V2 of emi.h. */
export const metadata2 = (...names: string[]): Uint8Array =>
  joined(
    ...[padded("Microsoft"), padded("PPM"), u16(1), u16(names.length)],
    ...names.flatMap((name) => [i32(0), u16(wide(name).length), wide(name)]),
  );

export interface FakeDevice {
  readonly version: number;
  readonly metadata: Uint8Array;
  /** Picowatt-hours of each channel, and the device's time. */
  energies: readonly bigint[];
  time: bigint;
  /** Code of GetLastError when it cannot be opened. */
  readonly refuses?: number;
}

/** Windows with some energy meters; counts what stays open. */
export function windowsWith(devices: Record<string, FakeDevice>, changes: FakeMachine = {}) {
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

/** A processor with memory, cores and graphics inside. */
export const intelMeter = (): FakeDevice => ({
  version: 2,
  metadata: metadata2(
    ...["RAPL_Package0_PKG", "RAPL_Package0_DRAM", "RAPL_Package0_PP0", "RAPL_Package0_PP1"],
  ),
  energies: [5_000_000_000n, 700_000_000n, 3_000_000_000n, 0n],
  time: 1000n,
});
