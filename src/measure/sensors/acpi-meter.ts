// The ACPI 4.0 power meter of some servers, through the kernel's `acpi_power_meter` driver
// (ACPI specification 10.4; Linux Documentation/hwmon/acpi_power_meter.rst). It reads the power of
// the chassis, averaged by the firmware, in microwatts.

import type { Host } from "../../core/index.ts";
import { hostErrorCode, listIfPresent, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { believable, readNumber } from "./machine-power.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

const HWMON = "/sys/class/hwmon";

/** Relative error of a server's own meter, as for a BMC: docs/methods/machine-meters.md. */
const ERROR = 0.02;

export const acpiMeter: SensorProvider = {
  name: "acpi-meter",
  description: "ACPI power meter of a server's chassis (Linux, hwmon power_meter)",
  domains: ["machine"],

  async probe(host): Promise<Probe> {
    const sensors: Sensor[] = [];
    const notes: string[] = [];
    for (const chip of await listIfPresent(host, HWMON)) {
      const folder = `${HWMON}/${chip}`;
      if ((await readTextIfPresent(host, `${folder}/name`))?.trim() !== "power_meter") continue;
      const sensor = await meterIn(host, folder, chip);
      try {
        await sensor.read();
        sensors.push(sensor);
      } catch (error) {
        if (hostErrorCode(error) === "EACCES") return denied(folder);
        notes.push(reasonOf(error));
      }
    }
    if (sensors.length > 0) return { status: "ready", sensors, notes };
    return { status: "absent", reason: notes.join("; ") || `no power_meter in ${HWMON}` };
  },
};

async function meterIn(host: Host, folder: string, chip: string): Promise<Sensor> {
  const path = await meterPath(host, folder);
  const interval = await readTextIfPresent(host, `${path}_interval`);
  const milliseconds = Number(interval ?? Number.NaN);
  return {
    id: `acpi-meter:${chip}`,
    provider: "acpi-meter",
    domain: "machine",
    device: chip,
    scope: "wall",
    kind: "power",
    method: "sampled",
    source: "ACPI power meter, hwmon power1_average",
    error: ERROR,
    ...(milliseconds > 0 ? { updatePeriod: milliseconds / 1000 } : {}),
    async read() {
      const microwatts = await readNumber(host, path);
      return { at: host.monotonic(), value: believable(microwatts / 1e6, path) };
    },
  };
}

/** Kernels before 3.2 kept the attributes beside `device`, not in the hwmon folder itself. */
async function meterPath(host: Host, folder: string): Promise<string> {
  const old = `${folder}/device/power1_average`;
  const names: readonly string[] = await listIfPresent(host, `${folder}/device`).catch(() => []);
  return names.includes("power1_average") ? old : `${folder}/power1_average`;
}

function denied(folder: string): Probe {
  return {
    status: "denied",
    reason: `${folder}/power1_average is not readable by this user`,
    remedy: `sudo chmod a+r ${folder}/power1_average`,
  };
}
