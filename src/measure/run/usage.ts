// What the machine and the subject have used so far: what shares are made of.

import type { Host } from "../../core/index.ts";
import type { MachineUse } from "../sensors/busy-time.ts";
import type { GpuUsage } from "./gpu-use.ts";
import type { Usage } from "./sampler.ts";

/** What the subject has used so far; null where it is not known. */
export interface SubjectUse {
  readonly cpuSeconds: number | null;
  readonly rssBytes: number | null;
  /** Its processes at this moment, for devices that tell by process; absent where nobody tells. */
  readonly pids?: readonly number[];
}

/** Use of machine and subject by now; each part is known or not by itself. */
export async function usageOf(
  machine: MachineUse,
  subject: () => Promise<SubjectUse>,
  gpus: GpuUsage | null = null,
): Promise<Usage> {
  const asked = subject().catch(() => null);
  const [busy, use, gpu] = await Promise.all([
    machine.busyTime().catch(() => null),
    asked,
    gpus?.read(async () => (await asked)?.pids ?? null),
  ]);
  return {
    busyS: busy?.busyS ?? null,
    subjectS: use?.cpuSeconds ?? null,
    rss: use?.rssBytes ?? null,
    ...(gpu === undefined ? {} : { gpu }),
  };
}

/** This process as the subject. */
export async function ownUse(host: Host): Promise<SubjectUse> {
  const { cpuS, rssBytes } = host.ownUsage();
  return { cpuSeconds: cpuS, rssBytes, pids: [host.pid] };
}
