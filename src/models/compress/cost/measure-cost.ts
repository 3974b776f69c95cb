// What models cost to run, compared: variants take turns, so that whatever else the machine does hits all
// of them alike, and ratios come with intervals. CPU time stands for energy: it is what busy cores draw
// power for, and it can be read to a millisecond where energy cannot.

import { createRandom, median, quantile, type Seconds, seconds } from "../../../core/index.ts";

/** Something that is run again and again. */
export interface CostVariant {
  readonly name: string;
  run(): Promise<unknown>;
  /** Samples that one run takes; costs are per sample. Default: 1. */
  readonly items?: number;
}

export interface CostOptions {
  /** Rounds that count, each of every variant. Default: 15. */
  readonly rounds?: number;
  /** How long a variant runs in a round. Default: 0.1 s. */
  readonly roundTime?: Seconds;
  /**
   * Runs start this far apart, as calls of an idle service do; what threads burn in between counts.
   * Default: one run follows the other.
   */
  readonly interval?: Seconds;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Asked before each round once there are five; after a no the figures are those of the rounds so far. */
  readonly goOn?: () => boolean;
  /** CPU seconds used so far. Default: those of this process. */
  readonly cpuClock?: () => number;
}

/** What a sample costs with one variant. */
export interface Cost {
  readonly name: string;
  /** CPU time of all threads, seconds a sample: median over rounds with the 5 and 95 % points. */
  readonly cpu: { readonly median: number; readonly low: number; readonly high: number };
  /** Elapsed time of a run, seconds. */
  readonly latency: { readonly p50: number; readonly p95: number };
  readonly runs: number;
  /** Against the first variant; below 1 is less. */
  readonly ratio: CostRatio;
}

/** A ratio of CPU times with its 95 % interval. */
export interface CostRatio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** `noise`: the interval is wider than what it would show. */
  readonly verdict: "less" | "more" | "noise";
}

interface Round {
  readonly cpu: number;
  readonly latencies: readonly number[];
}

const ROUNDS = 15;
const ROUND_TIME = seconds(0.1);
/** Rounds below which an interval of a median says nothing. */
const LEAST_ROUNDS = 5;
const RESAMPLES = 2000;

/** Measures variants against the first of them, after a round of each that does not count. Nothing else may compute in this process meanwhile. */
export async function measureCosts(
  variants: readonly CostVariant[],
  options: CostOptions = {},
): Promise<readonly Cost[]> {
  const { rounds = ROUNDS, roundTime = ROUND_TIME, signal, goOn } = options;
  for (const variant of variants) await oneRound(variant, roundTime, options);
  const measured: Round[][] = variants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    if (round >= LEAST_ROUNDS && goOn?.() === false) break;
    for (const [at, variant] of variants.entries()) {
      signal?.throwIfAborted();
      measured[at]?.push(await oneRound(variant, roundTime, options));
    }
  }
  const base = measured[0] ?? [];
  return variants.map((variant, at) => costOf(variant, measured[at] ?? [], base, options.seed));
}

/**
 * Runs for as long as a round lasts. Rounds are equal in time, not in runs: what a change of variants costs
 * at the start of each (cold caches, compilers) then weighs on all alike.
 */
async function oneRound(
  variant: CostVariant,
  roundTime: Seconds,
  { interval = seconds(0), cpuClock = ownCpuTime }: CostOptions,
): Promise<Round> {
  const latencies: number[] = [];
  const before = cpuClock();
  const end = performance.now() + 1000 * roundTime;
  do {
    const start = performance.now();
    await variant.run();
    const took = (performance.now() - start) / 1000;
    latencies.push(took);
    if (interval > took) await sleep(interval - took);
  } while (performance.now() < end);
  const used = cpuClock() - before;
  await quiet(cpuClock);
  return { cpu: used / latencies.length / (variant.items ?? 1), latencies };
}

const LOOK = seconds(0.01);
/** Share of a core below which the process rests. */
const RESTING = 0.1;
const LONGEST_LOOKS = 50;

/**
 * Waits until the process rests: threads that spin go on for a while after the last run of a round, and what they
 * burn would be charged to the variant that comes next.
 */
async function quiet(cpuClock: () => number): Promise<void> {
  for (let look = 0; look < LONGEST_LOOKS; look++) {
    const before = cpuClock();
    await sleep(LOOK);
    if (cpuClock() - before < RESTING * LOOK) return;
  }
}

function ownCpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const sleep = (duration: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration * 1000));

function costOf(
  { name }: CostVariant,
  own: readonly Round[],
  base: readonly Round[],
  seed = 1,
): Cost {
  const cpu = ascending(own.map((round) => round.cpu));
  const latencies = ascending(own.flatMap((round) => round.latencies));
  return {
    name,
    cpu: { median: quantile(cpu, 0.5), low: quantile(cpu, 0.05), high: quantile(cpu, 0.95) },
    latency: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
    runs: latencies.length,
    ratio: ratioOf(
      own.map((round) => round.cpu),
      base.map((round) => round.cpu),
      seed,
    ),
  };
}

/** Median of the rounds' ratios, with a percentile bootstrap over rounds. */
export function ratioOf(own: readonly number[], base: readonly number[], seed = 1): CostRatio {
  const ratios = own.map((cost, round) => cost / Math.max(base[round] ?? 0, Number.MIN_VALUE));
  const random = createRandom(seed);
  const medians = ascending(
    Array.from({ length: RESAMPLES }, () =>
      median(ratios.map(() => ratios[random.integer(ratios.length)] ?? 1)),
    ),
  );
  const [value, low, high] = [median(ratios), quantile(medians, 0.025), quantile(medians, 0.975)];
  const verdict = high < 1 ? "less" : low > 1 ? "more" : "noise";
  return { value, low, high, verdict };
}

const ascending = (values: readonly number[]): readonly number[] =>
  values.toSorted((a, b) => a - b);
