// The NVIDIA Management Library as typed calls. Prototypes and struct layouts follow NVIDIA's public
// header nvml.h (API reference: docs.nvidia.com/deploy/nvml-api); every call throws `NvmlError`
// unless the library answers NVML_SUCCESS, so that no fault can pass for a reading.

import {
  type Host,
  listIfPresent,
  type NativeLibrary,
  readTextIfPresent,
} from "../../core/index.ts";

/** An opaque nvmlDevice_t. */
export type NvmlHandle = unknown;

/** Return codes of nvml.h that godwit tells apart. */
export const NVML = {
  uninitialized: 1,
  notSupported: 3,
  noPermission: 4,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  libraryNotFound: 12,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  versionMismatch: 18,
} as const;

const MEANING: Readonly<Record<number, string>> = {
  [NVML.uninitialized]: "NVML is not initialised",
  [NVML.notSupported]: "not supported by this GPU",
  [NVML.noPermission]: "no permission",
  [NVML.notFound]: "not found",
  [NVML.insufficientSize]: "buffer too small",
  [NVML.driverNotLoaded]: "the NVIDIA driver is not loaded",
  [NVML.libraryNotFound]: "a driver library is missing",
  [NVML.functionNotFound]: "the driver is too old for this call",
  [NVML.gpuIsLost]: "the GPU is lost (fallen off the bus)",
  [NVML.resetRequired]: "the GPU needs a reset",
  [NVML.versionMismatch]: "driver and library versions differ",
};

