// A made-up libnvidia-ml for tests: the functions that src/measure/sensors/nvml-library.ts binds, over
// GPUs that are plain objects and may change while a test runs. Out-parameters are written as the
// C library writes them: into one-element arrays and byte buffers.

import type { NativeFunction } from "../src/core/index.ts";

/** A value, or the nvmlReturn_t to fail with. */
type Answer = number | { readonly code: number };

export interface FakeGpu {
  uuid: string;
  name: string;
  /** Millijoules. Absent: NOT_SUPPORTED, as before Volta. */
  energy?: Answer;
  /** Milliwatts. */
  power?: Answer;
  averagePower?: Answer;
  limit?: Answer;
  /** Percent. */
  utilisation?: Answer;
  migUuids?: readonly string[];
  /** Fails every call on this GPU. */
  lost?: number;
  processes?: readonly { pid: number; memory: bigint }[];
  samples?: readonly { pid: number; time: bigint; sm: number }[];
}

interface FakeNvmlOptions {
  /** What nvmlInit_v2 returns. */
  readonly init?: number;
  /** Bytes of nvmlProcessInfo_t. */
  readonly processStride?: number;
  /** Functions that this driver does not have. */
  readonly without?: readonly string[];
}

/** What a Linux machine with a loaded driver shows besides. */
export const NVIDIA_FILES = { "/dev/nvidiactl": "" } as const;

const NOT_SUPPORTED = { code: 3 };

export function fakeNvml(
  gpus: readonly FakeGpu[],
  { init = 0, processStride = 24, without = [] }: FakeNvmlOptions = {},
): Record<string, NativeFunction> {
  const out =
    (pick: (gpu: FakeGpu) => Answer | undefined): NativeFunction =>
    (device, ...targets) => {
      const gpu = device as FakeGpu;
      if (gpu.lost !== undefined) return gpu.lost;
      const answer = pick(gpu) ?? NOT_SUPPORTED;
      if (typeof answer !== "number") return answer.code;
      (targets.at(-1) as unknown[])[0] = answer;
      return 0;
    };
  const text =
    (pick: (gpu: FakeGpu) => string): NativeFunction =>
    (device, buffer) => {
      const gpu = device as FakeGpu;
      if (gpu.lost !== undefined) return gpu.lost;
      (buffer as Uint8Array).set(new TextEncoder().encode(`${pick(gpu)}\0`));
      return 0;
    };
  const processes: NativeFunction = (device, count, buffer) => {
    const list = (device as FakeGpu).processes ?? [];
    const view = new DataView((buffer as Uint8Array).buffer);
    list.forEach(({ pid, memory }, index) => {
      const at = index * processStride;
      for (let byte = 0; byte < processStride; byte++) view.setUint8(at + byte, 0);
      view.setUint32(at, pid, true);
      view.setBigUint64(at + 8, memory, true);
    });
    (count as unknown[])[0] = list.length;
    return 0;
  };
  const functions: Record<string, NativeFunction> = {
    nvmlInit_v2: () => init,
    nvmlShutdown: () => 0,
    nvmlDeviceGetCount_v2(count) {
      (count as unknown[])[0] = gpus.length;
      return 0;
    },
    nvmlDeviceGetHandleByIndex_v2(index, device) {
      const gpu = gpus[index as number];
      if (gpu?.lost !== undefined) return gpu.lost;
      (device as unknown[])[0] = gpu;
      return 0;
    },
    nvmlDeviceGetUUID: text(({ uuid }) => uuid),
    nvmlDeviceGetName: text(({ name }) => name),
    nvmlDeviceGetTotalEnergyConsumption: out(({ energy }) => energy),
    nvmlDeviceGetPowerUsage: out(({ power }) => power),
    nvmlDeviceGetPowerManagementLimitConstraints: out(({ limit }) => limit),
    nvmlDeviceGetEnforcedPowerLimit: out(({ limit }) => limit),
    nvmlDeviceGetFieldValues(device, _count, values) {
      const gpu = device as FakeGpu;
      if (gpu.lost !== undefined) return gpu.lost;
      const view = new DataView((values as Uint8Array).buffer);
      const answer = view.getUint32(0, true) === 185 ? gpu.averagePower : undefined;
      const failed = typeof answer !== "number";
      view.setUint32(24, 1, true);
      view.setUint32(28, failed ? (answer ?? NOT_SUPPORTED).code : 0, true);
      if (!failed) view.setUint32(32, answer, true);
      return 0;
    },
    nvmlDeviceGetMigMode(device, current) {
      (current as unknown[])[0] = (device as FakeGpu).migUuids === undefined ? 0 : 1;
      return 0;
    },
    nvmlDeviceGetMaxMigDeviceCount(_device, count) {
      (count as unknown[])[0] = 7;
      return 0;
    },
    nvmlDeviceGetMigDeviceHandleByIndex(device, index, mig) {
      const uuid = (device as FakeGpu).migUuids?.[index as number];
      if (uuid === undefined) return 6;
      (mig as unknown[])[0] = { uuid, name: "MIG" };
      return 0;
    },
    nvmlDeviceGetUtilizationRates(device, rates) {
      const answer = (device as FakeGpu).utilisation ?? NOT_SUPPORTED;
      if (typeof answer !== "number") return answer.code;
      new DataView((rates as Uint8Array).buffer).setUint32(0, answer, true);
      return 0;
    },
    nvmlDeviceGetComputeRunningProcesses_v3: processes,
    nvmlDeviceGetComputeRunningProcesses_v2: processes,
    nvmlDeviceGetComputeRunningProcesses: processes,
    nvmlDeviceGetProcessUtilization(device, buffer, count) {
      const samples = (device as FakeGpu).samples;
      if (samples === undefined) return 3;
      const view = new DataView((buffer as Uint8Array).buffer);
      samples.forEach(({ pid, time, sm }, index) => {
        view.setUint32(index * 32, pid, true);
        view.setBigUint64(index * 32 + 8, time, true);
        view.setUint32(index * 32 + 16, sm, true);
      });
      (count as unknown[])[0] = samples.length;
      return samples.length === 0 ? 6 : 0;
    },
  };
  return Object.fromEntries(Object.entries(functions).filter(([name]) => !without.includes(name)));
}
