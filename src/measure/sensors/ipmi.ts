// A server's power as its management controller knows it: the DCMI command Get Power Reading
// (DCMI specification 1.5, 6.6.1) asked through `ipmitool` over the local interface, /dev/ipmi0.
// The controller averages over its own period, one second to a minute, and rounds to whole watts.

import type { Host } from "../../core/index.ts";
import { hostErrorCode, reasonOf } from "../../core/index.ts";
import { believable, quoted } from "./machine-power.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

/** Devices through which the kernel offers the controller, in the order ipmitool tries them. */
const DEVICES = ["/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"];

/** Relative error: docs/methods/machine-meters.md. */
const ERROR = 0.02;

/** A controller answers in 10 to 300 ms; after this it is taken as hanging. */
const TIMEOUT = 5000;

/** One answer of the controller. */
export interface DcmiReading {
  /** Watts. */
  readonly power: number;
  /** Seconds of the controller's sampling period; null when it does not say. */
  readonly period: number | null;
}

/** The answer of `ipmitool dcmi power reading`. Throws when it is not a reading in force. */
export function parseDcmi(text: string): DcmiReading {
  const power = /Instantaneous power reading:\s*(\d+(?:\.\d+)?)\s*(\w+)/i.exec(text);
  if (power === null) throw new Error(`ipmitool answered ${quoted(text)}`);
  if (power[2]?.toLowerCase() !== "watts") {
    throw new Error(`ipmitool gave the power in ${quoted(power[2] ?? "")}`);
  }
  if (/Power reading state is:\s*deactivated/i.test(text)) {
    throw new Error("the management controller's power measurement is deactivated");
  }
  const period = Number(/^\s*Sampling period:\s*(\d+)/im.exec(text)?.[1] ?? Number.NaN);
  return {
    power: believable(Number(power[1]), "the management controller"),
    period: period > 0 ? period : null,
  };
}

export const ipmi: SensorProvider = {
  name: "ipmi",
  description: "The server's management controller, by ipmitool (DCMI power reading)",
  domains: ["machine"],

  async probe(host): Promise<Probe> {
    const device = await deviceOf(host);
    if (device === null) return { status: "absent", reason: `no ${DEVICES[0]}` };
    try {
      return { status: "ready", sensors: [sensorOf(host, await ask(host))] };
    } catch (error) {
      if (hostErrorCode(error) === "ENOENT") return notInstalled(device);
      if (/permission denied|could not open device/i.test(reasonOf(error))) return denied(device);
      return { status: "absent", reason: reasonOf(error) };
    }
  },
};

async function deviceOf(host: Host): Promise<string | null> {
  const found = await Promise.all(
    DEVICES.map(async (path) => {
      const at = path.lastIndexOf("/");
      const names: readonly string[] = await host.list(path.slice(0, at)).catch(() => []);
      return names.includes(path.slice(at + 1));
    }),
  );
  return DEVICES[found.indexOf(true)] ?? null;
}

async function ask(host: Host): Promise<DcmiReading> {
  const { stdout, stderr, code } = await host.run("ipmitool", ["dcmi", "power", "reading"], {
    timeout: TIMEOUT,
  });
  if (code !== 0) throw new Error(`ipmitool: ${quoted(stderr || stdout)}`);
  return parseDcmi(stdout);
}

function sensorOf(host: Host, { period }: DcmiReading): Sensor {
  return {
    id: "ipmi:dcmi",
    provider: "ipmi",
    domain: "machine",
    device: "bmc",
    scope: "wall",
    kind: "power",
    method: "sampled",
    source: "IPMI DCMI power reading",
    error: ERROR,
    ...(period === null ? {} : { updatePeriod: period }),
    async read() {
      const before = host.monotonic();
      const { power } = await ask(host);
      // The controller looked at some moment between the question and the answer.
      return { at: (before + host.monotonic()) / 2n, value: power };
    },
  };
}

const denied = (device: string): Probe => ({
  status: "denied",
  reason: `${device} is open to root only`,
  remedy: `echo 'KERNEL=="ipmi*", GROUP="ipmi", MODE="0660"' | sudo tee /etc/udev/rules.d/60-ipmi.rules, then add yourself to the group ipmi`,
});

const notInstalled = (device: string): Probe => ({
  status: "denied",
  reason: `${device} is there, but ipmitool is not installed`,
  remedy: "sudo apt install ipmitool (or your system's package of that name)",
});
