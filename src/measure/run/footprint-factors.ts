// What this machine's water and making are worked out from, when nobody declared it.

import type { Machine } from "../../core/card.ts";
import { exact, type Figure, figure, type Host, withError } from "../../core/index.ts";
import {
  cloudRegionOf,
  gridWater,
  providerWue,
  SERVER_LIFE,
  serverByParts,
} from "../carbon/index.ts";
import type { FootprintFactors } from "./footprint.ts";

export interface MachineClass {
  readonly machine: Machine;
  /** A desktop or a laptop outside data centres. */
  readonly personal: boolean;
  /** A guest of a machine that it does not see. */
  readonly guest: boolean;
  /** Grid zone of the signal. */
  readonly zone: string;
}

/** Factors of water, and of the hardware where it is a server's. */
export async function machineFactors(
  host: Host,
  of: MachineClass,
): Promise<Pick<FootprintFactors, "water" | "embodied">> {
  const [wue, ewif] = await Promise.all([siteWater(host, of.personal), gridWater(host, of.zone)]);
  const total = hardware(of);
  return {
    water: { wue, ewif },
    ...(total === null ? {} : { embodied: { total, life: SERVER_LIFE } }),
  };
}

/** Li et al. 2025, Table 1: Microsoft's data centres in the United States, and the range of all places. */
const UNKNOWN_SITE = { value: 0.55, low: 0, high: 1.9 };

async function siteWater(host: Host, personal: boolean): Promise<Figure<"L/kWh">> {
  if (personal) {
    const origin = {
      method: "declared",
      source: "no water on site: not in a data centre",
    } as const;
    return exact("L/kWh", 0, origin);
  }
  const cloud = cloudRegionOf(host.env);
  const published = cloud === null ? null : await providerWue(host, cloud.provider, cloud.region);
  if (published !== null) return published;
  return figure("L/kWh", UNKNOWN_SITE.value, UNKNOWN_SITE, {
    method: "declared",
    source: "Li et al. 2025, Table 1: mean of the United States, range of all places",
    fallbacks: ["the water use of this data centre is not known"],
  });
}

/**
 * A host that is lent out in parts: two sockets with 96 threads and 4 GB for each of them, as large
 * clouds rent. The parts of others differ at most twofold a thread.
 */
const TYPICAL_HOST = { sockets: 2, threads: 96, memoryGbPerThread: 4 } as const;
const TYPICAL_ERROR = 0.6;

/** Emissions of making the machine; null for a personal computer, for whose kind there is no model. */
function hardware({ machine, personal, guest }: MachineClass): Figure<"gCO2e"> | null {
  if (personal) return null;
  const { threads, sockets = 1 } = machine.cpu;
  if (!guest) {
    const memoryGb = Math.max(1, machine.memoryBytes / 1e9);
    return serverByParts({ sockets, memoryGb, gpus: machine.gpus.length });
  }
  const memoryGb = TYPICAL_HOST.threads * TYPICAL_HOST.memoryGbPerThread;
  const whole = serverByParts({ sockets: TYPICAL_HOST.sockets, memoryGb });
  const gpus = 150_000 * machine.gpus.length;
  return withError("gCO2e", (whole.value * threads) / TYPICAL_HOST.threads + gpus, TYPICAL_ERROR, {
    method: "estimated",
    source: `${threads} of ${TYPICAL_HOST.threads} threads of a typical host: ${whole.source}`,
    fallbacks: ["a guest does not see the machine that it is a part of"],
  });
}
