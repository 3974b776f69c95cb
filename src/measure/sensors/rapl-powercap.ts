// RAPL through the kernel's powercap tree (Linux Documentation/power/powercap/powercap.rst). Zones
// nest: intel-rapl:0 is a package, intel-rapl:0:0 a part of it; intel-rapl-mmio:0 is the same
// package through memory-mapped registers. AMD's counters go by intel-rapl as well (Linux >= 5.11).

import type { Host } from "../../core/index.ts";
import { hostErrorCode, listIfPresent, reasonOf } from "../../core/index.ts";
import { readNumber } from "./machine-power.ts";
import {
  powerLimit,
  RAPL_DENIED_REASON,
  type RaplDomain,
  type RaplSensor,
  raplSensor,
  withContents,
} from "./rapl.ts";
import type { Probe, SensorProvider } from "./sensor.ts";

const POWERCAP = "/sys/class/powercap";
const ZONE = /^(intel-rapl(?:-mmio|-tpmi)?):(\d+)(?::(\d+))?$/;

export const raplPowercap: SensorProvider = {
  name: "rapl-powercap",
  description: "CPU and DRAM energy counters of Intel and AMD, /sys/class/powercap (Linux)",
  domains: ["cpu", "memory", "machine"],

  async probe(host): Promise<Probe> {
    const zones = (await listIfPresent(host, POWERCAP))
      .filter((name) => ZONE.test(name))
      // The registers come before their memory-mapped copy: of two of a kind the first counts.
      .toSorted((a, b) => Number(a.includes("mmio")) - Number(b.includes("mmio")));
    if (zones.length === 0) return { status: "absent", reason: `no ${POWERCAP}/intel-rapl:*` };
    const found: RaplSensor[] = [];
    const notes: string[] = [];
    const missing: string[] = [];
    let denied = 0;
    for (const zone of zones) {
      try {
        const sensor = await sensorOf(host, zone);
        if (sensor === null) continue;
        await sensor.sensor.read();
        found.push(sensor);
      } catch (error) {
        const code = hostErrorCode(error);
        if (code === "EACCES" || code === "EPERM") denied += 1;
        const fault = `${zone}: ${reasonOf(error)}`;
        notes.push(fault);
        // Of a part that fails, its package or the rung below has the energy.
        if (ZONE.exec(zone)?.[3] === undefined) missing.push(fault);
      }
    }
    const sensors = withContents(unique(found));
    if (sensors.length > 0) return { status: "ready", sensors, notes, missing };
    if (denied > 0) return { status: "denied", reason: RAPL_DENIED_REASON, remedy: REMEDY };
    return { status: "absent", reason: notes.join("; ") || "no powercap zone has a RAPL name" };
  },
};

const REMEDY = [
  "until the next boot: sudo chmod a+r /sys/class/powercap/*/energy_uj",
  "for good, in /etc/udev/rules.d/60-rapl.rules:",
  'SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj"',
].join("\n");

/** The sensor of a zone; null for a zone that is not a RAPL domain. */
async function sensorOf(host: Host, zone: string): Promise<RaplSensor | null> {
  const [, control = "", top = "", part] = ZONE.exec(zone) ?? [];
  const folder = `${POWERCAP}/${zone}`;
  const name = (await host.readText(`${folder}/name`)).trim();
  const domain = domainOf(name);
  if (domain === null) return null;
  const owner = await ownerOf(host, `${control}:${top}`, { name, nested: part !== undefined });
  const range = await readNumber(host, `${folder}/max_energy_range_uj`).catch(() => undefined);
  const path = `${folder}/energy_uj`;
  return raplSensor({
    ...{ provider: "rapl-powercap", domain, owner },
    ...(control === "intel-rapl-mmio" ? { road: "mmio:" } : {}),
    source: `RAPL ${name}, powercap ${zone}`,
    range: range === undefined ? undefined : range / 1e6,
    maxPower: await powerLimit(host, zone),
    read: async () => ({ at: host.monotonic(), value: (await readNumber(host, path)) / 1e6 }),
  });
}

function domainOf(name: string): RaplDomain | null {
  if (name.startsWith("package-")) return "package";
  if (name === "core" || name === "uncore" || name === "dram" || name === "psys") return name;
  return null;
}

/** Name of the package that a zone is or is part of; null for the platform and what is beside. */
async function ownerOf(
  host: Host,
  parent: string,
  zone: { readonly name: string; readonly nested: boolean },
): Promise<string | null> {
  if (!zone.nested) return zone.name.startsWith("package-") ? zone.name : null;
  return (await host.readText(`${POWERCAP}/${parent}/name`)).trim();
}

/** Zones that the firmware named alike are kept apart by their place in the tree. */
function unique(found: readonly RaplSensor[]): readonly RaplSensor[] {
  const count = new Map<string, number>();
  return found.map((one) => {
    const seen = (count.get(one.sensor.id) ?? 0) + 1;
    count.set(one.sensor.id, seen);
    if (seen === 1) return one;
    const device = `${one.sensor.device}#${seen}`;
    return { ...one, sensor: { ...one.sensor, device, id: `${one.sensor.id}#${seen}` } };
  });
}
