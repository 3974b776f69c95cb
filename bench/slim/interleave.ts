// CPU time of several variants of one piece of work, taken in turns so that whatever else the machine
// does hits all of them alike.

import { createRandom, quantile } from "../../src/core/index.ts";
import { cpuMs } from "../engine/figures.ts";

export interface Variant {
  readonly name: string;
  run(): Promise<unknown>;
}

export interface Timing {
  readonly name: string;
  /** CPU milliseconds of one run, all threads, one figure a round. */
  readonly samples: readonly number[];
  readonly median: number;
  /** How many times less CPU than the first variant: median of the rounds' ratios, 90 % interval. */
  readonly gain: { readonly value: number; readonly low: number; readonly high: number };
}

/** Runs each variant `runs` times a round, in turns, after one round that does not count. */
export async function interleave(
  variants: readonly Variant[],
  { rounds = 15, runs = 5 }: { readonly rounds?: number; readonly runs?: number } = {},
): Promise<readonly Timing[]> {
  const samples = variants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const start = process.cpuUsage();
      for (let run = 0; run < runs; run++) await variant.run();
      if (round > 0) samples[index]?.push(cpuMs(start) / runs);
    }
  }
  const base = samples[0] ?? [];
  return variants.map(({ name }, index) => {
    const own = samples[index] ?? [];
    const ratios = own.map((of, round) => (base[round] ?? 0) / of);
    return { name, samples: own, median: medianOf(own), gain: bootstrap(ratios) };
  });
}

const ascending = (values: readonly number[]): readonly number[] =>
  values.toSorted((a, b) => a - b);

const medianOf = (values: readonly number[]): number => quantile(ascending(values), 0.5);

/** The median with its 90 % percentile bootstrap interval, 2,000 resamples. */
function bootstrap(values: readonly number[]) {
  const random = createRandom(1);
  const medians = Array.from({ length: 2000 }, () =>
    medianOf(values.map(() => values[random.integer(values.length)] ?? 0)),
  );
  const sorted = ascending(medians);
  return { value: medianOf(values), low: quantile(sorted, 0.05), high: quantile(sorted, 0.95) };
}

/** `2.31x (2.28 to 2.35)` */
export const gainText = ({ gain }: Timing): string =>
  `${gain.value.toFixed(2)}x (${gain.low.toFixed(2)} to ${gain.high.toFixed(2)})`;
