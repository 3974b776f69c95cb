// What kind of machine this is, for the model that fits it: a guest of a hypervisor, a server, a
// laptop or a desktop. The chassis type is that of SMBIOS 3.7, table 17.

import { type Host, listIfPresent, readTextIfPresent } from "../../core/index.ts";
import type { Microarchitecture } from "./microarchitecture.ts";

export type MachineClass = "guest" | "server" | "laptop" | "desktop";

/** A class, and what says so. */
export interface ClassOf {
  readonly machine: MachineClass;
  readonly reason: string;
}

const LAPTOP_CHASSIS: readonly number[] = [8, 9, 10, 11, 14, 30, 31, 32];
const SERVER_CHASSIS: readonly number[] = [17, 23, 25, 28, 29];
const DESKTOP_CHASSIS: readonly number[] = [3, 4, 5, 6, 7, 13, 15, 16, 24, 34, 35, 36];

const POWER_SUPPLY = "/sys/class/power_supply";

/** Server lines; Xeon E3, E and W are sold in workstations too and tell nothing. */
const SERVER_NAMES = /\b(epyc|opteron|xeon(?!.*\b(e3?|w\d?)-\d)|neoverse|altra|kunpeng)\b/i;

/** Model numbers of mobile parts: i7-1165G7, i7-12700H, Ryzen 7 5800U, Core Ultra 7 155H. */
const MOBILE_NAMES = /\b(core|ryzen|celeron|pentium)\b.*\b\w*\d{3,5}(u|y|h|hx|hk|hs|p|v|g[1-7])\b/i;

/** What is already known of the machine. */
export interface Known {
  readonly cpuName: string;
  readonly microarchitecture: Microarchitecture | null;
  /** As the machine's identity tells it; a container alone does not make a guest. */
  readonly hypervisor: boolean;
}

/** The class of a machine; where nothing tells, a desktop, and the reason says so. */
export async function machineClassOf(host: Host, known: Known): Promise<ClassOf> {
  if (known.hypervisor) return { machine: "guest", reason: "runs under a hypervisor" };
  const chassis = await chassisOf(host);
  if (chassis !== null) return chassis;
  if (await hasBattery(host)) return { machine: "laptop", reason: "has a battery" };
  if (SERVER_NAMES.test(known.cpuName) || known.microarchitecture?.segment === "server") {
    return { machine: "server", reason: `${known.cpuName} is a server processor` };
  }
  if (MOBILE_NAMES.test(known.cpuName)) {
    return { machine: "laptop", reason: `${known.cpuName} is a mobile processor` };
  }
  return { machine: "desktop", reason: "nothing says that it is a laptop or a server" };
}

async function chassisOf(host: Host): Promise<ClassOf | null> {
  const text = await readTextIfPresent(host, "/sys/class/dmi/id/chassis_type").catch(() => null);
  const type = Number(text?.trim() || Number.NaN);
  const reason = `chassis type ${type}`;
  if (LAPTOP_CHASSIS.includes(type)) return { machine: "laptop", reason };
  if (SERVER_CHASSIS.includes(type)) return { machine: "server", reason };
  // Tower servers call themselves towers too: the processor decides between those.
  if (DESKTOP_CHASSIS.includes(type) && type !== 7) return { machine: "desktop", reason };
  return null;
}

/** A battery that feeds the machine, not a mouse or a headset. */
async function hasBattery(host: Host): Promise<boolean> {
  if (host.platform === "darwin") return macHasBattery(host);
  const supplies: readonly string[] = await listIfPresent(host, POWER_SUPPLY).catch(() => []);
  for (const name of supplies) {
    const read = (file: string) =>
      readTextIfPresent(host, `${POWER_SUPPLY}/${name}/${file}`).catch(() => null);
    const type = (await read("type"))?.trim();
    const scope = (await read("scope"))?.trim();
    if (type === "Battery" && scope !== "Device") return true;
  }
  return false;
}

async function macHasBattery(host: Host): Promise<boolean> {
  try {
    const { stdout } = await host.run("pmset", ["-g", "batt"], { timeout: 1000 });
    return stdout.includes("InternalBattery");
  } catch {
    return false;
  }
}
