// What a calibration believes: a sensor of the whole machine, or readings that a person types.

import type { Host } from "../../core/index.ts";
import { UserError } from "../../core/index.ts";
import { acpiMeter } from "../sensors/acpi-meter.ts";
import { battery } from "../sensors/battery.ts";
import { externalMeter, openMeter } from "../sensors/external-meter.ts";
import { probeAll, type Sensor, type SensorProvider } from "../sensors/index.ts";
import { ipmi } from "../sensors/ipmi.ts";
import { redfish } from "../sensors/redfish.ts";
import type { TruthError } from "./supply.ts";

export type Truth = TruthError &
  (
    | {
        readonly kind: "meter" | "bmc" | "battery";
        /** For people: what was read. */
        readonly label: string;
        readonly sensors: readonly Sensor[];
      }
    | {
        readonly kind: "typed";
        readonly label: string;
        /** The reading at one step, watts. */
        ask(step: { readonly asked: number; readonly index: number }): Promise<number>;
      }
  );

/** Relative error of a plug that a person reads, as of one that godwit reads. */
const TYPED_ERROR = 0.02;
/** People type whole watts. */
const TYPED_RESOLUTION = 1;

/** Readings that a person takes. */
export const typedTruth = (ask: Extract<Truth, { kind: "typed" }>["ask"]): Truth => ({
  kind: "typed",
  label: "typed readings",
  error: TYPED_ERROR,
  resolution: TYPED_RESOLUTION,
  ask,
});

/** A meter that was named: a file or an address. Throws UserError saying what is wrong with it. */
export async function meterTruth(host: Host, target: string): Promise<Truth> {
  const sensor = await openMeter(host, target);
  return { kind: "meter", label: sensor.source, sensors: [sensor], ...errorOf(sensor) };
}

/** Providers that read the whole machine at or near its plug, better ones first. */
const METERS: readonly (readonly [SensorProvider, "meter" | "bmc" | "battery"])[] = [
  [externalMeter, "meter"],
  [ipmi, "bmc"],
  [redfish, "bmc"],
  [acpiMeter, "bmc"],
  [battery, "battery"],
];

/** Names of providers that are a truth, so no component. */
export const METER_NAMES: readonly string[] = METERS.map(([{ name }]) => name);

/** The best source that answers here. Throws UserError with every source's reason when none does. */
export async function findTruth(host: Host): Promise<Truth> {
  const found = await probeAll(
    host,
    METERS.map(([provider]) => provider),
  );
  for (const { provider, probe } of found) {
    const kind = METERS.find(([{ name }]) => name === provider)?.[1];
    const sensors = probe.status === "ready" ? probe.sensors.filter(isWhole) : [];
    const [first] = sensors;
    if (kind === undefined || first === undefined) continue;
    return { kind, label: first.source, sensors, ...errorOf(first) };
  }
  const reasons = found.map(({ provider, probe }) => {
    return `${provider}: ${probe.status === "ready" ? "no sensor of the whole machine" : probe.reason}`;
  });
  throw new UserError(
    "nothing-measured",
    ["nothing here measures the whole machine", ...reasons].join("\n"),
    {
      hint: [
        "On a laptop: unplug it. With a plug that logs: godwit calibrate --meter FILE|URL.",
        "With a plug that has a display: godwit calibrate --readings",
      ].join("\n"),
    },
  );
}

const isWhole = ({ domain, scope, method }: Sensor): boolean =>
  domain === "machine" && scope === "wall" && method !== "estimated";

function errorOf({ error }: Sensor): TruthError {
  const relative = typeof error === "number" ? error : Math.log(error.high / error.low) / 2;
  return { error: relative, resolution: 0 };
}
