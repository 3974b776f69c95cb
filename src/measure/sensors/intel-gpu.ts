// Intel graphics cards through hwmon: the i915 and xe drivers count energy on discrete cards.
// Integrated graphics have no hwmon of their own; their energy is inside the CPU package.
// Files: kernel documentation, sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon.

import { type Host, hostErrorCode, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { type GpuCard, listGpuCards, readNumber, readNumberIfAny } from "./gpu-cards.ts";
import { guardCounter, readAt } from "./gpu-counter.ts";
import type { Sensor, SensorProvider } from "./sensor.ts";

const MICRO = 1e-6;
/** Relative standard deviation; our own choice, no study of these counters is known to us. */
const COUNTER_ERROR = 0.05;

export const intelGpu: SensorProvider = {
  name: "intel-gpu",
  description: "Intel discrete GPUs through the i915 and xe drivers (Linux): energy counter",
  domains: ["gpu"],

  async probe(host) {
    if (host.platform !== "linux") return { status: "absent", reason: "hwmon is Linux only" };
    const cards = await listGpuCards(host, "0x8086");
    if (cards.length === 0) return { status: "absent", reason: "no Intel GPU in /sys/class/drm" };
    const sensors: Sensor[] = [];
    const faults: string[] = [];
    let denied = false;
    for (const card of cards) {
      try {
        const sensor = await cardSensor(host, card);
        if (sensor === null) {
          faults.push(`${card.pciAddress}: integrated, or a kernel without its energy counter`);
        } else sensors.push(sensor);
      } catch (error) {
        denied ||= hostErrorCode(error) === "EACCES";
        faults.push(`${card.pciAddress}: ${reasonOf(error)}`);
      }
    }
    if (sensors.length > 0) return { status: "ready", sensors, notes: faults };
    const reason = faults.join("; ");
    if (!denied) return { status: "absent", reason };
    return { status: "denied", reason, remedy: "make the hwmon files readable, or run as root" };
  },
};

async function cardSensor(host: Host, card: GpuCard): Promise<Sensor | null> {
  // `i915_gt0`, `i915_gt1` count single tiles, which the card's own counter includes.
  const hwmon = card.hwmons.find(({ name }) => name === "i915" || name === "xe");
  if (hwmon === undefined) return null;
  const channel = await energyChannel(host, hwmon.path);
  if (channel === null) return null;
  const file = `${hwmon.path}/energy${channel.number}_input`;
  await readNumber(host, file, MICRO);
  const maxPower = await cardPowerLimit(host, hwmon.path);
  return {
    id: `intel-gpu:${card.pciAddress}`,
    provider: "intel-gpu",
    domain: "gpu",
    device: card.pciAddress,
    scope: "component",
    kind: "counter",
    method: "measured",
    source: `${hwmon.name} energy${channel.number}_input (${channel.label}), Intel GPU ${card.deviceId}`,
    error: COUNTER_ERROR,
    ...(maxPower === null ? {} : { maxPower }),
    // Counters of these cards were seen to fall now and then (intel/compute-runtime issue 938).
    read: guardCounter(() => readAt(host, () => readNumber(host, file, MICRO))),
  };
}

/** Energy of the card where it is counted, else of its package alone (xe labels the two). */
async function energyChannel(
  host: Host,
  hwmon: string,
): Promise<{ readonly number: number; readonly label: string } | null> {
  const found: { number: number; label: string }[] = [];
  for (const number of [1, 2]) {
    if ((await readTextIfPresent(host, `${hwmon}/energy${number}_input`)) === null) continue;
    const label = (await readTextIfPresent(host, `${hwmon}/energy${number}_label`))?.trim();
    found.push({ number, label: label || "card" });
  }
  return found.find(({ label }) => label === "card") ?? found[0] ?? null;
}

/** The sustained limit, else the rated one; a limit of 0 is one that is switched off. */
async function cardPowerLimit(host: Host, hwmon: string): Promise<number | null> {
  for (const file of ["power1_max", "power1_rated_max", "power2_max", "power2_rated_max"]) {
    const limit = await readNumberIfAny(host, `${hwmon}/${file}`, MICRO);
    if (limit !== null && limit > 0) return limit;
  }
  return null;
}
