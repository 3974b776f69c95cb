// Which of a machine's overlapping sensors count. Pure: probes in, choice out. Counted sensors add
// up to the machine and nothing is counted twice; the others are kept for the record, each with the
// reason. Rules and their order: docs/methods/sensor-ladder.md.

import {
  doubtPlatform,
  findMirrored,
  type History,
  livelier,
  plausibleCounter,
} from "./overlap.ts";
import type { Domain, Probe, Sensor } from "./sensor.ts";

/** What one provider found. A list of these is in ladder order: better rungs first. */
export interface Found {
  readonly provider: string;
  readonly domains: readonly Domain[];
  readonly probe: Probe;
}

export interface RankedSensor {
  readonly sensor: Sensor;
  readonly counted: boolean;
  /** Of a counted sensor: the better rungs passed over, and why. Of another: why it is not counted. */
  readonly fallbacks: readonly string[];
}

/** A domain for which no sensor counts, and what each rung said. */
export interface Uncovered {
  readonly domain: Domain;
  readonly reasons: readonly string[];
}

export interface Ladder {
  readonly sensors: readonly RankedSensor[];
  /** What the counted sensors add up to: power at the wall, the platform, or single components. */
  readonly boundary: "wall" | "platform" | "components";
  readonly uncovered: readonly Uncovered[];
}

/** Providers that read GPUs of one maker: a better rung for one is none for another. */
const GPU_MAKERS: readonly (readonly string[])[] = [
  ["nvml", "nvidia-smi", "jetson"],
  ["amd-gpu"],
  ["intel-gpu"],
  ["ioreport", "powermetrics"],
];

/** Chooses the sensors that count. `history` is a few readings of each, where there are any. */
export function chooseSensors(found: readonly Found[], history: History = new Map()): Ladder {
  const all = found.flatMap(({ probe }) => (probe.status === "ready" ? probe.sensors : []));
  const refused = doubtful(all, history);
  const sound = all.filter((sensor) => !refused.has(sensor.id));
  const outer = topLevel(sound, all);
  const machine = chooseProvider(outer, "machine");
  const behind = coveredBy(machine, all);
  const cpu = behind.has("cpu") ? [] : chooseProvider(outer, "cpu");
  const covered = new Set([...behind, ...wholeMachine(cpu, all)]);
  const chosen = [
    ...machine,
    ...cpu,
    ...(covered.has("memory") ? [] : chooseProvider(outer, "memory")),
    ...(["gpu", "board"] as const).flatMap((domain) =>
      covered.has(domain) ? [] : chooseByDevice(outer, domain),
    ),
  ];
  return {
    sensors: all.map((sensor) =>
      chosen.includes(sensor)
        ? { sensor, counted: true, fallbacks: passedOver(sensor, found, sound) }
        : {
            sensor,
            counted: false,
            fallbacks: [refused.get(sensor.id) ?? whyNot(sensor, chosen, all)],
          },
    ),
    boundary: boundaryOf(machine),
    uncovered: uncoveredBy({ chosen, covered, found }),
  };
}

/** Sensors that do not count whatever else there is, with the reason. */
function doubtful(all: readonly Sensor[], history: History): ReadonlyMap<string, string> {
  const refused = new Map<string, string>();
  for (const counter of all) {
    const doubt = doubtCounter(counter, all, history);
    if (doubt !== null) refused.set(counter.id, doubt);
  }
  for (const [index, sensor] of all.entries()) {
    if (refused.has(sensor.id)) continue;
    const twin = all.slice(0, index).find((other) => !refused.has(other.id) && same(other, sensor));
    if (twin === undefined) continue;
    const kept = better(twin, sensor, history);
    refused.set(kept === twin ? sensor.id : twin.id, `${kept.id} counts the same ${kept.device}`);
  }
  for (const [id, original] of findMirrored(all, history)) {
    if (!refused.has(id)) refused.set(id, `mirrors ${original}: one counter, seen twice`);
  }
  for (const platform of all.filter(isPlatform)) {
    const packages = topLevel(all, all).filter(
      ({ id, provider, domain }) =>
        provider === platform.provider && domain === "cpu" && !refused.has(id),
    );
    const doubt = doubtPlatform(platform, packages, history);
    if (doubt !== null) refused.set(platform.id, `cannot contain the packages: ${doubt}`);
  }
  return refused;
}

