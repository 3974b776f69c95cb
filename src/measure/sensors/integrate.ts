// How successive readings of one sensor become energy. Pure: readings in, pieces out. A piece is
// either energy that was seen, or a gap: a stretch of time whose readings cannot be trusted. What a
// gap is worth is decided in `bridge.ts`, so that nothing here ever writes zero in place of a fault.
// The rules, one by one: docs/methods/counters.md.

import { hostErrorCode, reasonOf } from "../../core/index.ts";
import type { Sensor } from "./sensor.ts";

/** What integration must know of a sensor. */
export interface IntegrationRule
  extends Pick<Sensor, "kind" | "updatePeriod" | "range" | "maxPower"> {
  /** Seconds between readings as planned. */
  readonly interval: number;
}

/** One attempt to read a sensor; `t` in monotonic seconds, `wall` in milliseconds since 1970. */
export type Observation =
  | {
      readonly kind: "value";
      readonly t: number;
      readonly wall?: number;
      /** Joules of a counter, watts of a power sensor. */
      readonly value: number;
    }
  | {
      readonly kind: "fault";
      readonly t: number;
      readonly wall?: number;
      readonly detail: string;
      /** The device itself went away, so a counter may have started again from zero. */
      readonly restarted: boolean;
    };

/**
 * Why a stretch of time has no trusted readings. `unreadable`: reading failed. `reset`: a counter
 * started again. `backwards`: it fell without a reset or a wrap. `stalled`: it stood still.
 * `suspended`: the wall clock ran ahead of the monotonic one. `clock`: it was set back. `implausible`:
 * more energy than the device can use. `hole`: too long without a reading.
 */
export type GapReason =
  | "unreadable"
  | "reset"
  | "backwards"
  | "stalled"
  | "suspended"
  | "clock"
  | "implausible"
  | "hole";

export interface Gap {
  readonly kind: "gap";
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
  readonly detail: string;
  /** Energy over the whole gap when the counter went on behind it; null when it is not known. */
  readonly joules: number | null;
}

/** Energy seen between two moments, in monotonic seconds. */
export interface Stretch {
  readonly kind: "energy";
  readonly from: number;
  readonly to: number;
  readonly joules: number;
}

export type Piece = Stretch | Gap;

interface Point {
  readonly t: number;
  readonly value: number;
}

type Trouble = Pick<Gap, "reason" | "detail"> & { readonly restarted: boolean };

/** Where an integration stands between two observations. */
export interface Integration {
  readonly start: number;
  /** Last reading from which energy is counted; null before the first. */
  readonly anchor: Point | null;
  /** Time of the last good reading; later than the anchor while a counter has not moved. */
  readonly last: number;
  /** What went wrong since the anchor. */
  readonly trouble: Trouble | null;
  /** Both clocks at the last observation. */
  readonly clock: { readonly t: number; readonly wall: number } | null;
}

/** A wrap or a jump is believed up to this multiple of the highest power. */
const POWER_MARGIN = 1.5;
/** Watts taken for the limit of a device that states none, such as a processor package. */
export const MAX_POWER_UNKNOWN = 1000;
/** Watts that no node draws (the largest sold: under 15 kW): what a rise or a reading may not exceed. */
const MAX_POWER_OF_NODE = 20_000;
/** Clocks that part by more seconds than this, or this share of the interval, jumped. */
const CLOCK_TOLERANCE = { seconds: 1, share: 0.001 };
/** A counter that stands still for this many update periods has stalled ... */
const STALL_PERIODS = 20;
/** ... but not sooner than this, and after this long when its period is not known; seconds. */
const STALL_SECONDS = { least: 1, unknown: 10 };
/** A power sensor without a reading for this many intervals has a hole. */
const HOLE_INTERVALS = 3;

/** The rule of a sensor that is read every `interval` seconds. */
export function ruleOf(
  sensor: Omit<IntegrationRule, "interval">,
  interval: number,
): IntegrationRule {
  const { kind, updatePeriod, range, maxPower } = sensor;
  return {
    kind,
    interval,
    ...(updatePeriod === undefined ? {} : { updatePeriod }),
    ...(range === undefined ? {} : { range }),
    ...(maxPower === undefined ? {} : { maxPower }),
  };
}

/** Longest seconds between readings at which a wrap of this counter cannot be missed. */
export function longestInterval(sensor: Pick<Sensor, "kind" | "range" | "maxPower">): number {
  if (sensor.kind === "power" || sensor.range === undefined) return Number.POSITIVE_INFINITY;
  return (0.5 * sensor.range) / (sensor.maxPower ?? MAX_POWER_UNKNOWN);
}

