// The recorded series: what record.ts wrote, read back for the comparison.

import { readFileSync } from "node:fs";

/** Where the recording lies. */
export const RECORDED_FILE = new URL("recorded.json", import.meta.url);

/** One run of one workload. */
export interface RecordedRun {
  readonly workload: string;
  readonly seed: number;
  /** How the energy came about, such as `estimated`. */
  readonly energyMethod: string;
  /** Of each epoch in turn. */
  readonly seconds: readonly number[];
  readonly joules: readonly number[];
}

export interface Recorded {
  readonly note: string;
  /** Day. */
  readonly recorded: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly RecordedRun[];
}

/** The recorded workloads that constants were chosen on; the others only tell how well they do. */
const CHOSEN_ON = [
  "training",
  "growing data",
  "validation and checkpoints",
  "schedule with phases",
  "ONNX inference",
];

/**
 * Workloads whose epochs become others by a factor of two or more later on, by their making: what
 * happens then cannot be seen in the first epochs.
 */
const BECOME_OTHERS = [
  "schedule with phases",
  "k-means with bounds",
  "training beside a late neighbour",
];

/** Series of one workload and one quantity. */
export interface RecordedFamily {
  readonly name: string;
  /** Constants were chosen on it. */
  readonly isChosenOn: boolean;
  /** Later epochs are not made to differ from the first ones. */
  readonly isForeseeable: boolean;
  readonly runs: readonly (readonly number[])[];
}

/** The recording by workload and quantity, in the order recorded. */
export function recordedFamilies({ runs }: Recorded): readonly RecordedFamily[] {
  const workloads = [...new Set(runs.map(({ workload }) => workload))];
  return workloads.flatMap((workload) => {
    const own = runs.filter((run) => run.workload === workload);
    const kind = {
      isChosenOn: CHOSEN_ON.includes(workload),
      isForeseeable: !BECOME_OTHERS.includes(workload),
    };
    return [
      { name: `${workload}, time`, ...kind, runs: own.map(({ seconds }) => seconds) },
      { name: `${workload}, energy`, ...kind, runs: own.map(({ joules }) => joules) },
    ];
  });
}

/** Reads the recording. */
export function readRecorded(): Recorded {
  return JSON.parse(readFileSync(RECORDED_FILE, "utf8")) as Recorded;
}
