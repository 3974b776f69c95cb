// A laptop's battery while it discharges: the whole machine, screen included, by the fuel gauge
// (Linux Documentation/ABI/testing/sysfs-class-power). On mains the gauge says how fast the battery
// charges, which is not what the machine uses, so a plugged-in laptop has no such sensor, and being
// plugged in during a run is a gap.

import type { Host } from "../../core/index.ts";
import { listIfPresent, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { believable, readNumber } from "./machine-power.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

const SUPPLIES = "/sys/class/power_supply";

/** Relative error of a fuel gauge: docs/methods/machine-meters.md. */
const ERROR = 0.03;

/**
 * Joules that no battery of a computer holds (100 kWh). What is left is counted down from it, because
 * a counter grows and is never below zero.
 */
const MORE_THAN_FULL = 3.6e8;

/** ACPI control-method batteries are asked at most once a second by the kernel's cache. */
const UPDATE_PERIOD = 1;

export const battery: SensorProvider = {
  name: "battery",
  description: "The battery's fuel gauge, while the laptop runs on it (Linux)",
  domains: ["machine"],

  async probe(host): Promise<Probe> {
    const batteries = await systemBatteries(host);
    if (batteries.length === 0) return { status: "absent", reason: `no battery in ${SUPPLIES}` };
    try {
      const sensor = (await haveCounterOnly(host, batteries))
        ? batteryEnergy(host, batteries)
        : batteryPower(host, batteries);
      await sensor.read();
      return {
        status: "ready",
        sensors: [sensor],
        notes: ["the mains adapter's loss is not in it"],
      };
    } catch (error) {
      return { status: "absent", reason: reasonOf(error) };
    }
  },
};

/** Batteries that feed the machine; a mouse's battery has the scope `Device`. */
async function systemBatteries(host: Host): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const name of await listIfPresent(host, SUPPLIES)) {
    const folder = `${SUPPLIES}/${name}`;
    const type = (await readTextIfPresent(host, `${folder}/type`))?.trim();
    const scope = (await readTextIfPresent(host, `${folder}/scope`))?.trim();
    if (type === "Battery" && scope !== "Device") folders.push(folder);
  }
  return folders;
}

/** Some gauges tell what is left and not how fast it goes. */
async function haveCounterOnly(host: Host, batteries: readonly string[]): Promise<boolean> {
  for (const folder of batteries) {
    const names = await host.list(folder);
    if (names.includes("power_now") || names.includes("current_now")) return false;
    if (!names.includes("energy_now")) return false;
  }
  return true;
}

/** One sensor for all batteries: a laptop with two drains them in turn. */
const common = (batteries: readonly string[]) =>
  ({
    id: "battery:system",
    provider: "battery",
    domain: "machine",
    device: batteries.map((folder) => folder.slice(SUPPLIES.length + 1)).join("+"),
    scope: "wall",
    error: ERROR,
    updatePeriod: UPDATE_PERIOD,
  }) as const;

/** What has left the batteries, in joules, from the energy that is left in them. */
function batteryEnergy(host: Host, batteries: readonly string[]): Sensor {
  return {
    ...common(batteries),
    kind: "counter",
    method: "measured",
    source: "battery energy_now",
    async read() {
      await rejectOnMains(host);
      let microwattHours = 0;
      for (const folder of batteries) {
        await dischargingNow(host, folder);
        microwattHours += await readNumber(host, `${folder}/energy_now`);
      }
      // Exact: 1 uWh = 3600 uJ.
      return { at: host.monotonic(), value: MORE_THAN_FULL - microwattHours * 3600e-6 };
    },
  };
}

function batteryPower(host: Host, batteries: readonly string[]): Sensor {
  return {
    ...common(batteries),
    kind: "power",
    method: "sampled",
    source: "battery discharge",
    async read() {
      await rejectOnMains(host);
      let watts = 0;
      for (const folder of batteries) watts += await dischargeOf(host, folder);
      return { at: host.monotonic(), value: believable(watts, "the battery") };
    },
  };
}

/** A charge limit shows as `Not charging` on mains, so the adapter is asked as well. */
async function rejectOnMains(host: Host): Promise<void> {
  for (const name of await listIfPresent(host, SUPPLIES)) {
    const folder = `${SUPPLIES}/${name}`;
    const type = (await readTextIfPresent(host, `${folder}/type`))?.trim();
    if (type !== "Mains" && type !== "USB") continue;
    // 1 is fixed voltage, 2 a programmable USB supply; both feed the machine.
    const online = (await readTextIfPresent(host, `${folder}/online`))?.trim();
    if (online === "1" || online === "2") throw onMains(`${name} is online`);
  }
}

/** Whether this battery is the one in use; false for a second one that rests. */
async function dischargingNow(host: Host, folder: string): Promise<boolean> {
  const status = (await host.readText(`${folder}/status`)).trim();
  if (status === "Discharging") return true;
  if (status === "Full" || status === "Not charging") return false;
  if (status === "Charging") throw onMains(`${folder} is charging`);
  throw new Error(`${folder}/status is ${status}`);
}

/** As of a device that is gone: what the battery lost meanwhile is not what the machine used. */
const onMains = (why: string): Error =>
  Object.assign(new Error(`plugged in (${why})`), { code: "ENODEV" });

/** Watts that a battery gives. Some drivers give discharge a negative sign, some do not. */
async function dischargeOf(host: Host, folder: string): Promise<number> {
  if (!(await dischargingNow(host, folder))) return 0;
  if ((await host.list(folder)).includes("power_now")) {
    return Math.abs(await readNumber(host, `${folder}/power_now`)) / 1e6;
  }
  const microamperes = await readNumber(host, `${folder}/current_now`);
  const microvolts = await readNumber(host, `${folder}/voltage_now`);
  return Math.abs(microamperes * microvolts) / 1e12;
}
