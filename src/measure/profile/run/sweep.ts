// The setting that costs the least energy for one item of a batch, found by running each.

import type { Figure } from "../../../core/index.ts";
import type { RunCost } from "./timed-run.ts";

export interface Setting {
  readonly threads: number;
  readonly batch: number;
}

export interface SweepRow extends Setting {
  readonly cost: RunCost;
}

export interface Sweep {
  readonly rows: readonly SweepRow[];
  /** The row with the least energy for an item; least CPU time where no energy could be told. */
  readonly best: SweepRow | null;
  readonly by: "energy" | "CPU time" | "time";
}

/** Every thread number with every batch. */
export const settingsOf = (
  threads: readonly number[],
  batches: readonly number[],
): readonly Setting[] =>
  threads.flatMap((count) => batches.map((batch) => ({ threads: count, batch })));

/** Runs each setting in turn and chooses. */
export async function sweep(
  settings: readonly Setting[],
  run: (setting: Setting) => Promise<RunCost>,
): Promise<Sweep> {
  const rows: SweepRow[] = [];
  for (const setting of settings) rows.push({ ...setting, cost: await run(setting) });
  return choose(rows);
}

/** The cheapest row by the best measure that all rows have. */
export function choose(rows: readonly SweepRow[]): Sweep {
  const by = rows.every(({ cost }) => cost.energy !== null)
    ? "energy"
    : rows.every(({ cost }) => cost.cpuTime !== null)
      ? "CPU time"
      : "time";
  const figures = { energy: "energy", "CPU time": "cpuTime", time: "latency" } as const;
  const itemCost = ({ cost, batch }: SweepRow): number => {
    const of: Figure<"s"> | Figure<"J"> | null = cost[figures[by]];
    return (of?.value ?? Number.POSITIVE_INFINITY) / batch;
  };
  const [best = null] = rows.toSorted((a, b) => itemCost(a) - itemCost(b));
  return { rows, best, by };
}