/** A failed read as an observation. A device that is gone may come back with a new counter. */
export function faultOf(error: unknown, at: { t: number; wall?: number }): Observation {
  const code = hostErrorCode(error);
  const restarted = code === "ENOENT" || code === "ENODEV" || code === "ENXIO";
  return { kind: "fault", ...at, detail: reasonOf(error), restarted };
}

/** An integration that begins at a moment, before the first reading. */
export function begin(start: number): Integration {
  return { start, anchor: null, last: start, trouble: null, clock: null };
}

/** Takes one observation in. A piece comes out when there is something to say about the past. */
export function advance(
  rule: IntegrationRule,
  state: Integration,
  seen: Observation,
): { readonly state: Integration; readonly piece: Piece | null } {
  const unusable = valueTrouble(rule, seen);
  const trouble = worse(worse(state.trouble, clockTrouble(state, seen)), unusable);
  const clock = seen.wall === undefined ? state.clock : { t: seen.t, wall: seen.wall };
  const waiting = { ...state, trouble, clock };
  if (seen.kind === "fault" || unusable !== null) return { state: waiting, piece: null };

  const { anchor } = state;
  const moved = { ...waiting, anchor: seen, last: seen.t, trouble: null };
  if (anchor === null) return { state: moved, piece: headOf(rule, waiting, seen.t) };
  // A meter's file that has not grown gives the reading we have already.
  if (seen.t <= state.last) return { state: waiting, piece: null };
  if (rule.kind === "power") return { state: moved, piece: trapezoid(rule, anchor, seen, trouble) };
  if (seen.value === anchor.value) return { state: { ...waiting, last: seen.t }, piece: null };
  const stall = stallOf(rule, anchor, state.last);
  return { state: moved, piece: counted(rule, anchor, seen, worse(trouble, stall)) };
}

/** The last piece, when the measurement ends at `end`. */
export function finish(rule: IntegrationRule, state: Integration, end: number): Piece | null {
  const { anchor, trouble } = state;
  if (anchor === null) {
    return end > state.start ? headOf(rule, { ...state, trouble: trouble ?? NEVER }, end) : null;
  }
  if (end <= anchor.t) return null;
  if (trouble !== null) return gap(anchor.t, end, trouble);
  if (rule.kind === "power") {
    if (end - anchor.t > holeOf(rule)) return gap(anchor.t, end, hole(end - anchor.t));
    return energy(anchor.t, end, anchor.value * (end - anchor.t));
  }
  const stall = stallOf(rule, anchor, state.last);
  if (stall !== null) return gap(anchor.t, end, stall);
  if (end - state.last > holeOf(rule)) return gap(anchor.t, end, hole(end - state.last));
  return state.last > anchor.t ? energy(anchor.t, end, 0) : null;
}

