// Asking the sensors of a machine, with patience that ends: a provider or a sensor that throws,
// hangs or disappears costs a reason, never the run.

import { type Host, hostErrorCode, reasonOf } from "../../core/index.ts";
import type { MachineUse } from "./busy-time.ts";
import { faultOf, type Observation } from "./integrate.ts";
import { chooseSensors, type Found, type Ladder } from "./ladder.ts";
import type { History } from "./overlap.ts";
import type { Probe, Reading, Sensor, SensorProvider } from "./sensor.ts";

/** Milliseconds for a provider to say what it finds, unless it names its own patience. */
export const PROBE_DEADLINE = 2000;
/** Milliseconds for a sensor to give a reading. */
export const READ_DEADLINE = 1000;

/** Readings that decide between sensors of one thing, and milliseconds between them. */
const LOOK = { readings: 4, gap: 20 } as const;

/** Everything that a machine can be measured with, and the choice among it. */
export interface Survey extends Ladder {
  readonly found: readonly Found[];
}

/** Probes all providers, looks twice where sensors overlap, and chooses those that count. */
export async function survey(
  host: Host,
  providers: readonly SensorProvider[],
  deadline: number = PROBE_DEADLINE,
): Promise<Survey> {
  const found = await probeAll(host, providers, deadline);
  const history = await look(host, overlapping(found));
  return { found, ...chooseSensors(found, history) };
}

/**
 * What every provider finds, in the order given, all asked at once. One that throws or is not done
 * within the deadline (milliseconds; its own patience, where it has one) is absent, or denied when
 * it was refused, with its reason.
 */
export function probeAll(
  host: Host,
  providers: readonly SensorProvider[],
  deadline: number = PROBE_DEADLINE,
): Promise<readonly Found[]> {
  const asked: { readonly provider: SensorProvider; readonly probe: Promise<Probe> }[] = [];
  for (const provider of providers) {
    const above = asked.filter(({ provider: other }) =>
      other.domains.some((domain) => provider.domains.includes(domain)),
    );
    const probe =
      provider.patience === undefined
        ? probeOne(host, provider, deadline)
        : Promise.race([
            probeOne(host, provider, provider.patience),
            superseded(host, deadline, above),
          ]);
    asked.push({ provider, probe });
  }
  return Promise.all(
    asked.map(async ({ provider, probe }) => ({
      provider: provider.name,
      domains: provider.domains,
      probe: await probe,
    })),
  );
}

async function probeOne(host: Host, provider: SensorProvider, deadline: number): Promise<Probe> {
  try {
    return await within(host, () => provider.probe(host), deadline);
  } catch (error) {
    const code = hostErrorCode(error);
    if (code !== "EACCES" && code !== "EPERM") return { status: "absent", reason: reasonOf(error) };
    return { status: "denied", reason: reasonOf(error), remedy: "run as a user who may read it" };
  }
}

/** Ends the wait for a patient provider once a better rung is ready; else never. */
function superseded(
  host: Host,
  deadline: number,
  above: readonly { readonly provider: SensorProvider; readonly probe: Promise<Probe> }[],
): Promise<Probe> {
  return new Promise((resolve) => {
    host.alarm(deadline, () => {
      for (const { provider, probe } of above) {
        void probe.then(({ status }) => {
          const reason = `no answer within ${deadline / 1000} s, and ${provider.name} is ready`;
          if (status === "ready") resolve({ status: "absent", reason });
        });
      }
    });
  });
}

/** One attempt to read a sensor, as the integration takes it. `start` is the run's zero. */
export async function observe(
  host: Host,
  sensor: Sensor,
  options: {
    readonly start: bigint;
    readonly deadline?: number;
    readonly machine?: MachineUse;
  },
): Promise<Observation> {
  const { start, deadline = READ_DEADLINE, machine } = options;
  const seconds = (at: bigint): number => Number(at - start) / 1e9;
  try {
    const { at, value } = await within(host, () => sensor.read(machine), deadline);
    return { kind: "value", t: seconds(at), wall: host.wall(), value };
  } catch (error) {
    return faultOf(error, { t: seconds(host.monotonic()), wall: host.wall() });
  }
}

/** What `ask` answers, unless that takes longer than `deadline` milliseconds: then it rejects. */
export function within<T>(host: Host, ask: () => Promise<T>, deadline: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = host.alarm(deadline, () =>
      reject(new Error(`no answer within ${deadline / 1000} s`)),
    );
    // A provider that throws before its first await is caught like one that rejects.
    Promise.resolve().then(ask).then(resolve, reject).finally(cancel);
  });
}

/** Sensors among which only readings can choose: counters of one domain, and platforms. */
function overlapping(found: readonly Found[]): readonly Sensor[] {
  return found.flatMap(({ probe }) => {
    if (probe.status !== "ready") return [];
    const counters = probe.sensors.filter(({ kind }) => kind === "counter");
    const outer = counters.filter(
      (sensor) =>
        !counters.some(
          (other) => other.domain === sensor.domain && other.contains?.includes(sensor.id),
        ),
    );
    return outer.filter(
      (sensor) =>
        outer.filter(({ domain }) => domain === sensor.domain).length > 1 ||
        outer.some(({ domain, scope }) => domain === "machine" && scope === "component"),
    );
  });
}

/** A few readings of each sensor, taken together. One that fails once is not asked again. */
async function look(host: Host, sensors: readonly Sensor[]): Promise<History> {
  const history = new Map<string, Reading[]>(sensors.map(({ id }) => [id, []]));
  for (let round = 0; round < LOOK.readings && history.size > 0; round++) {
    if (round > 0) await host.sleep(LOOK.gap);
    for (const sensor of sensors) {
      const readings = history.get(sensor.id);
      if (readings === undefined) continue;
      try {
        readings.push(await within(host, () => sensor.read(), READ_DEADLINE));
      } catch {
        // It cannot be compared; it may still count, and its faults will be gaps.
        history.delete(sensor.id);
      }
    }
  }
  return history;
}
