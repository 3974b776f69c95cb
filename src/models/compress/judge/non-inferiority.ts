// Is a changed model worse than the original by less than a margin? A paired one-sided test: both models
// answered the same samples. What cannot be shown is not shown; it is never taken for "kept".
// Method notes: docs/methods/slim.md.

import { mean, normalQuantile } from "../../../core/index.ts";
import { bootstrapInterval } from "../../data/index.ts";
import { upperProportion } from "./binomial.ts";

export interface MarginOptions {
  /** The largest drop that is accepted, in units of the scores. */
  readonly margin: number;
  /** Probability of calling a model within the margin that is not. Default: 0.05. */
  readonly alpha?: number;
  readonly seed?: number;
}

/** The outcome of the test. Scores are those of samples, higher is better. */
export interface NonInferiority {
  /** Mean score before less mean score after; negative for a gain. */
  readonly drop: number;
  /** One-sided upper bound of the drop, at confidence 1 - alpha. */
  readonly upper: number;
  readonly margin: number;
  readonly alpha: number;
  readonly isShown: boolean;
  /**
   * `normal`: of paired proportions. `exact`: McNemar's conditional one, where fewer than 25 samples
   * differ. `bootstrap`: BCa of the mean paired difference, for scores that are no 0 or 1.
   */
  readonly method: "normal" | "exact" | "bootstrap";
  readonly samples: number;
  /** Samples that got worse, and better. */
  readonly lost: number;
  readonly won: number;
  /** Samples with which such a drop could be shown, 8 times in 10; null where none would do. */
  readonly needed: number | null;
}

/** Below so many differing samples the normal approximation is not good enough. */
const FEW = 25;

/** Of the bootstrap, as compress.md 2.21 asks. */
const RESAMPLES = 10_000;

/** Tests that the second scores are worse than the first by less than the margin, sample by sample. */
export function testNonInferiority(
  before: Float64Array,
  after: Float64Array,
  { margin, alpha = 0.05, seed = 1 }: MarginOptions,
): NonInferiority {
  if (before.length !== after.length || before.length === 0) {
    throw new RangeError(`${before.length} scores before, ${after.length} after`);
  }
  const differences = before.map((score, row) => {
    // Equal infinities (an exact answer in dB) are no difference.
    const other = after[row] as number;
    return score === other ? 0 : score - other;
  });
  const lost = differences.filter((difference) => difference > 0).length;
  const won = differences.filter((difference) => difference < 0).length;
  const drop = mean([...differences]);
  const isBinary = [...before, ...after].every((score) => score === 0 || score === 1);
  const counts = { samples: before.length, lost, won };
  const [method, upper] = isBinary
    ? binaryBound(counts, alpha)
    : (["bootstrap", bootstrapBound(differences, { drop, alpha, seed })] as const);
  return {
    ...{ drop, upper, margin, alpha, method, ...counts },
    isShown: upper <= margin,
    needed: neededSamples(variance(differences, drop), { drop, margin, alpha }),
  };
}

interface Counts {
  readonly samples: number;
  readonly lost: number;
  readonly won: number;
}

/** Upper bound of (lost - won) / samples in the population. */
export function binaryBound(
  { samples, lost, won }: Counts,
  alpha: number,
): readonly ["normal" | "exact", number] {
  const discordant = lost + won;
  if (discordant < FEW) return ["exact", exactBound({ samples, lost, won }, alpha)];
  const drop = (lost - won) / samples;
  const deviation = Math.sqrt(discordant / samples - drop ** 2);
  return ["normal", drop + (normalQuantile(1 - alpha) * deviation) / Math.sqrt(samples)];
}

/**
 * The bound that a test on `verified` other samples stays below with probability `power`, by what these samples
 * show: the bound of as many differing samples in proportion, and room for chance here and there.
 */
export function likelyBound(
  { samples, lost, won }: Counts,
  of: { readonly verified: number; readonly alpha: number; readonly power: number },
): number {
  const { verified, alpha, power } = of;
  const scaled = { lost: (lost * verified) / samples, won: (won * verified) / samples };
  const [, bound] = binaryBound(
    { samples: verified, lost: Math.round(scaled.lost), won: Math.round(scaled.won) },
    alpha,
  );
  const spread = (lost + won) / samples - ((lost - won) / samples) ** 2;
  return bound + normalQuantile(power) * Math.sqrt(spread / samples + spread / verified);
}

/**
 * Given how many samples differ, the lost ones are binomial (McNemar 1947): their share has an exact
 * bound, and so has the share of samples that differ; half of alpha for each (Bonferroni).
 */
function exactBound({ samples, lost, won }: Counts, alpha: number): number {
  const discordant = lost + won;
  const share = discordant === 0 ? 1 : upperProportion(lost, discordant, alpha / 2);
  const differing = upperProportion(discordant, samples, alpha / 2);
  // A negative excess is largest where the fewest samples differ; 0 bounds that without a third share.
  return Math.max(0, 2 * share - 1) * differing;
}

function bootstrapBound(
  differences: Float64Array,
  { drop, alpha, seed }: { readonly drop: number; readonly alpha: number; readonly seed: number },
): number {
  if (!Number.isFinite(drop)) return Number.POSITIVE_INFINITY;
  const statistic = (rows: Int32Array): number => {
    let sum = 0;
    for (const row of rows) sum += differences[row] as number;
    return sum / rows.length;
  };
  const interval = bootstrapInterval(differences.length, statistic, {
    ...{ resamples: RESAMPLES, seed, level: 1 - 2 * alpha },
  });
  // No interval: all differences are alike, or there is one sample only.
  if (interval !== null) return interval[1];
  return differences.length > 1 ? drop : Number.POSITIVE_INFINITY;
}

const variance = (values: Float64Array, centre: number): number =>
  values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length;

/** n = (z_alpha + z_0.8)^2 variance / (margin - drop)^2, for a power of 80 %. */
function neededSamples(
  spread: number,
  of: { readonly drop: number; readonly margin: number; readonly alpha: number },
): number | null {
  const { margin, alpha } = of;
  const room = margin - Math.max(0, of.drop);
  if (!(room > 0) || !Number.isFinite(spread)) return null;
  // With no difference at all, the exact bound of none in n must come down to the margin.
  if (spread === 0) return Math.ceil(Math.log(alpha / 2) / Math.log1p(-Math.min(margin, 0.999)));
  const z = normalQuantile(1 - alpha) + normalQuantile(0.8);
  return Math.ceil((z ** 2 * spread) / room ** 2);
}
