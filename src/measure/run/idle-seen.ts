// Idle power that a run saw by itself: of a GPU while no process was on it, of everything else while
// the machine was less than 5 % busy. A GPU's serves the run itself; all of them, kept on the card,
// serve later runs on the same machine (idle-history.ts).

import { type Figure, figure, quantile } from "../../core/index.ts";
import { errorFactors } from "../sensors/bridge.ts";
import { activityOf } from "./activity.ts";
import { gpuActivity } from "./gpu-activity.ts";
import { MOST_BUSY } from "./idle.ts";
import { deltas, type Timeline, type Track } from "./timeline.ts";

/** Seconds of one reading of idle power: a second of NVML's average, many updates of a counter. */
const READING = 1;
/** Quiet seconds from which idle power is known, as many as a baseline is usually asked for. */
const ENOUGH = 3;
/** The quantile of the readings that stands for idle: what disturbs an idle machine adds to it. */
const LOWEST = 0.05;

/** Idle power of a sensor in this run, watts; null for a model and where it was never idle for long. */
export function idleSeen(track: Track, timeline: Timeline): Figure<"W"> | null {
  const { sensor } = track;
  if (sensor.method === "estimated") return null;
  const readings = quietPowers(track, timeline);
  if (readings.length < ENOUGH) return null;
  const value = quantile(readings, LOWEST);
  const factors = errorFactors(sensor, readings.length * READING);
  // What is idle most of the time draws the median.
  const bounds = { low: value * factors.low, high: quantile(readings, 0.5) * factors.high };
  const when = sensor.domain === "gpu" ? "no process was on it" : "the machine was idle";
  return figure("W", value, bounds, {
    method: sensor.method,
    source: `seen in ${readings.length} quiet stretches of this run, while ${when}`,
  });
}

/** Mean powers of quiet stretches of a second, ascending. */
function quietPowers(track: Track, timeline: Timeline): readonly number[] {
  const quiet = quietIntervals(track, timeline);
  const joules = deltas(track.joules);
  const powers: number[] = [];
  let sum = { seconds: 0, joules: 0 };
  for (const [index, seconds] of deltas(timeline.times).entries()) {
    if (quiet[index] !== true || track.silent[index] === true) {
      sum = { seconds: 0, joules: 0 };
      continue;
    }
    sum = { seconds: sum.seconds + seconds, joules: sum.joules + (joules[index] ?? 0) };
    if (sum.seconds < READING) continue;
    powers.push(sum.joules / sum.seconds);
    sum = { seconds: 0, joules: 0 };
  }
  return powers.filter((power) => power > 0).sort((a, b) => a - b);
}

function quietIntervals({ sensor }: Track, timeline: Timeline): readonly boolean[] {
  if (sensor.domain === "gpu") return emptyIntervals(sensor.id, timeline);
  const gpus = includesGpus(sensor)
    ? timeline.start.sensors.filter(({ domain }) => domain === "gpu")
    : [];
  const others = gpus.map(({ id }) => emptyIntervals(id, timeline));
  return activityOf(timeline).map(
    ({ utilisation }, index) =>
      utilisation !== null &&
      utilisation < MOST_BUSY &&
      others.every((empty) => empty[index] === true),
  );
}

/** Whether an idle processor says too little: the energy of GPUs may be in the sensor's. */
const includesGpus = ({ domain }: Track["sensor"]): boolean =>
  domain === "machine" || domain === "board";

function emptyIntervals(sensor: string, timeline: Timeline): readonly boolean[] {
  const activity = gpuActivity(sensor, timeline) ?? [];
  return activity.map(({ told, empty }) => told === 1 && empty);
}
