// A meter outside the machine, named by GODWIT_METER: a file that a logger appends to, or the
// address of a smart plug. It reads the wall, so it covers everything behind the plug.
//
// The newest sample of a file stands for the moment that its own time stamp names; a stamp that is
// too old or in the future is a gap with its reason. Formats: `meter-file.ts`, `meter-plug.ts`.

import type { Host } from "../../core/index.ts";
import { reasonOf, UserError } from "../../core/index.ts";
import { openMeterFile } from "./meter-file.ts";
import { openMeterPlug } from "./meter-plug.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

/** Relative error of a plug or a bench meter: docs/methods/machine-meters.md. */
const ERROR = 0.02;

export interface MeterOptions {
  /** Path of a file or address of a plug; `GODWIT_METER` when it is left out. */
  readonly target?: string;
}

/** The provider for the meter that `GODWIT_METER` names. */
export const externalMeter: SensorProvider = createExternalMeter();

/** A provider for one meter. */
export function createExternalMeter({ target }: MeterOptions = {}): SensorProvider {
  return {
    name: "external-meter",
    description: "A wall meter: a growing file or a smart plug (GODWIT_METER)",
    domains: ["machine"],

    async probe(host): Promise<Probe> {
      const chosen = target ?? host.env["GODWIT_METER"];
      if (chosen === undefined || chosen === "") {
        return { status: "absent", reason: "GODWIT_METER is not set" };
      }
      try {
        return { status: "ready", sensors: [await openMeter(host, chosen)] };
      } catch (error) {
        const remedy = error instanceof UserError ? error.hint : "check GODWIT_METER";
        return { status: "denied", reason: reasonOf(error), remedy };
      }
    },
  };
}

/** The sensor of a meter, read once to prove that it works. Throws UserError saying what is wrong. */
export async function openMeter(host: Host, target: string): Promise<Sensor> {
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
  const meter = isAddress ? openMeterPlug(host, target) : openMeterFile(host, target);
  await meter.read();
  return {
    id: "external-meter:wall",
    provider: "external-meter",
    domain: "machine",
    device: meter.device,
    scope: "wall",
    kind: "power",
    method: "sampled",
    source: meter.source,
    error: ERROR,
    read: () => meter.read(),
  };
}
