// How busy the machine's processors were between two moments. Idle, waiting for disks and time
// stolen by other guests are not work; what the machine's own guests use is part of user time.

import { type Host, readTextIfPresent } from "../../core/index.ts";

/** Ticks a second of /proc/stat: USER_HZ, 100 on every architecture that Linux runs ours on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds since boot, over all logical processors. */
export interface BusyTime {
  readonly busyS: number;
  /** Processors counted in it; null where the platform gives the sum alone. */
  readonly processors: number | null;
}

/** Busy time by a moment, monotonic nanoseconds. */
interface BusyReading extends BusyTime {
  readonly at: bigint;
}

/** The machine as all who ask see it at one moment: nothing is read twice. */
export interface MachineUse {
  /** Busy time so far: from /proc/stat, elsewhere as Node tells it. */
  busyTime(): Promise<BusyReading>;
}

/** The machine at the moment at which it is first asked. */
export function machineUse(host: Host): MachineUse {
  let reading: Promise<BusyReading> | undefined;
  return {
    busyTime() {
      reading ??= readBusyTime(host);
      return reading;
    },
  };
}

async function readBusyTime(host: Host): Promise<BusyReading> {
  const text = await readTextIfPresent(host, "/proc/stat");
  const busy =
    text === null ? { busyS: host.cpuTimes().busyS, processors: null } : parseProcStat(text);
  return { ...busy, at: host.monotonic() };
}

/** Fields of proc(5): user nice system idle iowait irq softirq steal guest guest_nice. */
export function parseProcStat(text: string): BusyTime {
  const total = /^cpu\s+([\d ]+)$/m.exec(text)?.[1];
  if (total === undefined) throw new Error("/proc/stat has no line of all processors");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = total.split(" ").map(Number);
  return {
    busyS: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    processors: [...text.matchAll(/^cpu\d+ /gm)].length || null,
  };
}
