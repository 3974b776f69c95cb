// A wall meter against what is inside the machine: a meter of another machine, or one whose values are in
// another unit, reads less than the processor alone, or hundreds of times as much.

import { withPrefix } from "../../core/index.ts";
import { durationOf, type Timeline, type Track } from "./timeline.ts";

/** Readings are not simultaneous, and RAPL is known to a few percent: the wall may read this much less. */
const LEAST_SHARE = 0.9;

/**
 * Beyond this multiple of its largest measured part the machine would be unlike any sold: eight GPUs that
 * nobody measures at full load beside idle processors come to about 100. Milliwatts are 1000.
 */
const MOST_TIMES = 200;

/** What is doubtful about the wall meter of a run; nothing where there is none, or nothing inside to tell. */
export function wallDoubts(timeline: Timeline): string[] {
  const tracks = timeline.tracks.filter((track) => track !== null);
  const largest = tracks
    .filter(({ sensor }) => sensor.scope === "component" && sensor.method !== "estimated")
    .toSorted((a, b) => energyOf(b) - energyOf(a))[0];
  const seconds = durationOf(timeline);
  if (largest === undefined || seconds <= 0 || energyOf(largest) <= 0) return [];
  return tracks
    .filter(({ sensor }) => sensor.counted && sensor.scope === "wall" && isMeter(sensor.method))
    .flatMap((wall) => {
      const times = energyOf(wall) / energyOf(largest);
      if (times >= LEAST_SHARE && times <= MOST_TIMES) return [];
      const watts = (track: Track): string => withPrefix(energyOf(track) / seconds, "W");
      return [
        `${wall.sensor.device} reads ${watts(wall)} at the wall, but ${largest.sensor.device} inside alone ${watts(largest)}: is it the meter of this machine, and in watts?`,
      ];
    });
}

const isMeter = (method: Track["sensor"]["method"]): boolean => method !== "estimated";

const energyOf = ({ joules }: Track): number => joules.at(-1) ?? 0;
