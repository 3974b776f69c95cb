// CPU and memory energy on Windows, through the Energy Metering Interface (emi.h, Windows 10 and
// later; processor channels in Windows 11 on bare metal). Any user may read it.
//
// The layout is in `emi-format.ts`. Devices are opened for each reading: that costs some tens of
// microseconds and survives a driver that is reloaded or a machine that sleeps.

import type { Ffi, Host, NativeFunction } from "../../core/index.ts";
import { reasonOf } from "../../core/index.ts";
import {
  type EmiMeasurement,
  type EmiVersion,
  parseEmiChannels,
  parseEmiMeasurements,
} from "./emi-format.ts";
import type { Domain, Probe, Sensor, SensorProvider } from "./sensor.ts";

/** GUID_DEVICE_ENERGY_METER {45BD8344-7ED6-49CF-A440-C276C933B053}, as it lies in memory. */
const GUID_DEVICE_ENERGY_METER = Uint8Array.of(
  ...[0x44, 0x83, 0xbd, 0x45, 0xd6, 0x7e, 0xcf, 0x49],
  ...[0xa4, 0x40, 0xc2, 0x76, 0xc9, 0x33, 0xb0, 0x53],
);

/** IOCTL_EMI_*: CTL_CODE(FILE_DEVICE_UNKNOWN, 0 to 3, METHOD_BUFFERED, FILE_READ_ACCESS). */
const IOCTL = { version: 0x224000, size: 0x224004, metadata: 0x224008, measurement: 0x22400c };

const GENERIC_READ = 0x8000_0000;
const FILE_SHARE_READ_AND_WRITE = 3;
const OPEN_EXISTING = 3;
const INVALID_HANDLE = -1;
const ERROR_ACCESS_DENIED = 5;

/** Bytes of metadata believed: 65,535 channels do not exist. */
const MAX_METADATA = 64 * 1024;

/** Relative error, as for RAPL, which the processor channels are: docs/methods/machine-meters.md. */
const ERROR = 0.03;

/** Two counters as close as this since the start of the machine are one counter shown twice. */
const MIRRORED = 1e-6;

/** Seconds without a new time stamp after which a device is taken as stalled. */
const STALLED = 10;

interface Device {
  readonly path: string;
  readonly channels: readonly string[];
}

/** A channel that counts for a domain. */
interface Chosen {
  readonly device: Device;
  readonly index: number;
  readonly domain: Domain;
}

export const emi: SensorProvider = {
  name: "emi",
  description: "Processor and memory energy by the Energy Metering Interface (Windows)",
  domains: ["cpu", "memory"],

  async probe(host): Promise<Probe> {
    if (host.platform !== "win32") return { status: "absent", reason: "not Windows" };
    const ffi = await host.ffi();
    if (ffi === null) {
      return {
        status: "denied",
        reason: "the FFI package koffi is not installed",
        remedy: "npm install koffi",
      };
    }
    try {
      return probeDevices(host, bindWindows(ffi));
    } catch (error) {
      return { status: "absent", reason: reasonOf(error) };
    }
  },
};

function probeDevices(host: Host, windows: Windows): Probe {
  const devices: Device[] = [];
  const notes: string[] = [];
  for (const path of windows.devicePaths()) {
    try {
      devices.push({ path, channels: windows.open(path, readChannels) });
    } catch (error) {
      notes.push(reasonOf(error));
    }
  }
  const chosen = devices.flatMap(channelsThatCount);
  const { kept, notes: faults } = withoutMirrors(windows, chosen);
  notes.push(...faults);
  if (kept.length > 0) {
    const sensors = kept.map((one, i) => {
      const earlier = kept.slice(0, i).filter((other) => nameOf(other) === nameOf(one)).length;
      return sensorOf(host, windows, { ...one, suffix: earlier === 0 ? "" : `#${earlier + 1}` });
    });
    return { status: "ready", sensors, notes };
  }
  const names = devices.flatMap(({ channels }) => channels).join(", ");
  const reason = notes.join("; ") || `no EMI channel of a processor (${names || "no device"})`;
  return notes.some((note) => note.includes("access is denied"))
    ? { status: "denied", reason, remedy: "start godwit from an administrator's terminal" }
    : { status: "absent", reason };
}

/**
 * Packages and their memory. Cores (`PP0`, `CORE`) and the graphics part (`PP1`) lie inside the
 * package, and so does the SoC rail beside AMD's socket channel.
 */
function channelsThatCount(device: Device): Chosen[] {
  return device.channels.flatMap((name, index): Chosen[] => {
    if (/^RAPL_Package\d+_DRAM$/i.test(name)) return [{ device, index, domain: "memory" }];
    if (/^RAPL_Package\d+_PKG$/i.test(name) || /\b(package|socket)\b/i.test(name)) {
      return [{ device, index, domain: "cpu" }];
    }
    return [];
  });
}

/** Multi-die processors show one socket's counter once for each die. */
function withoutMirrors(
  windows: Windows,
  chosen: readonly Chosen[],
): { readonly kept: readonly Chosen[]; readonly notes: readonly string[] } {
  const kept: (Chosen & { readonly energy: number })[] = [];
  const notes: string[] = [];
  for (const one of chosen) {
    try {
      const { energy } = measure(windows, one);
      const twin = kept.find((other) => other.domain === one.domain && mirrors(energy, other));
      if (twin === undefined) kept.push({ ...one, energy });
      else notes.push(`${nameOf(one)} shows the same counter as ${nameOf(twin)}`);
    } catch (error) {
      notes.push(reasonOf(error));
    }
  }
  return { kept, notes };
}