/** A call of NVML that did not succeed; `code` is its nvmlReturn_t. */
export class NvmlError extends Error {
  override readonly name = "NvmlError";
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: ${MEANING[code] ?? `NVML error ${code}`}`);
    this.code = code;
  }
}

/** NVML's field for power averaged over one second, Ampere (except GA100) and newer; milliwatts. */
const FIELD_POWER_AVERAGE = 185;
/** Power of the GPU alone; 1 would be the module, which on Grace Hopper includes the CPU. */
const SCOPE_GPU = 0;

/** nvmlDeviceGetUUID and nvmlDeviceGetName never need more (NVML_DEVICE_UUID_V2_BUFFER_SIZE). */
const TEXT_BYTES = 96;

const PROTOTYPES = {
  nvmlInit_v2: "int nvmlInit_v2()",
  nvmlShutdown: "int nvmlShutdown()",
  nvmlDeviceGetCount_v2: "int nvmlDeviceGetCount_v2(_Out_ uint32_t *count)",
  nvmlDeviceGetHandleByIndex_v2:
    "int nvmlDeviceGetHandleByIndex_v2(uint32_t index, _Out_ void **device)",
  nvmlDeviceGetUUID: "int nvmlDeviceGetUUID(void *device, _Out_ uint8_t *text, uint32_t length)",
  nvmlDeviceGetName: "int nvmlDeviceGetName(void *device, _Out_ uint8_t *text, uint32_t length)",
  nvmlDeviceGetPciInfo_v3: "int nvmlDeviceGetPciInfo_v3(void *device, _Out_ uint8_t *pci)",
  nvmlDeviceGetTotalEnergyConsumption:
    "int nvmlDeviceGetTotalEnergyConsumption(void *device, _Out_ uint64_t *millijoules)",
  nvmlDeviceGetPowerUsage: "int nvmlDeviceGetPowerUsage(void *device, _Out_ uint32_t *milliwatts)",
  nvmlDeviceGetFieldValues:
    "int nvmlDeviceGetFieldValues(void *device, int count, _Inout_ uint8_t *values)",
  nvmlDeviceGetPowerManagementLimitConstraints:
    "int nvmlDeviceGetPowerManagementLimitConstraints(void *device, _Out_ uint32_t *min, _Out_ uint32_t *max)",
  nvmlDeviceGetEnforcedPowerLimit:
    "int nvmlDeviceGetEnforcedPowerLimit(void *device, _Out_ uint32_t *milliwatts)",
  nvmlDeviceGetMigMode:
    "int nvmlDeviceGetMigMode(void *device, _Out_ uint32_t *current, _Out_ uint32_t *pending)",
  nvmlDeviceGetMaxMigDeviceCount:
    "int nvmlDeviceGetMaxMigDeviceCount(void *device, _Out_ uint32_t *count)",
  nvmlDeviceGetMigDeviceHandleByIndex:
    "int nvmlDeviceGetMigDeviceHandleByIndex(void *device, uint32_t index, _Out_ void **mig)",
  nvmlDeviceGetUtilizationRates:
    "int nvmlDeviceGetUtilizationRates(void *device, _Out_ uint8_t *rates)",
  nvmlDeviceGetComputeRunningProcesses_v3:
    "int nvmlDeviceGetComputeRunningProcesses_v3(void *device, _Inout_ uint32_t *count, _Inout_ uint8_t *infos)",
  nvmlDeviceGetComputeRunningProcesses_v2:
    "int nvmlDeviceGetComputeRunningProcesses_v2(void *device, _Inout_ uint32_t *count, _Inout_ uint8_t *infos)",
  nvmlDeviceGetComputeRunningProcesses:
    "int nvmlDeviceGetComputeRunningProcesses(void *device, _Inout_ uint32_t *count, _Inout_ uint8_t *infos)",
  nvmlDeviceGetProcessUtilization:
    "int nvmlDeviceGetProcessUtilization(void *device, _Inout_ uint8_t *samples, _Inout_ uint32_t *count, uint64_t since)",
} as const;

type NvmlCall = keyof typeof PROTOTYPES;

/** Calls of an initialised library. Energy in joules, power in watts, utilisation from 0 to 1. */
export interface Nvml {
  /** The raw call, for structs that its caller lays out. Throws NvmlError. */
  call(name: NvmlCall, ...args: readonly unknown[]): void;
  /** As `call`, off the main thread: a driver that hangs then costs its caller's deadline alone. */
  callSlow(name: NvmlCall, ...args: readonly unknown[]): Promise<void>;
  count(): number;
  handle(index: number): NvmlHandle;
  uuid(device: NvmlHandle): string;
  name(device: NvmlHandle): string;
  /** `00000000:3B:00.0`. */
  pciBusId(device: NvmlHandle): string;
  /** Since the driver was loaded; Volta and newer. */
  energy(device: NvmlHandle): number;
  power(device: NvmlHandle): number;
  averagePower(device: NvmlHandle): number;
  /** The highest limit that may be set on this board. */
  powerLimit(device: NvmlHandle): number;
  migEnabled(device: NvmlHandle): boolean;
  migUuids(device: NvmlHandle): readonly string[];
  utilisation(device: NvmlHandle): number;
}

function check(name: NvmlCall, answer: unknown): void {
  const code = Number(answer);
  if (code !== 0) throw new NvmlError(name, code);
}

/** Binds each call once, when it is first asked for. */
function binder<F>(bind: (prototype: string) => F): (name: NvmlCall) => F {
  const bound = new Map<NvmlCall, F>();
  return (name) => {
    const known = bound.get(name);
    if (known !== undefined) return known;
    try {
      const native = bind(PROTOTYPES[name]);
      bound.set(name, native);
      return native;
    } catch {
      throw new NvmlError(name, NVML.functionNotFound);
    }
  };
}

/** Binds the calls of a loaded library; functions that an old driver lacks fail when called. */
function bindNvml(library: NativeLibrary): Nvml {
  const native = binder((prototype) => library.bind(prototype));
  const slow = binder((prototype) => library.bindSlow(prototype));
  const call = (name: NvmlCall, ...args: readonly unknown[]): void => {
    check(name, native(name)(...args));
  };
  const number = (name: NvmlCall, ...args: readonly unknown[]): number => {
    const out: unknown[] = [0];
    call(name, ...args, out);
    return Number(out[0]);
  };
  const pointer = (name: NvmlCall, ...args: readonly unknown[]): NvmlHandle => {
    const out: unknown[] = [null];
    call(name, ...args, out);
    return out[0];
  };
  const text = (name: NvmlCall, device: NvmlHandle): string => {
    const bytes = new Uint8Array(TEXT_BYTES);
    call(name, device, bytes, TEXT_BYTES);
    return textOf(bytes);
  };

  return {
    call,
    callSlow: async (name, ...args) => check(name, await slow(name)(...args)),
    count: () => number("nvmlDeviceGetCount_v2"),
    handle: (index) => pointer("nvmlDeviceGetHandleByIndex_v2", index),
    uuid: (device) => text("nvmlDeviceGetUUID", device),
    name: (device) => text("nvmlDeviceGetName", device),
    pciBusId(device) {
      // nvmlPciInfo_t: busIdLegacy[16], five uint32, busId[32].
      const bytes = new Uint8Array(68);
      call("nvmlDeviceGetPciInfo_v3", device, bytes);
      return textOf(bytes.subarray(36, 68));
    },
    energy: (device) => number("nvmlDeviceGetTotalEnergyConsumption", device) / 1000,
    power: (device) => number("nvmlDeviceGetPowerUsage", device) / 1000,
    averagePower: (device) => fieldValue(call, device, FIELD_POWER_AVERAGE) / 1000,
    powerLimit(device) {
      try {
        const max: unknown[] = [0];
        call("nvmlDeviceGetPowerManagementLimitConstraints", device, [0], max);
        return Number(max[0]) / 1000;
      } catch {
        return number("nvmlDeviceGetEnforcedPowerLimit", device) / 1000;
      }
    },
    migEnabled(device) {
      const current: unknown[] = [0];
      call("nvmlDeviceGetMigMode", device, current, [0]);
      return Number(current[0]) === 1;
    },
    migUuids(device) {
      const uuids: string[] = [];
      const slots = number("nvmlDeviceGetMaxMigDeviceCount", device);
      for (let slot = 0; slot < slots; slot++) {
        try {
          const mig = pointer("nvmlDeviceGetMigDeviceHandleByIndex", device, slot);
          uuids.push(text("nvmlDeviceGetUUID", mig));
        } catch (error) {
          // Slots may be empty.
          if (!isNvmlError(error, NVML.notFound)) throw error;
        }
      }
      return uuids;
    },
    utilisation(device) {
      // nvmlUtilization_t: uint32 gpu, uint32 memory, percent.
      const bytes = new Uint8Array(8);
      call("nvmlDeviceGetUtilizationRates", device, bytes);
      return new DataView(bytes.buffer).getUint32(0, true) / 100;
    },
  };
}

/**
 * One nvmlFieldValue_t: uint32 fieldId, uint32 scopeId, int64 timestamp, int64 latencyUsec,
 * uint32 valueType, uint32 nvmlReturn, 8 bytes of value. The call may succeed while the field fails.
 */
function fieldValue(call: Nvml["call"], device: NvmlHandle, field: number): number {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, field, true);
  view.setUint32(4, SCOPE_GPU, true);
  call("nvmlDeviceGetFieldValues", device, 1, bytes);
  const code = view.getUint32(28, true);
  if (code !== 0) throw new NvmlError(`NVML field ${field}`, code);
  const type = view.getUint32(24, true);
  if (type === 0) return view.getFloat64(32, true);
  if (type === 1) return view.getUint32(32, true);
  if (type === 2 || type === 3) return Number(view.getBigUint64(32, true));
  throw new Error(`NVML field ${field} has a value of unknown type ${type}`);
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** Whether an error is NVML's, of one of these codes (of any, when none is given). */
export function isNvmlError(error: unknown, ...codes: readonly number[]): error is NvmlError {
  return error instanceof NvmlError && (codes.length === 0 || codes.includes(error.code));
}

/** Where the driver puts the library, in the order tried. */
function libraryNames(host: Host): readonly string[] {
  switch (host.platform) {
    case "linux":
      return [
        "libnvidia-ml.so.1",
        "/usr/lib/wsl/lib/libnvidia-ml.so.1",
        "/run/opengl-driver/lib/libnvidia-ml.so.1",
      ];
    case "win32":
      return ["nvml.dll", "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll"];
    default:
      return [];
  }
}

export type NvmlOpening =
  | { readonly status: "open"; readonly nvml: Nvml }
  | { readonly status: "missing"; readonly reason: string }
  /** There may be a device, and nothing to call its library with. */
  | { readonly status: "unbound"; readonly reason: string }
  | { readonly status: "failed"; readonly error: NvmlError };

const openings = new WeakMap<Host, Promise<NvmlOpening>>();

/** The library of a host, loaded and initialised once however many ask; a failure is tried again. */
export async function openNvml(host: Host): Promise<NvmlOpening> {
  const known = openings.get(host);
  if (known !== undefined) return known;
  const pending = loadNvml(host);
  openings.set(host, pending);
  const opening = await pending;
  if (opening.status !== "open") openings.delete(host);
  return opening;
}

async function loadNvml(host: Host): Promise<NvmlOpening> {
  const names = libraryNames(host);
  if (names.length === 0) return { status: "missing", reason: `no NVML on ${host.platform}` };
  // Looking costs nothing; loading the FFI package on a machine without a GPU costs 40 ms.
  if (!(await mayHaveNvidia(host))) {
    return { status: "missing", reason: "no NVIDIA device (no /dev/nvidia*, none on the PCI bus)" };
  }
  const ffi = await host.ffi();
  if (ffi === null) return { status: "unbound", reason: "the optional package koffi is missing" };
  let library: NativeLibrary;
  try {
    library = ffi.open(names);
  } catch {
    return { status: "missing", reason: `no NVIDIA driver library (${names[0]})` };
  }
  // Without persistence mode this loads the driver, seconds during which other sensors must go on.
  const code = Number(await library.bindSlow(PROTOTYPES.nvmlInit_v2)());
  if (code !== 0) return { status: "failed", error: new NvmlError("nvmlInit_v2", code) };
  return { status: "open", nvml: bindNvml(library) };
}

/** PCI vendor number of NVIDIA. */
const NVIDIA_VENDOR = "0x10de";

/** Whether a Linux host shows a device of NVIDIA's: a node in /dev (dxg in WSL) or on the PCI bus. */
async function mayHaveNvidia(host: Host): Promise<boolean> {
  if (host.platform !== "linux") return true;
  const nodes = await listIfPresent(host, "/dev");
  if (nodes.some((name) => /^(nvidia|nvhost|nvgpu|dxg$)/.test(name))) return true;
  if ((await readTextIfPresent(host, "/proc/driver/nvidia/version")) !== null) return true;
  for (const address of await listIfPresent(host, "/sys/bus/pci/devices")) {
    const vendor = await readTextIfPresent(host, `/sys/bus/pci/devices/${address}/vendor`);
    if (vendor?.trim() === NVIDIA_VENDOR) return true;
  }
  return false;
}

/** Gives the library of a host back. Harmless when it is not open. */
export async function closeNvml(host: Host): Promise<void> {
  const opening = await openings.get(host);
  openings.delete(host);
  if (opening?.status !== "open") return;
  try {
    opening.nvml.call("nvmlShutdown");
  } catch (error) {
    // A driver that is gone cannot be shut down; there is nothing left to give back.
    if (!isNvmlError(error)) throw error;
  }
}