/** One provider that gives one device of one domain twice, as powercap does by MSR and MMIO. */
function same(one: Sensor, other: Sensor): boolean {
  return (
    one.provider === other.provider && one.domain === other.domain && one.device === other.device
  );
}

/** Of two sensors of one device: the counter, else the one that moves, else the first. */
function better(first: Sensor, second: Sensor, history: History): Sensor {
  if (first.kind !== second.kind) return first.kind === "counter" ? first : second;
  return livelier(first, second, history);
}

const isPlatform = (sensor: Sensor): boolean =>
  sensor.domain === "machine" && sensor.scope === "component" && sensor.kind === "counter";

/** Why a counter disagrees with a power sensor of its own device; null when none says so. */
function doubtCounter(counter: Sensor, all: readonly Sensor[], history: History): string | null {
  const readings = history.get(counter.id);
  if (counter.kind !== "counter" || readings === undefined) return null;
  const gauge = all.find(
    (other) =>
      other.kind === "power" &&
      other.method !== "estimated" &&
      other.domain === counter.domain &&
      sharesDevice(other, counter),
  );
  const verdict = gauge && plausibleCounter(readings, history.get(gauge.id) ?? [], counter);
  if (!gauge || !verdict || verdict.plausible) return null;
  return `counts ${verdict.ratio.toPrecision(2)} times what ${gauge.id} reads`;
}

/** All of the best provider's sensors of a domain. */
function chooseProvider(outer: readonly Sensor[], domain: Domain): readonly Sensor[] {
  const candidates = outer.filter((sensor) => sensor.domain === domain);
  const [first] = candidates.filter((sensor) => sensor.method !== "estimated");
  const provider = (first ?? candidates[0])?.provider;
  return candidates.filter((sensor) => sensor.provider === provider);
}

/**
 * Those that are inside no other sensor of their domain. What is inside a sensor that was refused
 * is not counted in its place: the cores of a mirrored die are mirrored too.
 */
function topLevel(sensors: readonly Sensor[], all: readonly Sensor[]): readonly Sensor[] {
  return sensors.filter(
    ({ id, domain }) =>
      !all.some((other) => other.domain === domain && other.contains?.includes(id) === true),
  );
}

/** The best sensor of each device: counters before power, measurements before models. */
function chooseByDevice(outer: readonly Sensor[], domain: Domain): readonly Sensor[] {
  const rank = (sensor: Sensor): number =>
    (sensor.method === "estimated" ? 2 : 0) + (sensor.kind === "counter" ? 0 : 1);
  // Sorting keeps the order of providers among equals.
  const ranked = outer
    .filter((sensor) => sensor.domain === domain)
    .toSorted((a, b) => rank(a) - rank(b));
  return ranked.filter(
    (sensor, index) => !ranked.slice(0, index).some((above) => rivals(above, sensor)),
  );
}

/** Whether two sensors read one device, as far as their names can tell. */
function rivals(one: Sensor, other: Sensor): boolean {
  if (sharesDevice(one, other)) return true;
  // Two tools of one maker both list every GPU; without addresses nothing pairs their names.
  const nameless = !isAddressed(one.device) || !isAddressed(other.device);
  return (
    nameless && one.provider !== other.provider && makersOf(one.provider).includes(other.provider)
  );
}

const makersOf = (provider: string): readonly string[] =>
  GPU_MAKERS.find((makers) => makers.includes(provider)) ?? [];

/** Whether two sensors are of one device: a GPU's UUID or PCI address, however it is written. */
function sharesDevice(one: Sensor, other: Sensor): boolean {
  const keys = deviceKeys(other.device);
  return deviceKeys(one.device).some((key) => keys.includes(key));
}

const UUID = /(?:gpu|mig)-[0-9a-f-]{6,}/g;
const PCI_ADDRESS = /(?:[0-9a-f]{4,8}:)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/g;

const isAddressed = (device: string): boolean =>
  [UUID, PCI_ADDRESS].some((pattern) => device.toLowerCase().search(pattern) >= 0);

