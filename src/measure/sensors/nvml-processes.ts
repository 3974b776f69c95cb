// Which processes use a GPU, how much of its time and memory: what attribution between processes
// needs. Process ids are those of the host, also inside a container with its own numbering; newer
// drivers give those of the container in the list and those of the host with the time shares
// (Project-HAMi/HAMi-core issue 112, driver 560), so who a process is has to be looked up.

import type { Host } from "../../core/index.ts";
import {
  isNvmlError,
  NVML,
  type Nvml,
  NvmlError,
  type NvmlHandle,
  openNvml,
} from "./nvml-library.ts";

interface GpuProcess {
  readonly pid: number;
  /** Share of the GPU's time in which kernels of this process ran, 0 to 1; null when not told. */
  readonly share: number | null;
  /** Bytes of GPU memory; null where the driver does not know (Windows). */
  readonly memory: number | null;
}

export interface GpuProcesses {
  readonly uuid: string;
  readonly processes: readonly GpuProcess[];
  /** Newest sample used, microseconds; give it back as `since` to get only what is newer. */
  readonly latest: bigint;
  /** Why `share` is null everywhere, such as MIG. */
  readonly note: string | null;
}

/** Fits any list that a driver was seen to give; a longer one is a fault, not data. */
const CAPACITY = 1024;
/** Largest known nvmlProcessInfo_t. */
const MAX_STRIDE = 32;
const UNTOUCHED = 0xa5;
/** NVML_VALUE_NOT_AVAILABLE. */
const NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;

/**
 * Compute processes of every GPU that answers; empty when there is no NVML. `since` (microseconds, by UUID) keeps
 * samples of time shares that are older from being counted again.
 */
export async function nvmlProcesses(
  host: Host,
  since: ReadonlyMap<string, bigint> = new Map(),
): Promise<readonly GpuProcesses[]> {
  const opening = await openNvml(host);
  if (opening.status !== "open") return [];
  const { nvml } = opening;
  const gpus: GpuProcesses[] = [];
  for (let index = 0; index < nvml.count(); index++) {
    try {
      gpus.push(await processesOf(nvml, nvml.handle(index), since));
    } catch (error) {
      // A board that does not answer, as one that is lost; its sensor says so with a gap.
      if (!isNvmlError(error)) throw error;
    }
  }
  return gpus;
}

async function processesOf(
  nvml: Nvml,
  device: NvmlHandle,
  since: ReadonlyMap<string, bigint>,
): Promise<GpuProcesses> {
  const uuid = nvml.uuid(device);
  const memory = await runningProcesses(nvml, device);
  const { shares, latest, note } = await timeShares(nvml, device, since.get(uuid) ?? 0n);
  const pids = [...new Set([...memory.keys(), ...shares.keys()])].sort((a, b) => a - b);
  const processes = pids.map((pid) => ({
    pid,
    // A process that holds memory and has no sample did not run a kernel.
    share: shares.get(pid) ?? (note === null ? 0 : null),
    memory: memory.get(pid) ?? null,
  }));
  return { uuid, processes, latest, note };
}

const RUNNING = [
  "nvmlDeviceGetComputeRunningProcesses_v3",
  "nvmlDeviceGetComputeRunningProcesses_v2",
  "nvmlDeviceGetComputeRunningProcesses",
] as const;

/**
 * Bytes of memory by process id. nvmlProcessInfo_t has 16, 24 or 32 bytes, and drivers disagree
 * about which of the three versions of the call uses which (R535's `_v3` first had 32, then 24;
 * NVIDIA/go-nvml issues 21 and 75), so the size is told from what the driver wrote.
 */
async function runningProcesses(
  nvml: Nvml,
  device: NvmlHandle,
): Promise<Map<number, number | null>> {
  const bytes = new Uint8Array(CAPACITY * MAX_STRIDE).fill(UNTOUCHED);
  const count: unknown[] = [CAPACITY];
  await callNewest(nvml, device, count, bytes);
  const length = Number(count[0]);
  const found = new Map<number, number | null>();
  if (length === 0) return found;
  const stride = writtenBytes(bytes) / length;
  if (![16, 24, 32].includes(stride)) {
    throw new Error(`NVML wrote ${stride} bytes a process: unknown layout of nvmlProcessInfo_t`);
  }
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length * stride; at += stride) {
    const used = view.getBigUint64(at + 8, true);
    found.set(view.getUint32(at, true), used === NOT_AVAILABLE ? null : Number(used));
  }
  return found;
}

async function callNewest(nvml: Nvml, ...args: readonly unknown[]): Promise<void> {
  for (const name of RUNNING) {
    try {
      await nvml.callSlow(name, ...args);
      return;
    } catch (error) {
      if (!isNvmlError(error, NVML.functionNotFound)) throw error;
    }
  }
  throw new NvmlError(RUNNING[0], NVML.functionNotFound);
}

/** Bytes up to the last one that is not as it was before the call. */
function writtenBytes(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === UNTOUCHED) end--;
  return end;
}

interface TimeShares {
  readonly shares: ReadonlyMap<number, number>;
  readonly latest: bigint;
  readonly note: string | null;
}

/**
 * Mean SM utilisation by process id, from nvmlProcessUtilizationSample_t: uint32 pid, uint64
 * microseconds, uint32 percent of SM, memory, encoder, decoder; 32 bytes with padding.
 */
async function timeShares(nvml: Nvml, device: NvmlHandle, since: bigint): Promise<TimeShares> {
  const stride = 32;
  const bytes = new Uint8Array(CAPACITY * stride);
  const count: unknown[] = [CAPACITY];
  try {
    await nvml.callSlow("nvmlDeviceGetProcessUtilization", device, bytes, count, since);
  } catch (error) {
    // NOT_FOUND: no process ran a kernel since then.
    if (isNvmlError(error, NVML.notFound)) return { shares: new Map(), latest: since, note: null };
    if (isNvmlError(error)) return { shares: new Map(), latest: since, note: error.message };
    throw error;
  }
  const view = new DataView(bytes.buffer);
  const samples = new Map<number, number[]>();
  let latest = since;
  for (let at = 0; at < Number(count[0]) * stride; at += stride) {
    const time = view.getBigUint64(at + 8, true);
    // Slots of the driver's ring that were never filled have no time.
    if (time <= since) continue;
    if (time > latest) latest = time;
    const pid = view.getUint32(at, true);
    samples.set(pid, [...(samples.get(pid) ?? []), view.getUint32(at + 16, true) / 100]);
  }
  const shares = new Map(
    [...samples].map(([pid, values]) => [
      pid,
      Math.min(1, values.reduce((sum, value) => sum + value, 0) / values.length),
    ]),
  );
  return { shares, latest, note: null };
}
