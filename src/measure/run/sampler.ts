// Reads all sensors of a run together, again and again, and says what it saw as records. A sensor
// that throws or hangs costs a gap of its own and delays nobody beyond its deadline; a stalled event
// loop costs resolution, because readings are cumulative and ticks say when they were taken.

import type { Host } from "../../core/index.ts";
import { type MachineUse, machineUse } from "../sensors/busy-time.ts";
import {
  advance,
  begin,
  finish,
  type IntegrationRule,
  type Observation,
  type Piece,
  ruleOf,
} from "../sensors/integrate.ts";
import { observe, within } from "../sensors/probe.ts";
import type { Sensor } from "../sensors/sensor.ts";
import { samplingPeriod } from "./period.ts";
import type { GapRecord, GpuUse, NoticeRecord, TickRecord } from "./record.ts";

/** What the machine and the subject have used by now, of any zero; null where it is not known. */
export interface Usage {
  readonly busyS: number | null;
  readonly subjectS: number | null;
  readonly rss: number | null;
  /** By sensor id. */
  readonly gpu?: Readonly<Record<string, GpuUse>>;
}

export interface SamplerOptions {
  readonly host: Host;
  readonly sensors: readonly Sensor[];
  /** Asked at every tick; one that rejects or hangs is not known at that tick. */
  readonly usage: (machine: MachineUse) => Promise<Usage>;
  /** Seconds between ticks; chosen by the sensors when absent. */
  readonly interval?: number;
  readonly emit: (record: TickRecord | GapRecord | NoticeRecord) => void;
}

export interface Sampler {
  /** Takes the first tick, which is the run's zero, and goes on by itself. */
  start(): Promise<TickRecord>;
  /** Takes a tick now. */
  poll(): Promise<TickRecord>;
  /** Takes the last tick. */
  stop(): Promise<TickRecord>;
  /** Seconds from the start to a monotonic moment, now if none is given. */
  now(at?: bigint): number;
}

/** Milliseconds for a sensor or a usage to answer. */
const READ_DEADLINE = 1000;
/**
 * Seconds by which the two clocks may part before it is said, or the share of the time in which they
 * did: a clock that is slewed moves by at most 0.05 % (adjtimex(2)).
 */
const CLOCK_TOLERANCE = { seconds: 2, share: 0.001 };

const UNKNOWN: Usage = { busyS: null, subjectS: null, rss: null };

export function createSampler(options: SamplerOptions): Sampler {
  const { host, sensors, emit } = options;
  const slots = sensors.map((sensor) => createSlot(host, sensor));
  let zero = 0n;
  let first: Usage | null = null;
  let due = 0;
  let cancel: (() => void) | null = null;
  let stopped = false;
  let clock = { t: 0, wall: 0 };
  let clockTolerance = CLOCK_TOLERANCE.seconds;
  // Ticks are taken one after the other, whoever asks for them.
  let queue: Promise<unknown> = Promise.resolve();

  const now = (at = host.monotonic()): number => Number(at - zero) / 1e9;
  const period = (): number => samplingPeriod(sensors, now(), options.interval);

  const take = async (isLast: boolean): Promise<TickRecord> => {
    const isFirst = first === null;
    if (isFirst) zero = host.monotonic();
    const t = isFirst ? 0 : now();
    noticeClock(t);
    const machine = machineUse(host);
    const moment = { t, zero, period: period(), isLast, machine };
    const [usage, ...values] = await Promise.all([
      within(host, () => options.usage(machine), READ_DEADLINE).catch(() => UNKNOWN),
      ...slots.map((slot) => slot.read(moment, emit)),
    ]);
    first ??= usage;
    const tick: TickRecord = {
      type: "tick",
      t,
      values,
      busyS: since(usage.busyS, first.busyS),
      subjectS: since(usage.subjectS, first.subjectS),
      rss: usage.rss,
      ...(usage.gpu === undefined ? {} : { gpu: usage.gpu }),
    };
    emit(tick);
    return tick;
  };

  const tick = (isLast = false): Promise<TickRecord> => {
    const taken = queue.then(() => take(isLast));
    queue = taken.catch(() => {});
    return taken;
  };

  /** Ticks stay on the grid of the start; those that were missed are not caught up. */
  const schedule = (): void => {
    if (stopped) return;
    const step = period();
    due = Math.max(due + step, Math.floor(now() / step) * step);
    if (due <= now()) due += step;
    cancel = host.alarm((due - now()) * 1000, () => {
      void tick().then(schedule, schedule);
    });
  };

  function noticeClock(t: number): void {
    const wall = host.wall() / 1000;
    const jump = wall - clock.wall - (t - clock.t);
    const tolerance = Math.max(clockTolerance, CLOCK_TOLERANCE.share * (t - clock.t));
    if (t > 0 && Math.abs(jump) > tolerance) {
      const cause = jump > 0 ? "the machine slept or its clock was set" : "its clock was set back";
      const text = `the wall clock moved by ${jump.toFixed(1)} s against the monotonic clock: ${cause}; durations follow the monotonic clock`;
      emit({ type: "notice", t, text });
      clock = { t, wall };
      // A clock that goes on like this, as one that stands still, is not news every other second.
      clockTolerance *= 2;
    }
  }

  return {
    async start() {
      clock = { t: 0, wall: host.wall() / 1000 };
      const taken = await tick();
      schedule();
      return taken;
    },
    poll: () => tick(),
    stop() {
      stopped = true;
      cancel?.();
      return tick(true);
    },
    now,
  };
}

function since(value: number | null, start: number | null): number | null {
  return value === null || start === null ? null : value - start;
}

interface Moment {
  readonly t: number;
  readonly zero: bigint;
  readonly period: number;
  readonly isLast: boolean;
  readonly machine: MachineUse;
}

/** One sensor's way through a run. */
interface Slot {
  /** Joules since the start; null while they are not known. */
  read(moment: Moment, emit: (gap: GapRecord) => void): Promise<number | null>;
}

function createSlot(host: Host, sensor: Sensor): Slot {
  let state = begin(0);
  let joules = 0;
  // A reading may stand for a moment before it was taken; the first one's delay is taken off all.
  let delay: number | null = null;
  let pending = false;
  const guarded: Sensor = {
    ...sensor,
    async read(machine) {
      if (pending) throw new Error("it has not answered the reading before");
      pending = true;
      try {
        return await sensor.read(machine);
      } finally {
        pending = false;
      }
    },
  };

  const settle = (piece: Piece | null, emit: (gap: GapRecord) => void): void => {
    if (piece === null) return;
    joules += piece.joules ?? 0;
    if (piece.kind === "gap") {
      const { kind: _, ...gap } = piece;
      emit({ type: "gap", sensor: sensor.id, ...gap });
    }
  };

  return {
    async read({ t, zero, period, isLast, machine }, emit) {
      const rule: IntegrationRule = ruleOf(sensor, period);
      const options = { start: zero, deadline: READ_DEADLINE, machine };
      const raw = await observe(host, guarded, options);
      if (raw.kind === "value") delay ??= t - raw.t;
      const seen: Observation = raw.kind === "value" ? { ...raw, t: raw.t + (delay ?? 0) } : raw;
      const step = advance(rule, state, seen);
      state = step.state;
      settle(step.piece, emit);
      if (isLast && state.anchor !== null && state.anchor.t < t) {
        const rest = finish(rule, state, t);
        settle(rest, emit);
        return rest?.kind === "gap" ? null : joules;
      }
      // A counter that has not moved yet says nothing of the time since it last did.
      return state.anchor?.t === seen.t && state.trouble === null ? joules : null;
    },
  };
}
