// NVIDIA Jetson modules: the INA3221 monitors on the module measure voltage and current of its
// supply rails, and the rails' names say what hangs on them (NVIDIA Jetson Linux Developer Guide,
// "Software-Based Power Consumption Modeling"; kernel documentation, "Kernel driver ina3221").
//
// Where the module's input is measured (VDD_IN) that is the total, and the other rails are inside
// it; the AGX modules have no such rail, and their rails add up. The carrier board is never included.

import { type Host, listIfPresent, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { readNumber } from "./gpu-cards.ts";
import { type Read, readAt } from "./gpu-counter.ts";
import type { Domain, Sensor, SensorProvider } from "./sensor.ts";

/** Relative standard deviation: shunt tolerance and 8 mA steps at light load; our own choice. */
const RAIL_ERROR = 0.05;

/** What a rail feeds. `total`: the module's input. `inside`: part of another measured rail. */
const RAILS: Readonly<Record<string, Domain | "total" | "inside">> = {
  // Orin NX, Orin Nano, Xavier NX, TX2; Nano and TX1; Thor (an INA238 on the carrier).
  VDD_IN: "total",
  POM_5V_IN: "total",
  VIN: "total",
  // One rail for the CPU, the GPU and the vision engines; listed under the GPU, which dominates it.
  VDD_CPU_GPU_CV: "gpu",
  VDD_SOC: "board",
  // AGX Orin. VIN_SYS_5V0 feeds the memory rail too.
  VDD_GPU_SOC: "gpu",
  VDD_CPU_CV: "cpu",
  VIN_SYS_5V0: "board",
  VDDQ_VDD2_1V8AO: "inside",
  // AGX Xavier.
  GPU: "gpu",
  CPU: "cpu",
  SOC: "board",
  CV: "board",
  VDDRQ: "memory",
  SYS5V: "board",
  // Nano, TX1, TX2.
  POM_5V_GPU: "gpu",
  POM_5V_CPU: "cpu",
  VDD_SYS_GPU: "gpu",
  VDD_SYS_CPU: "cpu",
  VDD_SYS_SOC: "board",
  VDD_SYS_DDR: "memory",
  // Thor.
  VDD_GPU: "gpu",
  VDD_CPU_SOC_MSS: "cpu",
};

export const jetson: SensorProvider = {
  name: "jetson",
  description: "NVIDIA Jetson modules through their INA3221 power monitors (Linux)",
  domains: ["machine", "gpu", "cpu", "memory", "board"],

  async probe(host) {
    if (host.platform !== "linux") return { status: "absent", reason: "Jetson runs Linux" };
    const model = await readTextIfPresent(host, "/proc/device-tree/model").catch(() => null);
    if (model === null || !/jetson/i.test(model)) {
      return { status: "absent", reason: "not an NVIDIA Jetson" };
    }
    const rails = [...(await hwmonRails(host)), ...(await iioRails(host))];
    const notes = rails
      .filter(({ name }) => RAILS[name] === undefined)
      .map(({ name }) => `rail ${name} is not known and not counted`);
    const known = await readableRails(rails, notes);
    if (known.length === 0) {
      const reason = notes.join("; ") || "no INA3221 power monitor is visible";
      return { status: "absent", reason };
    }
    return { status: "ready", sensors: moduleSensors(host, known), notes };
  },
};

interface Rail {
  readonly name: string;
  /** Watts. */
  readonly read: Read;
}

/** Rails of the mainline driver: volts in `inN_input` (mV), amperes in `currN_input` (mA). */
async function hwmonRails(host: Host): Promise<readonly Rail[]> {
  const rails: Rail[] = [];
  for (const folder of await listIfPresent(host, "/sys/class/hwmon")) {
    const path = `/sys/class/hwmon/${folder}`;
    const chip = (await readTextIfPresent(host, `${path}/name`))?.trim();
    if (chip === "ina238") {
      rails.push({ name: "VIN", read: () => readNumber(host, `${path}/power1_input`, 1e-6) });
    }
    if (chip !== "ina3221") continue;
    // Channels 4 to 6 are shunt voltages of the same rails, 7 is their sum.
    for (const channel of [1, 2, 3]) {
      const name = (await readTextIfPresent(host, `${path}/in${channel}_label`))?.trim();
      if (name === undefined || name === "" || name === "NC") continue;
      const read = async () => {
        const [volts, amperes] = await Promise.all([
          readNumber(host, `${path}/in${channel}_input`, 1e-3),
          readNumber(host, `${path}/curr${channel}_input`, 1e-3),
        ]);
        return volts * amperes;
      };
      rails.push({ name, read });
    }
  }
  return rails;
}

/** Rails of the driver of JetPack 4, which tells milliwatts. */
async function iioRails(host: Host): Promise<readonly Rail[]> {
  const rails: Rail[] = [];
  const driver = "/sys/bus/i2c/drivers/ina3221x";
  for (const address of await listIfPresent(host, driver)) {
    for (const device of await listIfPresent(host, `${driver}/${address}`)) {
      if (!device.startsWith("iio:device")) continue;
      const path = `${driver}/${address}/${device}`;
      for (const channel of [0, 1, 2]) {
        const name = (await readTextIfPresent(host, `${path}/rail_name_${channel}`))?.trim();
        if (name === undefined || name === "" || name === "NC") continue;
        const read = () => readNumber(host, `${path}/in_power${channel}_input`, 1e-3);
        rails.push({ name, read });
      }
    }
  }
  return rails;
}

/** Known rails that answer now; the others are noted. */
async function readableRails(rails: readonly Rail[], notes: string[]): Promise<readonly Rail[]> {
  const readable: Rail[] = [];
  for (const rail of rails) {
    if (RAILS[rail.name] === undefined) continue;
    try {
      await rail.read();
      readable.push(rail);
    } catch (error) {
      notes.push(`rail ${rail.name}: ${reasonOf(error)}`);
    }
  }
  return readable;
}

function moduleSensors(host: Host, rails: readonly Rail[]): readonly Sensor[] {
  const inputs = rails.filter(({ name }) => RAILS[name] === "total");
  const parts = rails.filter(({ name }) => RAILS[name] !== "total");
  const inside = parts.filter(({ name }) => RAILS[name] === "inside").map(sensorId);
  const components = parts.map((rail) => {
    const kind = RAILS[rail.name];
    const domain: Domain =
      kind === undefined || kind === "total" || kind === "inside" ? "memory" : kind;
    return sensorOf(host, rail, {
      domain,
      contains: rail.name === "VIN_SYS_5V0" ? inside : [],
    });
  });
  const input = inputs.find(({ name }) => name === "VIN") ?? inputs[0];
  const contains = parts.map(sensorId);
  const total = input ?? sumOf(parts.filter(({ name }) => RAILS[name] !== "inside"));
  return [sensorOf(host, total, { domain: "machine", contains }), ...components];
}

const sensorId = ({ name }: Rail): string => `jetson:${name}`;

/** The module as the sum of its rails; all must answer, or the sum would be silently too small. */
function sumOf(rails: readonly Rail[]): Rail {
  return {
    name: rails.map(({ name }) => name).join("+"),
    read: async () => {
      const powers = await Promise.all(rails.map(({ read }) => read()));
      return powers.reduce((sum, power) => sum + power, 0);
    },
  };
}

function sensorOf(
  host: Host,
  rail: Rail,
  { domain, contains }: { readonly domain: Domain; readonly contains: readonly string[] },
): Sensor {
  return {
    id: sensorId(rail),
    provider: "jetson",
    domain,
    device: rail.name,
    scope: "component",
    kind: "power",
    method: "sampled",
    source: `INA3221 rail ${rail.name}`,
    error: RAIL_ERROR,
    ...(contains.length === 0 ? {} : { contains }),
    read: () => readAt(host, rail.read),
  };
}
