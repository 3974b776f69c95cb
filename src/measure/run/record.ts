// The lines of a run's segment: what is appended to disk while a run is measured, and all that is
// needed to make its card, after a crash as well as after a normal end. One JSON object a line.

import type { Card, Machine, Signal } from "../../core/card.ts";
import type { Figure } from "../../core/index.ts";
import type { GapReason } from "../sensors/integrate.ts";
import type { Domain, Scope, Sensor } from "../sensors/sensor.ts";
import type { FootprintFactors } from "./footprint.ts";

export const SEGMENT_SCHEMA = "godwit.segment/1";

/** A sensor without its `read`. `counted` sensors add up; the others are kept for the record. */
export interface SensorRecord
  extends Pick<
    Sensor,
    | "id"
    | "provider"
    | "device"
    | "kind"
    | "method"
    | "source"
    | "error"
    | "shortWindow"
    | "updatePeriod"
    | "maxPower"
  > {
  readonly domain: Domain;
  readonly scope: Scope;
  readonly counted: boolean;
  /** Why better sensors of this domain were passed over, or why this one does not count. */
  readonly fallbacks: readonly string[];
}

/** How the energy of the components becomes that of the plug: `E * factor + base * seconds`. */
export interface WallModel {
  /** Wall watts per watt of the components: what the supply loses on the way. */
  readonly factor: Figure<"1">;
  /** What board, disks and fans draw whatever the load. */
  readonly base: Figure<"W">;
}

/** First line. */
export interface StartRecord {
  readonly type: "start";
  readonly schema: typeof SEGMENT_SCHEMA;
  readonly id: string;
  readonly startedAt: string;
  readonly subject: Card["subject"];
  /** Process that measures; when it is gone without an `end`, the run was interrupted. */
  readonly pid: number;
  /** Start time of that process in clock ticks since boot, so that a reused pid is told apart. */
  readonly pidStart: string | null;
  readonly interval: number;
  readonly sensors: readonly SensorRecord[];
  readonly machine: Machine;
  readonly signal: Signal;
  readonly pue: Figure<"1">;
  /** Share of the machine's idle energy that belongs to the subject, and why. */
  readonly idleShare: Figure<"1">;
  /** Idle power by sensor id, watts, when a baseline is known. */
  readonly idle: Readonly<Record<string, Figure<"W">>>;
  /** How the subject's CPU time is counted, and why not in a better way. */
  readonly cpuTime?: {
    readonly source: string;
    readonly fallbacks: readonly string[];
    /** Steps in which it is told, seconds. */
    readonly step?: number;
  };
  /** Logical processors that the subject may use; `machine.cpu.threads` are all there are. */
  readonly threads: number;
  /** Bytes of memory that the subject may use; absent when nothing limits it. */
  readonly memoryLimit?: number;
  /** Sensors of GPUs that are known to be held by the subject alone. */
  readonly exclusive?: readonly string[];
  /** Applied when no counted sensor is at the wall; absent: the boundary stays the components. */
  readonly wall?: WallModel;
  /** Factors of water, hardware and cost; those that are absent leave their measure absent. */
  readonly footprint?: FootprintFactors;
  /** `own-share`: another card of this machine has its gross and idle energy. Default `machine`. */
  readonly claim?: "machine" | "own-share";
  readonly version: string;
  readonly notices: readonly string[];
}

/** Busy seconds of a GPU since the start, and those of them that were the subject's. */
export interface GpuUse {
  readonly busyS: number;
  readonly subjectS: number;
  /** Seconds since the start in which it was known who used the device; all when absent. */
  readonly toldS?: number;
  /** Seconds of those in which the subject, or others, had a process on the device, busy or not. */
  readonly heldS?: number;
  readonly othersS?: number;
  /** Why the latest of the other seconds were not told. */
  readonly untold?: string;
}

/**
 * One sampling instant. Everything is cumulative since the start, so that dropping ticks loses
 * resolution and never energy. Readings of power are integrated before they come here. What a gap of
 * unknown energy is worth is not in the values: that is worked out on the whole run.
 */
export interface TickRecord {
  readonly type: "tick";
  /** Monotonic seconds since the start. */
  readonly t: number;
  /** Aligned with `StartRecord.sensors`: joules since the start; null inside a gap. */
  readonly values: readonly (number | null)[];
  /** CPU seconds of the whole machine since start, without idle, iowait and steal. */
  readonly busyS: number | null;
  /** CPU seconds of the subject's process tree since start; reaped children included. */
  readonly subjectS: number | null;
  /** Resident memory of the subject's tree, bytes. */
  readonly rss: number | null;
  /** Use of GPUs that tell by process, by sensor id. */
  readonly gpu?: Readonly<Record<string, GpuUse>>;
}

export interface GapRecord {
  readonly type: "gap";
  readonly sensor: string;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
  readonly detail: string;
  /** What a counter that went on behind the gap says of it; null when its energy is not known. */
  readonly joules: number | null;
}

/** Spans are numbered in the order in which they open; written when they close. */
export interface SpanRecord {
  readonly type: "span";
  readonly index: number;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly parent: number | null;
}

export interface NoticeRecord {
  readonly type: "notice";
  readonly t: number;
  readonly text: string;
}

/** Last line; absent when the run was interrupted. */
export interface EndRecord {
  readonly type: "end";
  readonly t: number;
  readonly endedAt: string;
  readonly status: Card["status"];
  readonly exit: Card["exit"] | null;
  /** Exact CPU seconds of the subject after it was reaped, when the platform tells. */
  readonly subjectS: number | null;
  readonly overhead: Card["overhead"] | null;
  /** Measures that only the caller knows: model size, operations, what the work will save. */
  readonly extra: Pick<Card["measures"], "modelSize" | "parameters" | "operations" | "savedPerUse">;
  readonly quality: Card["quality"] | null;
  /** Idle power by sensor id, watts, as earlier runs on this machine saw it. */
  readonly idle?: Readonly<Record<string, Figure<"W">>>;
}

export type SegmentRecord =
  | StartRecord
  | TickRecord
  | GapRecord
  | SpanRecord
  | NoticeRecord
  | EndRecord;
