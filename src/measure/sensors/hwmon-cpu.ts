// CPU and memory power from hardware-monitoring chips (Linux Documentation/hwmon/sysfs-interface.rst:
// energy in microjoules, power in microwatts, voltage in millivolts, current in milliamperes). Which
// channel feeds what is known only chip by chip, so a chip without a rule, or a channel whose label
// says nothing of a processor, is left alone. Jetson boards have a provider of their own.

import type { Host } from "../../core/index.ts";
import { hostErrorCode, listIfPresent, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { believable, readNumber } from "./machine-power.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

const HWMON = "/sys/class/hwmon";

/** What a channel measures and how to read it from the files of its chip. */
interface ChannelRule {
  /** Matches the channel's label. */
  readonly label: RegExp;
  readonly domain: "cpu" | "memory";
  readonly quantity: "energy" | "power" | "voltage x current";
}

interface ChipRule {
  readonly chip: RegExp;
  readonly error: number;
  /** Seconds. */
  readonly updatePeriod?: number;
  /** Each channel feeds all cores, one of which runs this: 0 W is a fault, not a rail at rest. */
  readonly neverAtRest?: true;
  readonly channels: readonly ChannelRule[];
}

const RAILS = {
  cpu: /cpu|arm|(^|[^a-z])(big|little|a\d{2})([^a-z]|$)/i,
  memory: /mem|dram|ddr/i,
} as const;

const rails = (quantity: ChannelRule["quantity"]): readonly ChannelRule[] => [
  { label: RAILS.memory, domain: "memory", quantity },
  { label: RAILS.cpu, domain: "cpu", quantity },
];

const CHIPS: readonly ChipRule[] = [
  // The socket's RAPL counter, accumulated by the driver to 64 bits; `Ecore000` is inside the socket.
  {
    chip: /^(amd_energy|zenergy)$/,
    error: 0.03,
    updatePeriod: 0.001,
    channels: [{ label: /^Esocket\d+$/, domain: "cpu", quantity: "energy" }],
  },
  // Voltage regulator telemetry; its current formula was found by experiment and depends on the board
  // (zenpower README). Cores and SoC are separate rails that add up.
  {
    chip: /^zenpower$/,
    error: 0.2,
    neverAtRest: true,
    channels: [{ label: /^SVI2_P_(Core|SoC)$/, domain: "cpu", quantity: "power" }],
  },
  // Applied Micro X-Gene; Documentation/hwmon/xgene-hwmon.rst.
  {
    chip: /^apm_xgene$/,
    error: 0.1,
    neverAtRest: true,
    channels: [{ label: /^(CPU|IO) power$/, domain: "cpu", quantity: "power" }],
  },
  // Shunt monitors of Texas Instruments on boards; what they feed is in the device tree's label.
  { chip: /^ina(2[0-9]{2})$/, error: 0.05, channels: rails("power") },
  // The INA3221 gives no power: channel n is bus voltage n times current n (hwmon/ina3221.rst).
  { chip: /^ina3221$/, error: 0.05, channels: rails("voltage x current") },
];

export const hwmonCpu: SensorProvider = {
  name: "hwmon-cpu",
  description:
    "CPU and memory power of amd_energy, zenpower and INA chips, /sys/class/hwmon (Linux)",
  domains: ["cpu", "memory"],

  async probe(host): Promise<Probe> {
    if (await isJetson(host)) return { status: "absent", reason: "Jetson boards: see jetson" };
    const sensors: Sensor[] = [];
    const notes: string[] = [];
    const missing: string[] = [];
    let denied: string | null = null;
    for (const folderName of await listIfPresent(host, HWMON)) {
      const folder = `${HWMON}/${folderName}`;
      const chip = (await readTextIfPresent(host, `${folder}/name`))?.trim() ?? "";
      const rule = CHIPS.find((candidate) => candidate.chip.test(chip));
      if (rule === undefined) continue;
      const before = sensors.length;
      for (const sensor of await channelsOf(host, folder, { chip, rule, folderName })) {
        try {
          await sensor.read();
          sensors.push(sensor);
        } catch (error) {
          const code = hostErrorCode(error);
          if (code === "EACCES" || code === "EPERM") denied ??= folder;
          missing.push(`${sensor.id}: ${reasonOf(error)}`);
        }
      }
      if (sensors.length === before)
        notes.push(`${chip} (${folderName}) has no labelled CPU channel`);
    }
    if (sensors.length > 0) return { status: "ready", sensors, notes, missing };
    if (denied !== null) return refused(denied);
    return {
      status: "absent",
      reason: [...missing, ...notes].join("; ") || `no chip with a rule in ${HWMON}`,
    };
  },
};

interface Chip {
  readonly chip: string;
  readonly rule: ChipRule;
  readonly folderName: string;
}

async function channelsOf(host: Host, folder: string, found: Chip): Promise<readonly Sensor[]> {
  const { rule, chip, folderName } = found;
  const names = await host.list(folder);
  const sensors: Sensor[] = [];
  for (const name of names) {
    const [, kind, number] = /^(energy|power|in)(\d+)_(?:input|average)$/.exec(name) ?? [];
    if (kind === undefined || number === undefined) continue;
    const label = await labelOf(host, folder, `${kind}${number}`);
    if (label === null) continue;
    const channel = rule.channels.find(
      (candidate) => fileKind(candidate.quantity) === kind && candidate.label.test(label),
    );
    if (channel === undefined) continue;
    // power1_average and power1_input are one channel; the average is the better integrand.
    if (name.endsWith("_input") && names.includes(`${kind}${number}_average`)) continue;
    const counter = channel.quantity === "energy";
    sensors.push({
      id: `hwmon-cpu:${folderName}/${label}`,
      provider: "hwmon-cpu",
      domain: channel.domain,
      device: deviceOf(label, folderName),
      scope: "component",
      kind: counter ? "counter" : "power",
      method: counter ? "measured" : "sampled",
      source: `hwmon ${chip}, ${label}`,
      error: rule.error,
      ...(rule.updatePeriod === undefined ? {} : { updatePeriod: rule.updatePeriod }),
      read: awake(
        rule,
        `${chip} ${label}`,
        readerOf(host, { folder, file: `${folder}/${name}`, number, channel }),
      ),
    });
  }
  return sensors;
}

/** Kind of file from which a quantity is read first. */
function fileKind(quantity: ChannelRule["quantity"]): string {
  return quantity === "voltage x current" ? "in" : quantity;
}

/** A channel's own label, else that of the whole chip, as the device tree gives it. */
async function labelOf(host: Host, folder: string, channel: string): Promise<string | null> {
  const own = await readTextIfPresent(host, `${folder}/${channel}_label`);
  return (own ?? (await readTextIfPresent(host, `${folder}/label`)))?.trim() || null;
}

/** Sockets are named as RAPL names them, so that the two can be recognised as one. */
function deviceOf(label: string, folderName: string): string {
  const socket = /^Esocket(\d+)$/.exec(label)?.[1];
  return socket === undefined ? `${folderName}/${label}` : `package-${socket}`;
}

/** A reading of nothing from what is never at rest is a fault. */
function awake({ neverAtRest }: ChipRule, name: string, read: Sensor["read"]): Sensor["read"] {
  if (neverAtRest !== true) return read;
  return async () => {
    const reading = await read();
    believable(reading.value, name);
    return reading;
  };
}

function readerOf(
  host: Host,
  channel: {
    readonly folder: string;
    readonly file: string;
    readonly number: string;
    readonly channel: ChannelRule;
  },
): Sensor["read"] {
  const { folder, file, number } = channel;
  if (channel.channel.quantity !== "voltage x current") {
    return async () => ({ at: host.monotonic(), value: (await readNumber(host, file)) / 1e6 });
  }
  return async () => {
    const millivolts = await readNumber(host, file);
    const milliamperes = await readNumber(host, `${folder}/curr${number}_input`);
    return { at: host.monotonic(), value: (millivolts * milliamperes) / 1e6 };
  };
}

async function isJetson(host: Host): Promise<boolean> {
  const compatible = await readTextIfPresent(host, "/proc/device-tree/compatible");
  return compatible?.includes("nvidia,tegra") ?? false;
}

function refused(folder: string): Probe {
  return {
    status: "denied",
    reason: `${folder} is for root: energy counters leak what code computes (CVE-2020-12912)`,
    remedy: `sudo chmod a+r ${folder}/*_input`,
  };
}
