// A training job as recorded by others: how many epochs each batch size needs to reach the target, run by
// run, and what one epoch costs at each power limit. The traces of Zeus (You, Chung, Chowdhury; NSDI 2023)
// have this shape; so has what godwit records of a recurring job.

import { parseCsvTable, UserError } from "../../core/index.ts";

/** Time and mean power of one epoch at a power limit. */
export interface EpochProfile {
  /** Watts. */
  readonly limit: number;
  readonly seconds: number;
  readonly watts: number;
}

/** A batch size: epochs to the target of each recorded run (null: never reached), and its profiles. */
export interface BatchRecord {
  readonly batch: number;
  readonly epochs: readonly (number | null)[];
  readonly profiles: readonly EpochProfile[];
}

/** A training job whose batch size and power limit may be chosen. */
export interface Workload {
  readonly name: string;
  readonly batches: readonly BatchRecord[];
  /** What its authors publish it with; the baseline runs it at the highest limit. */
  readonly defaultBatch: number;
  /** A run that has not reached the target by then has failed. */
  readonly mostEpochs: number;
}

/** Which rows of the traces make a workload. */
export interface WorkloadKey {
  readonly name: string;
  readonly dataset: string;
  readonly optimizer: string;
  readonly target: number;
  readonly defaultBatch: number;
  readonly mostEpochs: number;
}

/** A workload from a table of training runs and one of power profiles. */
export function workloadFrom(training: string, power: string, key: WorkloadKey): Workload {
  const ours = (row: Record<string, string>): boolean =>
    row["dataset"] === key.dataset && row["optimizer"] === key.optimizer;
  const profiles = new Map<number, EpochProfile[]>();
  for (const row of parseCsvTable(power).filter(ours)) {
    const batch = Number(row["batch_size"]);
    const profile = {
      limit: Number(row["power_limit"]),
      seconds: Number(row["time_per_epoch"]),
      watts: Number(row["average_power"]),
    };
    profiles.set(batch, [...(profiles.get(batch) ?? []), profile]);
  }
  const epochs = new Map<number, (number | null)[]>();
  for (const row of parseCsvTable(training).filter(ours)) {
    if (Number(row["target_metric"]) !== key.target) continue;
    const batch = Number(row["batch_size"]);
    epochs.set(batch, [...(epochs.get(batch) ?? []), epochsOf(row["target_epoch"] ?? "")]);
  }
  const batches = [...profiles]
    .filter(([batch]) => epochs.has(batch))
    .map(([batch, of]) => ({ batch, epochs: epochs.get(batch) ?? [], profiles: of }))
    .sort((a, b) => a.batch - b.batch);
  return {
    name: key.name,
    batches,
    mostEpochs: key.mostEpochs,
    ...defaultOf(key, [...profiles.keys()]),
  };
}

/** Epochs of a run. "nan" or nothing is a run that never reached the target, not one of no epochs. */
function epochsOf(cell: string): number | null {
  const count = Number.parseFloat(cell);
  return Number.isNaN(count) ? null : count;
}

/** The default batch size, or the largest that fits the device. */
function defaultOf({ name, defaultBatch }: WorkloadKey, fitting: readonly number[]) {
  if (fitting.length === 0)
    throw new UserError("invalid-input", `the traces hold no batch size of ${name}`, {
      hint: "Training and power table must name the same dataset and optimizer.",
    });
  return { defaultBatch: Math.min(defaultBatch, Math.max(...fitting)) };
}

/** A setting: batch size and power limit, with the mean time and energy to the target. */
export interface Setting {
  readonly batch: number;
  readonly limit: number;
  readonly seconds: number;
  readonly joules: number;
}

/** Every setting at which some run reached the target; means are over the runs that did. */
export function settingsOf({ batches }: Workload): readonly Setting[] {
  return batches.flatMap(({ batch, epochs, profiles }) => {
    const reached = epochs.filter((count) => count !== null);
    if (reached.length === 0) return [];
    const mean = reached.reduce((sum, count) => sum + count, 0) / reached.length;
    return profiles.map(({ limit, seconds, watts }) => ({
      batch,
      limit,
      seconds: mean * seconds,
      joules: mean * seconds * watts,
    }));
  });
}

/** Highest power limit of the device: what it runs at when nobody sets one. */
export const highestLimit = ({ batches }: Workload): number =>
  Math.max(...batches.flatMap(({ profiles }) => profiles.map(({ limit }) => limit)));

/** The default batch size at the highest limit. */
export function baselineOf(workload: Workload): Setting {
  const limit = highestLimit(workload);
  const baseline = settingsOf(workload).find(
    (one) => one.batch === workload.defaultBatch && one.limit === limit,
  );
  if (baseline !== undefined) return baseline;
  throw new UserError("invalid-input", `${workload.name} was not recorded at its default`, {
    hint: `Record batch size ${workload.defaultBatch} at ${limit} W.`,
  });
}
