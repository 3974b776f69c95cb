// What this machine can be measured with, and what stands in the way: everything that `godwit doctor`
// shows, as one plain object for people, for bug reports and for the dashboard.

import type { Machine, Signal } from "../../core/card.ts";
import { type Host, readTextIfPresent, Z90 } from "../../core/index.ts";
import { locate } from "../../measure/carbon/index.ts";
import { identifyMachine } from "../../measure/run/identity.ts";
import {
  type Found,
  type Probe,
  type Sensor,
  type SensorProvider,
  type Survey,
  survey,
} from "../../measure/sensors/index.ts";

const DIAGNOSIS_SCHEMA = "godwit.diagnosis/1";

/** A provider and what it found. */
export interface ProviderFinding {
  readonly name: string;
  readonly description: string;
  readonly status: Probe["status"];
  readonly domains: readonly string[];
  /** Why not; null when ready. */
  readonly reason: string | null;
  /** What to do about it; null when there is nothing to do. */
  readonly remedy: string | null;
  /** Devices that it reads. */
  readonly devices: readonly string[];
  readonly notes: readonly string[];
}

/** A sensor that a run will use. */
export interface RungFinding {
  readonly domain: string;
  readonly device: string;
  readonly provider: string;
  readonly method: Sensor["method"];
  readonly source: string;
  /** 90 % interval as factors of the value, such as 0.95 and 1.05. */
  readonly low: number;
  readonly high: number;
  /** Better rungs, and why each was passed over. */
  readonly fallbacks: readonly string[];
}

/** What only the process that asks can know. */
export interface ProcessFacts {
  readonly version: string;
  readonly ledger: {
    readonly folder: string;
    /** The server that has the cards, without credentials; the samples stay in the folder. */
    readonly server?: string;
    readonly chosenBy: string;
    /** Null when cards can be kept there. */
    readonly fault: string | null;
  };
  readonly cpuTime: { readonly source: string; readonly fallbacks: readonly string[] };
  /** Paths worth knowing, by what they are. */
  readonly paths: Readonly<Record<string, string>>;
}

export interface Diagnosis extends ProcessFacts {
  readonly schema: typeof DIAGNOSIS_SCHEMA;
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly boundary: Survey["boundary"];
  readonly providers: readonly ProviderFinding[];
  readonly rungs: readonly RungFinding[];
  /** Domains without a sensor; a run estimates them or says that it cannot. */
  readonly uncovered: Survey["uncovered"];
  readonly signal: Signal;
  readonly clock: {
    readonly timeZone: string;
    /** Name of the kernel's clock source; null where there is no such thing. */
    readonly source: string | null;
    /** Null when the wall clock may be right. */
    readonly fault: string | null;
  };
  readonly ffi: boolean;
}

/** Looks at everything. Never fails because something is missing: that is what it reports. */
export async function diagnose(
  host: Host,
  providers: readonly SensorProvider[],
  facts: ProcessFacts,
): Promise<Diagnosis> {
  const found = await survey(host, providers);
  await Promise.allSettled(providers.map(async (provider) => provider.close?.(host)));
  return {
    schema: DIAGNOSIS_SCHEMA,
    at: new Date(host.wall()).toISOString(),
    ...facts,
    machine: await identifyMachine(host),
    boundary: found.boundary,
    providers: providers.map((provider) => findingOf(provider, found.found)),
    rungs: rungsOf(found),
    uncovered: found.uncovered,
    signal: await locate(host),
    clock: await clockOf(host),
    ffi: (await host.ffi()) !== null,
  };
}

function findingOf(provider: SensorProvider, found: readonly Found[]): ProviderFinding {
  const probe = found.find((entry) => entry.provider === provider.name)?.probe;
  const { name, description, domains } = provider;
  const finding = {
    name,
    description,
    domains,
    reason: null,
    remedy: null,
    devices: [],
    notes: [],
  };
  if (probe === undefined) return { ...finding, status: "absent", reason: "not asked" };
  switch (probe.status) {
    case "ready": {
      const devices = probe.sensors.map(({ device }) => device);
      return { ...finding, status: "ready", devices, notes: probe.notes ?? [] };
    }
    case "denied":
      return { ...finding, status: "denied", reason: probe.reason, remedy: probe.remedy };
    case "absent":
      return { ...finding, status: "absent", reason: probe.reason };
    default:
      return probe satisfies never;
  }
}

function rungsOf({ sensors }: Survey): readonly RungFinding[] {
  return sensors.flatMap(({ sensor, counted, fallbacks }) =>
    counted
      ? [
          {
            domain: sensor.domain,
            device: sensor.device,
            provider: sensor.provider,
            method: sensor.method,
            source: sensor.source,
            ...intervalOf(sensor.error),
            fallbacks,
          },
        ]
      : [],
  );
}

/** The 90 % factors of a sensor's error: exp(-+1.645 sigma) of a log-normal one. */
export function intervalOf(error: Sensor["error"]): { low: number; high: number } {
  if (typeof error !== "number") return error;
  return { low: Math.exp(-Z90 * error), high: Math.exp(Z90 * error) };
}

/** Runs before this godwit was written are the sign of a clock that was never set. */
const EARLIEST = Date.UTC(2026, 0, 1);

async function clockOf(host: Host): Promise<Diagnosis["clock"]> {
  const path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  const source = await readTextIfPresent(host, path).catch(() => null);
  const wall = host.wall();
  const fault =
    wall < EARLIEST ? `the wall clock says ${new Date(wall).toISOString()}: set it` : null;
  return { timeZone: host.facts.timeZone, source: source?.trim() ?? null, fault };
}
