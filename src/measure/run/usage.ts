// What the machine and the subject have used so far: what shares are made of.

import type { Host } from "../../core/index.ts";
import { readBusyTime } from "../estimate/busy-time.ts";
import type { GpuUse } from "./record.ts";
import type { Usage } from "./sampler.ts";

/** What the subject has used so far; null where it is not known. */
export interface SubjectUse {
  readonly cpuSeconds: number | null;
  readonly rssBytes: number | null;
  /** By sensor id, where the GPU tells by process. */
  readonly gpu?: Readonly<Record<string, GpuUse>>;
}

/** Use of machine and subject by now; each part is known or not by itself. */
export async function usageOf(host: Host, subject: () => Promise<SubjectUse>): Promise<Usage> {
  const [machine, use] = await Promise.all([
    readBusyTime(host).catch(() => null),
    subject().catch(() => null),
  ]);
  return {
    busyS: machine?.busyS ?? null,
    subjectS: use?.cpuSeconds ?? null,
    rss: use?.rssBytes ?? null,
    ...(use?.gpu === undefined ? {} : { gpu: use.gpu }),
  };
}

/** This process as the subject. */
export async function ownUse(host: Host): Promise<SubjectUse> {
  const { cpuS, rssBytes } = host.ownUsage();
  return { cpuSeconds: cpuS, rssBytes };
}