const mirrors = (energy: number, other: { readonly energy: number }): boolean =>
  energy > 0 && Math.abs(energy - other.energy) <= MIRRORED * energy;

const nameOf = ({ device, index }: Chosen): string => device.channels[index] ?? `channel ${index}`;

function measure(windows: Windows, { device, index }: Chosen): EmiMeasurement {
  const { length } = device.channels;
  const all = windows.open(device.path, (control) =>
    parseEmiMeasurements(control(IOCTL.measurement, 16 * length), length),
  );
  const one = all[index];
  if (one === undefined) throw new Error(`EMI has no channel ${index}`);
  return one;
}

function sensorOf(
  host: Host,
  windows: Windows,
  chosen: Chosen & { readonly suffix: string },
): Sensor {
  // Devices that are not mirrors of each other may still use one name.
  const name = `${nameOf(chosen)}${chosen.suffix}`;
  let last: { readonly time: bigint; readonly at: bigint } | null = null;
  return {
    id: `emi:${name}`,
    provider: "emi",
    domain: chosen.domain,
    device: name,
    scope: "component",
    kind: "counter",
    method: "measured",
    source: `EMI channel ${name}`,
    error: ERROR,
    async read() {
      const { energy, time } = measure(windows, chosen);
      const at = host.monotonic();
      if (last === null || time !== last.time) last = { time, at };
      else if (at - last.at > BigInt(STALLED) * 1_000_000_000n) {
        throw new Error(`EMI channel ${name} has not been updated for ${STALLED} s`);
      }
      return { at, value: energy };
    },
  };
}

type Control = (code: number, size: number) => Uint8Array;

/** Windows, as far as EMI needs it. */
interface Windows {
  devicePaths(): readonly string[];
  /** Opens a device, lets `use` ask it, closes it. */
  open<T>(path: string, use: (control: Control) => T): T;
}

function readChannels(control: Control): readonly string[] {
  const version = dataView(control(IOCTL.version, 2)).getUint16(0, true);
  if (!isVersion(version)) throw new Error(`EMI version ${version} is not known`);
  const size = dataView(control(IOCTL.size, 4)).getUint32(0, true);
  if (size === 0 || size > MAX_METADATA) throw new Error(`EMI metadata of ${size} bytes`);
  return parseEmiChannels(version, control(IOCTL.metadata, size));
}

const isVersion = (version: number): version is EmiVersion => version === 1 || version === 2;

const dataView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

function bindWindows(ffi: Ffi): Windows {
  const manager = ffi.open(["cfgmgr32.dll"]);
  const kernel = ffi.open(["kernel32.dll"]);
  const listSize = manager.bind(
    "uint32_t CM_Get_Device_Interface_List_SizeW(_Out_ uint32_t *length, const uint8_t *guid, const char16_t *device, uint32_t flags)",
  );
  const list = manager.bind(
    "uint32_t CM_Get_Device_Interface_ListW(const uint8_t *guid, const char16_t *device, _Out_ uint8_t *buffer, uint32_t length, uint32_t flags)",
  );
  const createFile = kernel.bind(
    "intptr_t CreateFileW(const char16_t *name, uint32_t access, uint32_t share, void *security, uint32_t disposition, uint32_t flags, intptr_t template)",
  );
  const closeHandle = kernel.bind("int CloseHandle(intptr_t handle)");
  const lastError = kernel.bind("uint32_t GetLastError()");
  const deviceControl = kernel.bind(
    "int DeviceIoControl(intptr_t handle, uint32_t code, void *in, uint32_t in_size, _Out_ uint8_t *out, uint32_t out_size, _Out_ uint32_t *returned, void *overlapped)",
  );
  return {
    devicePaths: () => devicePaths(listSize, list),
    open(path, use) {
      const share = FILE_SHARE_READ_AND_WRITE;
      const handle = createFile(path, GENERIC_READ, share, null, OPEN_EXISTING, 0, 0);
      if (handle === INVALID_HANDLE) throw openFault(Number(lastError()));
      try {
        return use((code, size) => {
          const out = new Uint8Array(size);
          const returned = [0];
          if (deviceControl(handle, code, null, 0, out, size, returned, null) === 0) {
            throw new Error(`EMI request ${code.toString(16)} fails (error ${lastError()})`);
          }
          return out.subarray(0, returned[0]);
        });
      } finally {
        closeHandle(handle);
      }
    },
  };
}

const openFault = (code: number): Error =>
  new Error(
    code === ERROR_ACCESS_DENIED
      ? "EMI device: access is denied"
      : `EMI device cannot be opened (error ${code})`,
  );

/** Paths of the devices that are present: a list of strings, each and the list ended by zero. */
function devicePaths(listSize: NativeFunction, list: NativeFunction): readonly string[] {
  const length = [0];
  const sized = listSize(length, GUID_DEVICE_ENERGY_METER, null, 0);
  if (sized !== 0) throw new Error(`Windows lists no energy meters (error ${sized})`);
  const characters = length[0] ?? 0;
  const buffer = new Uint8Array(2 * characters);
  const listed = list(GUID_DEVICE_ENERGY_METER, null, buffer, characters, 0);
  if (listed !== 0) throw new Error(`Windows lists no energy meters (error ${listed})`);
  const paths = new TextDecoder("utf-16le").decode(buffer).split("\0");
  return paths.filter((path) => path !== "");
}