/** A device's names, without what differs from tool to tool: case, and the width of a PCI domain. */
function deviceKeys(device: string): readonly string[] {
  const name = device.toLowerCase();
  const addresses = [...name.matchAll(PCI_ADDRESS)].map((match) => {
    const domain = Number.parseInt(match[0].split(":").length === 3 ? match[0] : "0", 16);
    return `${domain}:${match[1]}`;
  });
  const keys = [...(name.match(UUID) ?? []), ...addresses];
  return keys.length === 0 ? [name] : keys;
}

/** Domains whose energy is inside the chosen machine sensors. */
function coveredBy(machine: readonly Sensor[], all: readonly Sensor[]): ReadonlySet<Domain> {
  if (machine.length === 0) return new Set();
  if (machine.some((sensor) => sensor.scope === "wall")) {
    return new Set(["cpu", "memory", "gpu", "board"]);
  }
  // A platform has the processor and its memory on it; other parts when it says so.
  const inside = all.filter((part) => machine.some((one) => one.contains?.includes(part.id)));
  return new Set<Domain>(["cpu", "memory", ...inside.map((part) => part.domain)]);
}

/** Domains inside a processor's sensor that reads at the wall, as a calibrated machine's model does. */
function wholeMachine(cpu: readonly Sensor[], all: readonly Sensor[]): readonly Domain[] {
  const whole = cpu.filter(({ scope }) => scope === "wall");
  const inside = all.filter((part) => whole.some(({ contains }) => contains?.includes(part.id)));
  return inside.map(({ domain }) => domain);
}

function boundaryOf(machine: readonly Sensor[]): Ladder["boundary"] {
  if (machine.length === 0) return "components";
  return machine.some((sensor) => sensor.scope === "wall") ? "wall" : "platform";
}

/** Why a sound sensor does not count: what contains it, or what reads the same. */
function whyNot(sensor: Sensor, chosen: readonly Sensor[], all: readonly Sensor[]): string {
  const container = all.find((other) => other.contains?.includes(sensor.id));
  if (container !== undefined) return `inside ${container.id}`;
  const rival = chosen.find(
    (other) =>
      other.domain === sensor.domain && (sensor.domain !== "gpu" || sharesDevice(other, sensor)),
  );
  if (rival !== undefined) return `${rival.id} reads the same`;
  const machine = chosen.find((other) => other.domain === "machine");
  return machine === undefined ? "inside another sensor" : `inside ${machine.id}`;
}

/** The rungs above a counted sensor and why each was passed over. */
function passedOver(
  sensor: Sensor,
  found: readonly Found[],
  sound: readonly Sensor[],
): readonly string[] {
  const place = found.findIndex(({ provider }) => provider === sensor.provider);
  return found.slice(0, place).flatMap((rung) => {
    if (!rung.domains.includes(sensor.domain) || !isRungOf(rung, sensor)) return [];
    const hasOne = sound.some(
      (other) => other.provider === rung.provider && other.domain === sensor.domain,
    );
    return hasOne ? [] : [statusOf(rung, sensor.domain)];
  });
}

function isRungOf({ provider, probe }: Found, sensor: Sensor): boolean {
  if (sensor.domain !== "gpu" || sensor.method === "estimated") return true;
  return makersOf(sensor.provider).includes(provider) || probe.status === "denied";
}

function statusOf({ provider, probe }: Found, domain: Domain): string {
  switch (probe.status) {
    case "ready":
      return `${provider}: no usable ${domain} sensor`;
    case "denied":
      return `${provider} denied: ${probe.reason}`;
    case "absent":
      return `${provider} absent: ${probe.reason}`;
    default:
      return probe satisfies never;
  }
}

function uncoveredBy(choice: {
  readonly chosen: readonly Sensor[];
  readonly covered: ReadonlySet<Domain>;
  readonly found: readonly Found[];
}): readonly Uncovered[] {
  const { chosen, covered, found } = choice;
  return (["machine", "cpu", "memory", "gpu"] as const).flatMap((domain) => {
    if (covered.has(domain) || chosen.some((sensor) => sensor.domain === domain)) return [];
    const rungs = found.filter(({ domains }) => domains.includes(domain));
    // A machine without a GPU lacks nothing; one whose GPU cannot be read does.
    const telling =
      domain === "gpu" ? rungs.filter(({ probe }) => probe.status !== "absent") : rungs;
    if (domain === "gpu" && telling.length === 0) return [];
    return [{ domain, reasons: telling.map((rung) => statusOf(rung, domain)) }];
  });
}
