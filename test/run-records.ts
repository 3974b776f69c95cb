// Records of made-up runs: a start that can be changed in any field, and ticks from functions of
// time. What a test says of a run is then only what matters to it.

import type { Machine, Signal } from "../src/core/card.ts";
import { exact } from "../src/core/index.ts";
import type {
  EndRecord,
  SegmentRecord,
  SensorRecord,
  StartRecord,
  TickRecord,
  WallModel,
} from "../src/measure/run/record.ts";

const declared = { method: "declared", source: "a test" } as const;

export const MACHINE: Machine = {
  id: "test",
  platform: "linux",
  arch: "x64",
  release: "6.8.0",
  cpu: { name: "Fake CPU", threads: 8 },
  memoryBytes: 16e9,
  virtualization: null,
  gpus: [],
};

export const SIGNAL: Signal = {
  intensity: exact("gCO2e/kWh", 360, declared),
  kind: "average",
  basis: "location",
  scope: "life-cycle",
  zone: "XX",
  rung: "a test",
};

/** A supply that loses nothing and a board that draws nothing: components are the wall. */
export const NO_SUPPLY: WallModel = {
  factor: exact("1", 1, declared),
  base: exact("W", 0, declared),
};

/** A processor's counter without error, unless changed. */
export function sensorRecord(changes: Partial<SensorRecord> = {}): SensorRecord {
  return {
    id: "fake:package-0",
    provider: "fake",
    domain: "cpu",
    device: "package-0",
    scope: "component",
    kind: "counter",
    method: "measured",
    source: "a fake counter",
    error: 0,
    counted: true,
    fallbacks: [],
    ...changes,
  };
}

export function startRecord(changes: Partial<StartRecord> = {}): StartRecord {
  return {
    type: "start",
    schema: "godwit.segment/1",
    id: "run-1",
    startedAt: "2026-01-01T00:00:00.000Z",
    subject: { kind: "command", name: "test", command: ["test"], tags: {} },
    pid: 4242,
    pidStart: "100",
    interval: 1,
    sensors: [sensorRecord()],
    machine: MACHINE,
    signal: SIGNAL,
    pue: exact("1", 1, declared),
    idleShare: exact("1", 1, declared),
    idle: {},
    threads: 8,
    version: "0.0.0",
    notices: [],
    ...changes,
  };
}

/** Ticks at the given times; each quantity a function of time. */
export function ticksAt(
  times: readonly number[],
  of: {
    readonly joules: readonly ((t: number) => number | null)[];
    readonly busyS?: (t: number) => number | null;
    readonly subjectS?: (t: number) => number | null;
    readonly rss?: (t: number) => number | null;
  },
): TickRecord[] {
  return times.map((t) => ({
    type: "tick",
    t,
    values: of.joules.map((energy) => energy(t)),
    busyS: of.busyS?.(t) ?? null,
    subjectS: of.subjectS?.(t) ?? null,
    rss: of.rss?.(t) ?? null,
  }));
}

/** 0, 1, ... `last`. */
export const everySecond = (last: number): number[] =>
  Array.from({ length: last + 1 }, (_, second) => second);

export function endRecord(t: number, changes: Partial<EndRecord> = {}): EndRecord {
  return {
    type: "end",
    t,
    endedAt: new Date(Date.UTC(2026, 0, 1) + t * 1000).toISOString(),
    status: "complete",
    exit: { code: 0, signal: null },
    subjectS: null,
    overhead: null,
    extra: {},
    quality: null,
    ...changes,
  };
}

/** A run of ten seconds at 50 W, half of whose 4 busy processors of 8 are the subject's. */
export function steadyRun(
  start: Partial<StartRecord> = {},
  end: Partial<EndRecord> = {},
): SegmentRecord[] {
  const joules = (start.sensors ?? [sensorRecord()]).map(() => (t: number) => 50 * t);
  return [
    startRecord(start),
    ...ticksAt(everySecond(10), {
      joules,
      busyS: (t) => 4 * t,
      subjectS: (t) => 2 * t,
      rss: () => 4e9,
    }),
    endRecord(10, end),
  ];
}
