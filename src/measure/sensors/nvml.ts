// NVIDIA GPUs through NVML: the board's energy counter, else its power averaged over a second, else
// its power. One sensor a board; which boards, `gpu-selection.ts` says.

import { type Host, listIfPresent, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { listNvidiaDevices } from "./gpu-cards.ts";
import { guardCounter, readAt } from "./gpu-counter.ts";
import { type SelectableGpu, selectNvidiaGpus } from "./gpu-selection.ts";
import {
  closeNvml,
  isNvmlError,
  NVML,
  type Nvml,
  type NvmlError,
  type NvmlHandle,
  type NvmlOpening,
  openNvml,
} from "./nvml-library.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

/** Relative standard deviation of a board's counter: NVIDIA states +-5 % for the power behind it. */
const COUNTER_ERROR = 0.05;
/**
 * GA100 and GH100 boards look at their power during 25 % of the time only (Yang, Adamek, Armour,
 * "Accurate and Convenient Energy Measurements for GPUs", SC24, arXiv:2312.02741, for A100 and H100;
 * the other boards with these chips are taken to behave alike). What is missed evens out in long
 * windows: twice the error below 30 s is our choice.
 */
const PART_TIME_WINDOW = { below: 30, error: 0.1 };
const PART_TIME = /\b(A100|A800|A30|H100|H200|H800|H20|GH200)\b/;
/** Reading power once a second adds about as much again: 5 % and 5 % in quadrature. */
const POLLING_ERROR = 0.05;
/** Seconds between updates of the power sensor: 20 to 100 ms in the same study. */
const UPDATE_PERIOD = 0.1;
/** Milliseconds: without persistence mode the driver is loaded for us, which takes seconds. */
const PATIENCE = 10_000;
/** A counter of exactly zero gets this long to move, milliseconds. */
const ZERO_PATIENCE = 200;

export const nvml: SensorProvider = {
  name: "nvml",
  description: "NVIDIA GPUs through NVML (Linux, Windows, WSL): energy counter, else power",
  domains: ["gpu"],
  patience: PATIENCE,

  async probe(host) {
    const opening = await openNvml(host);
    return opening.status === "open" ? probeBoards(host, opening.nvml) : failedProbe(host, opening);
  },

  close: closeNvml,
};

interface Board extends SelectableGpu {
  readonly handle: NvmlHandle;
  readonly pciBusId: string | null;
  readonly mig: boolean;
  readonly maxPower: number | null;
}

async function probeBoards(host: Host, library: Nvml): Promise<Probe> {
  const notes: string[] = [];
  const missing: string[] = [];
  const faults: NvmlError[] = [];
  const boards: Board[] = [];
  for (let index = 0; index < library.count(); index++) {
    try {
      boards.push(describeBoard(library, index));
    } catch (error) {
      if (!isNvmlError(error)) throw error;
      faults.push(error);
      missing.push(`GPU ${index}: ${error.message}`);
    }
  }
  const selection = selectNvidiaGpus(boards, host.env);
  notes.push(...selection.notes);
  const sensors: Sensor[] = [];
  for (const board of selection.gpus) {
    const found = await boardSensor(host, library, board);
    (found.sensor === null ? missing : notes).push(...found.notes);
    if (found.error !== null) faults.push(found.error);
    if (found.sensor !== null) sensors.push(found.sensor);
  }
  if (sensors.length > 0) return { status: "ready", sensors, notes, missing };
  const reason = [...missing, ...notes].join("; ") || "the driver lists no GPU";
  const fault = faults.find(({ code }) => remedyOf(code) !== null);
  const remedy = fault === undefined ? null : remedyOf(fault.code);
  return remedy === null ? { status: "absent", reason } : { status: "denied", reason, remedy };
}

function describeBoard(library: Nvml, index: number): Board {
  const handle = library.handle(index);
  const mig = attempt(() => library.migEnabled(handle)) ?? false;
  return {
    index,
    handle,
    uuid: library.uuid(handle),
    name: library.name(handle),
    pciBusId: attempt(() => library.pciBusId(handle)),
    mig,
    migUuids: mig ? (attempt(() => library.migUuids(handle)) ?? []) : [],
    maxPower: attempt(() => library.powerLimit(handle)),
  };
}

/** What a board may well not support, or null. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isNvmlError(error)) return null;
    throw error;
  }
}

interface BoardSensor {
  readonly sensor: Sensor | null;
  readonly notes: readonly string[];
  readonly error: NvmlError | null;
}

type Source = Pick<Sensor, "kind" | "method" | "source"> & { readonly value: () => number };

async function boardSensor(host: Host, library: Nvml, board: Board): Promise<BoardSensor> {
  const { handle, name, uuid } = board;
  const notes = board.mig ? [`${name} ${uuid}: MIG is on; energy is that of the whole board`] : [];
  const sources: readonly Source[] = [
    {
      kind: "counter",
      method: "measured",
      source: "NVML total energy counter",
      value: () => library.energy(handle),
    },
    {
      kind: "power",
      method: "sampled",
      source: "NVML power, 1 s average (field 185)",
      value: () => library.averagePower(handle),
    },
    { kind: "power", method: "sampled", source: "NVML power", value: () => library.power(handle) },
  ];
  let last: NvmlError | null = null;
  for (const source of sources) {
    try {
      if (await alive(host, source)) {
        return { sensor: sensorOf(host, board, source), notes, error: null };
      }
      notes.push(`${name} ${uuid}: ${source.source} stays at zero and is not used`);
    } catch (error) {
      if (!isNvmlError(error)) throw error;
      last = error;
      notes.push(`${name} ${uuid}: ${source.source} cannot be read (${error.message})`);
    }
  }
  return { sensor: null, notes, error: last };
}

/** A board under power never stands at exactly zero for long; one that does has no sensor. */
async function alive(host: Host, { value }: Source): Promise<boolean> {
  if (value() > 0) return true;
  await host.sleep(ZERO_PATIENCE);
  return value() > 0;
}

function sensorOf(host: Host, board: Board, source: Source): Sensor {
  const { value, ...kind } = source;
  const read = () => readAt(host, async () => drawn(source, value()));
  const withPolling = (error: number): number =>
    source.kind === "counter" ? error : Math.hypot(error, POLLING_ERROR);
  const { below, error } = PART_TIME_WINDOW;
  return {
    id: `nvml:${board.uuid}`,
    provider: "nvml",
    domain: "gpu",
    device: board.uuid,
    scope: "component",
    ...kind,
    source: [
      `${source.source}, ${board.name}`,
      ...(board.pciBusId === null ? [] : [`at ${board.pciBusId}`]),
      ...(board.mig ? ["(whole board, MIG is on)"] : []),
    ].join(" "),
    error: withPolling(COUNTER_ERROR),
    ...(PART_TIME.test(board.name) ? { shortWindow: { below, error: withPolling(error) } } : {}),
    updatePeriod: UPDATE_PERIOD,
    ...(board.maxPower === null ? {} : { maxPower: board.maxPower }),
    read: source.kind === "counter" ? guardCounter(read) : read,
  };
}

/** A board under power draws some: a reading of none is a fault. */
function drawn({ kind, source }: Source, value: number): number {
  if (kind === "power" && value <= 0) throw new Error(`${source} reads ${value} W`);
  return value;
}

/** What to do about a code, or null when nothing can be done. */
function remedyOf(code: number): string | null {
  switch (code) {
    case NVML.noPermission:
      return "give this user read access to /dev/nvidiactl and /dev/nvidia* (group video or render)";
    case NVML.versionMismatch:
      return "restart the machine, or reload the nvidia modules: the driver was updated while in use";
    case NVML.driverNotLoaded:
    case NVML.uninitialized:
      return "load the driver: sudo modprobe nvidia; then check with nvidia-smi";
    case NVML.gpuIsLost:
    case NVML.resetRequired:
      return "reset the GPU (sudo nvidia-smi --gpu-reset -i INDEX) or restart the machine; see dmesg for Xid";
    case NVML.libraryNotFound:
      return "install the driver's libraries of the loaded version; in a container, start it with --gpus";
    default:
      return null;
  }
}

async function failedProbe(
  host: Host,
  opening: Exclude<NvmlOpening, { status: "open" }>,
): Promise<Probe> {
  if (opening.status === "failed") {
    const { error } = opening;
    const reason = reasonOf(error);
    const remedy = remedyOf(error.code);
    // Machines without a GPU often have the library: there is nothing to remedy.
    const idle =
      error.code === NVML.driverNotLoaded && (await listNvidiaDevices(host)).length === 0;
    return remedy === null || idle
      ? { status: "absent", reason }
      : { status: "denied", reason, remedy };
  }
  if (opening.status === "unbound") {
    const { reason } = opening;
    return (await isVisible(host))
      ? { status: "denied", reason, remedy: "npm install koffi" }
      : { status: "absent", reason };
  }
  const loaded = await readTextIfPresent(host, "/proc/driver/nvidia/version").catch(() => null);
  if (loaded === null) return { status: "absent", reason: opening.reason };
  return {
    status: "denied",
    reason: `${opening.reason}, although the NVIDIA driver is loaded`,
    remedy:
      "in a container, start it with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility",
  };
}

/** Whether a GPU for NVML shows in a Linux host's files; elsewhere only the library can tell. */
async function isVisible(host: Host): Promise<boolean> {
  const nodes = await listIfPresent(host, "/dev").catch(() => []);
  if (nodes.some((name) => /^nvidia(ctl|\d+)$/.test(name))) return true;
  return (await listNvidiaDevices(host)).length > 0;
}