/** All pieces of a series of observations between two moments. */
export function integrate(
  rule: IntegrationRule,
  observations: readonly Observation[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly Piece[] {
  const pieces: Piece[] = [];
  let state = begin(from);
  for (const seen of observations) {
    const step = advance(rule, state, seen);
    state = step.state;
    if (step.piece !== null) pieces.push(step.piece);
  }
  const tail = finish(rule, state, to);
  return tail === null ? pieces : [...pieces, tail];
}

const NEVER: Trouble = { reason: "unreadable", detail: "it was never read", restarted: false };

const hole = (seconds: number): Trouble => ({
  reason: "hole",
  detail: `no reading for ${seconds.toFixed(1)} s`,
  restarted: false,
});

function energy(from: number, to: number, joules: number): Stretch {
  return { kind: "energy", from, to, joules };
}

function gap(from: number, to: number, trouble: Trouble, joules: number | null = null): Gap {
  return { kind: "gap", from, to, reason: trouble.reason, detail: trouble.detail, joules };
}

/** The first trouble names the gap; a restart that follows is remembered with it. */
function worse(first: Trouble | null, then: Trouble | null): Trouble | null {
  if (first === null || then === null) return first ?? then;
  return { ...first, restarted: first.restarted || then.restarted };
}

function valueTrouble(rule: IntegrationRule, seen: Observation): Trouble | null {
  if (seen.kind === "fault") {
    return { reason: "unreadable", detail: seen.detail, restarted: seen.restarted };
  }
  if (!Number.isFinite(seen.value) || seen.value < 0) {
    return { reason: "unreadable", detail: `it read ${seen.value}`, restarted: false };
  }
  if (rule.kind === "counter" || seen.value <= highestPower(rule)) return null;
  return { reason: "implausible", detail: `it read ${seen.value} W`, restarted: false };
}

/** Watts beyond which a reading or a rise is no measurement. */
const highestPower = ({ maxPower }: IntegrationRule): number =>
  maxPower === undefined ? MAX_POWER_OF_NODE : POWER_MARGIN * maxPower;

/** A suspend, or a clock set by hand: the window is split, nothing is counted across it. */
function clockTrouble({ clock }: Integration, seen: Observation): Trouble | null {
  if (clock === null || seen.wall === undefined) return null;
  const elapsed = seen.t - clock.t;
  const ahead = (seen.wall - clock.wall) / 1000 - elapsed;
  const tolerance = Math.max(CLOCK_TOLERANCE.seconds, CLOCK_TOLERANCE.share * elapsed);
  if (Math.abs(ahead) <= tolerance) return null;
  const detail = `the wall clock moved by ${ahead.toFixed(1)} s against the monotonic clock`;
  return { reason: ahead > 0 ? "suspended" : "clock", detail, restarted: true };
}

/** A gap before the first reading, when there was trouble or it came late. */
function headOf(rule: IntegrationRule, state: Integration, t: number): Gap | null {
  const { start, trouble } = state;
  if (t <= start) return null;
  if (trouble !== null) return gap(start, t, trouble);
  return t - start > holeOf(rule) ? gap(start, t, hole(t - start)) : null;
}

function trapezoid(
  rule: IntegrationRule,
  before: Point,
  after: Point,
  trouble: Trouble | null,
): Piece {
  const elapsed = after.t - before.t;
  if (trouble !== null) return gap(before.t, after.t, trouble);
  if (elapsed > holeOf(rule)) return gap(before.t, after.t, hole(elapsed));
  return energy(before.t, after.t, ((before.value + after.value) / 2) * elapsed);
}

/** The energy between two different readings of a counter, or the gap between them. */
function counted(
  rule: IntegrationRule,
  before: Point,
  after: Point,
  trouble: Trouble | null,
): Piece {
  const delta = deltaOf(rule, before, after);
  if (typeof delta !== "number") return gap(before.t, after.t, trouble ?? delta);
  if (trouble === null) return energy(before.t, after.t, delta);
  const continued = !trouble.restarted && trouble.reason !== "stalled";
  return gap(before.t, after.t, trouble, continued ? delta : null);
}

/** Joules between two readings of a counter, or why they cannot be told. */
function deltaOf(rule: IntegrationRule, before: Point, after: Point): number | Trouble {
  const { range } = rule;
  const elapsed = after.t - before.t;
  const delta = after.value - before.value;
  if (range !== undefined && (rule.maxPower ?? MAX_POWER_UNKNOWN) * elapsed > range) {
    const detail = `it may have wrapped more than once in ${elapsed.toFixed(0)} s`;
    return { reason: "hole", detail, restarted: false };
  }
  const most = energyCeiling(rule, elapsed);
  const fault = (reason: GapReason, verb: string): Trouble => ({
    reason,
    detail: `it ${verb} from ${before.value} J to ${after.value} J in ${elapsed.toFixed(3)} s`,
    restarted: false,
  });
  if (delta >= 0) {
    const highest = highestPower(rule) * (elapsed + 2 * (rule.updatePeriod ?? 0));
    return delta > highest ? fault("implausible", "rose") : delta;
  }
  if (range !== undefined && range + delta >= 0 && range + delta <= most) return range + delta;
  return after.value <= most ? fault("reset", "started again") : fault("backwards", "fell");
}

/** Most joules that the device can have used; two updates more than the time between readings. */
function energyCeiling(rule: IntegrationRule, elapsed: number): number {
  const slack = 2 * (rule.updatePeriod ?? 0);
  return POWER_MARGIN * (rule.maxPower ?? MAX_POWER_UNKNOWN) * (elapsed + slack);
}

function stallOf(rule: IntegrationRule, anchor: Point, still: number): Trouble | null {
  const { updatePeriod } = rule;
  const patience =
    updatePeriod === undefined
      ? STALL_SECONDS.unknown
      : Math.max(STALL_SECONDS.least, STALL_PERIODS * updatePeriod);
  if (still - anchor.t <= patience) return null;
  const detail = `it stood at ${anchor.value} J for ${(still - anchor.t).toFixed(1)} s`;
  return { reason: "stalled", detail, restarted: false };
}

function holeOf(rule: IntegrationRule): number {
  return HOLE_INTERVALS * Math.max(rule.interval, rule.updatePeriod ?? 0);
}
