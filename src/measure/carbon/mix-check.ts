// Whether a published series of carbon intensities follows from the generation published beside it.
// Two faults are told by name: a "direct" column that repeats the life-cycle one, and a column that
// was computed with another factor for one source (which is then solved for).

import { median } from "../../core/index.ts";
import { type FactorSet, type GenerationMix, mixIntensity } from "./mix.ts";

export interface PublishedHour {
  readonly mix: GenerationMix;
  /** What was published, gCO2e/kWh. */
  readonly lifeCycle: number;
  readonly direct: number;
}

export type MixFault =
  | { readonly kind: "repeats-life-cycle"; readonly column: "direct" }
  | {
      readonly kind: "other-factor";
      readonly column: "life-cycle" | "direct";
      readonly source: string;
      /** The factor that explains the column, and the one that it should have been. */
      readonly implied: number;
      readonly expected: number;
    }
  | {
      readonly kind: "does-not-follow";
      readonly column: "life-cycle" | "direct";
      /** Largest difference, gCO2e/kWh. */
      readonly worst: number;
    };

/** What is wrong with a published series; nothing when both columns follow to `tolerance`. */
export function checkPublished(
  hours: readonly PublishedHour[],
  sets: { readonly lifeCycle: FactorSet; readonly direct: FactorSet },
  tolerance = 0.005,
): readonly MixFault[] {
  const lifeCycle = checkColumn(hours, "life-cycle", sets.lifeCycle, tolerance);
  const isRepeated = hours.every((hour) => Math.abs(hour.direct - hour.lifeCycle) <= tolerance);
  if (isRepeated && checkColumn(hours, "direct", sets.direct, tolerance).length > 0) {
    return [...lifeCycle, { kind: "repeats-life-cycle", column: "direct" }];
  }
  return [...lifeCycle, ...checkColumn(hours, "direct", sets.direct, tolerance)];
}

function checkColumn(
  hours: readonly PublishedHour[],
  column: "life-cycle" | "direct",
  set: FactorSet,
  tolerance: number,
): readonly MixFault[] {
  const published = (hour: PublishedHour) => (column === "direct" ? hour.direct : hour.lifeCycle);
  const worst = Math.max(
    0,
    ...chunkMaxima(hours, (hour) => Math.abs(published(hour) - mixIntensity(hour.mix, set))),
  );
  // At three decimals: the generation is published in whole MWh, which moves the fourth.
  if (Number(worst.toFixed(3)) <= tolerance) return [];
  const sources = new Set(hours.flatMap((hour) => Object.keys(hour.mix)));
  const explained = [...sources].map((source) => impliedFactor(hours, published, set, source));
  const best = explained.sort((a, b) => a.residual - b.residual)[0];
  // One factor explains the column when it leaves under a hundredth of the difference.
  if (best !== undefined && best.residual < worst / 100) {
    const { source, implied, expected } = best;
    return [{ kind: "other-factor", column, source, implied, expected }];
  }
  return [{ kind: "does-not-follow", column, worst }];
}

/** The factor of one source that the series asks for, and the median difference that it leaves. */
function impliedFactor(
  hours: readonly PublishedHour[],
  published: (hour: PublishedHour) => number,
  set: FactorSet,
  source: string,
) {
  const expected = set.factors.get(source)?.value ?? Number.NaN;
  const used = hours.filter(({ mix }) => (mix[source] ?? 0) > 0);
  const share = ({ mix }: PublishedHour) =>
    (mix[source] ?? 0) / Object.values(mix).reduce((sum, one) => sum + one, 0);
  const missing = (hour: PublishedHour) => published(hour) - mixIntensity(hour.mix, set);
  const implied =
    used.length === 0
      ? expected
      : expected + median(used.map((hour) => missing(hour) / share(hour)));
  const residual = median(
    hours.map((hour) => Math.abs(missing(hour) - (implied - expected) * share(hour))),
  );
  return { source, implied, expected, residual };
}

/** Maxima of pieces, so that a year of hours is no list of arguments. */
function chunkMaxima<T>(items: readonly T[], of: (item: T) => number): number[] {
  const maxima: number[] = [];
  for (let at = 0; at < items.length; at += 1000) {
    maxima.push(Math.max(...items.slice(at, at + 1000).map(of)));
  }
  return maxima;
}
