// CPU seconds that the whole machine has been busy: what a subject's CPU time is a share of.
// Linux: /proc/stat (proc_stat(5)); elsewhere what Node knows of each processor.

import { type Host, readTextIfPresent } from "../../core/index.ts";

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Busy CPU seconds since boot. Null where /proc/stat exists and cannot be understood. */
export async function busySeconds(host: Host): Promise<number | null> {
  if (host.platform === "linux") {
    const text = await readTextIfPresent(host, "/proc/stat").catch(() => null);
    if (text !== null) return parseBusy(text);
  }
  const { busyS, idleS } = host.cpuTimes();
  return busyS + idleS > 0 ? busyS : null;
}

/**
 * Busy seconds of the first line of /proc/stat: user, nice, system, irq and softirq. Time that the
 * hypervisor stole was spent by others; guest time is inside user time already.
 */
export function parseBusy(text: string): number | null {
  const fields = /^cpu +(.+)$/m.exec(text)?.[1]?.split(" ").map(Number);
  const [user, nice, system, , , irq = 0, softirq = 0] = fields ?? [];
  const ticks =
    (user ?? Number.NaN) + (nice ?? Number.NaN) + (system ?? Number.NaN) + irq + softirq;
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}
