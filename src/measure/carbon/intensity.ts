// Carbon intensity whose accounting is part of its type: average or marginal, location- or
// market-based, life-cycle or direct. Sums and comparisons take one accounting only (GHG Protocol
// Scope 2 Guidance, chapter 6: location- and market-based totals are reported side by side, never added).

import type { Signal } from "../../core/card.ts";
import {
  combinedMethod,
  type Figure,
  figure,
  type Joules,
  product,
  sum,
  toKilowattHours,
  UserError,
} from "../../core/index.ts";

/** The mean of all generation, or the plants that answer a change of demand. */
export type Kind = "average" | "marginal";
/** The grid's physical mix, or what contracts and certificates claim. */
export type Basis = "location" | "market";
/** With fuel supply and construction, or what leaves the stack; unknown when nobody said. */
export type Scope = "life-cycle" | "direct" | "unknown";

/** How a carbon intensity was accounted for. */
export interface Accounting<
  K extends Kind = Kind,
  B extends Basis = Basis,
  S extends Scope = Scope,
> {
  readonly kind: K;
  readonly basis: B;
  readonly scope: S;
}

declare const accounting: unique symbol;

/** A figure of one accounting. The tag is invariant, so that unlike ones have no common type. */
type Accounted<
  U extends "gCO2e/kWh" | "gCO2e",
  K extends Kind,
  B extends Basis,
  S extends Scope,
> = Accounting<K, B, S> & {
  readonly figure: Figure<U>;
  readonly [accounting]?: (of: [K, B, S]) => [K, B, S];
};

/** Grams of CO2e per kWh, with its accounting. */
export type Intensity<
  K extends Kind = Kind,
  B extends Basis = Basis,
  S extends Scope = Scope,
> = Accounted<"gCO2e/kWh", K, B, S>;

/** Grams of CO2e that were computed with one accounting. */
export type Emissions<
  K extends Kind = Kind,
  B extends Basis = Basis,
  S extends Scope = Scope,
> = Accounted<"gCO2e", K, B, S>;

/** An intensity of a stated accounting. */
export const intensity = <const K extends Kind, const B extends Basis, const S extends Scope>(
  of: Figure<"gCO2e/kWh">,
  { kind, basis, scope }: Accounting<K, B, S>,
): Intensity<K, B, S> => Object.freeze({ figure: of, kind, basis, scope });

/** The intensity of a card's signal; its accounting is known at run time only. */
export const intensityOf = (signal: Signal): Intensity =>
  intensity(signal.intensity, { kind: signal.kind, basis: signal.basis, scope: signal.scope });

/** Emissions of an amount of electricity, of the intensity's accounting. */
export function emissionsAt<K extends Kind, B extends Basis, S extends Scope>(
  energy: Figure<"J">,
  at: Intensity<K, B, S>,
): Emissions<K, B, S> {
  const grams = product("gCO2e", [energy, at.figure], {
    source: `energy x ${describe(at)} carbon intensity (${at.figure.source})`,
    scale: 1 / 3.6e6,
  });
  return Object.freeze({ kind: at.kind, basis: at.basis, scope: at.scope, figure: grams });
}

/** Sum of emissions of one accounting. Throws UserError when their accountings differ. */
export function sumEmissions<K extends Kind, B extends Basis, S extends Scope>(
  first: Emissions<K, B, S>,
  ...rest: readonly Emissions<NoInfer<K>, NoInfer<B>, NoInfer<S>>[]
): Emissions<K, B, S> {
  for (const one of rest) requireLike(first, one, "add");
  const figures = [first, ...rest].map((one) => one.figure);
  const source = `sum of ${figures.length} ${describe(first)} emissions`;
  return Object.freeze({ ...first, figure: sum("gCO2e", figures, { source }) });
}

/**
 * How many times the first is the second. Throws UserError when their accountings differ, or when
 * the second is zero.
 */
export function ratioOf<K extends Kind, B extends Basis, S extends Scope>(
  of: Intensity<K, B, S>,
  to: Intensity<NoInfer<K>, NoInfer<B>, NoInfer<S>>,
): number {
  requireLike(of, to, "compare");
  if (to.figure.value === 0) {
    throw new UserError(
      "invalid-input",
      "nothing can be compared with a carbon intensity of zero",
      {
        hint: "Compare the grams of CO2e instead.",
      },
    );
  }
  return of.figure.value / to.figure.value;
}

/** An intensity and the electricity that was used at it. */
export interface Weighted<K extends Kind, B extends Basis, S extends Scope> {
  readonly energy: Joules;
  readonly intensity: Intensity<K, B, S>;
}

/** Mean by energy. Throws UserError when accountings differ, RangeError when there is no energy. */
export function meanIntensity<K extends Kind, B extends Basis, S extends Scope>(
  first: Weighted<K, B, S>,
  ...rest: readonly Weighted<NoInfer<K>, NoInfer<B>, NoInfer<S>>[]
): Intensity<K, B, S> {
  for (const one of rest) requireLike(first.intensity, one.intensity, "average");
  const all = [first, ...rest];
  const energy = all.reduce((total, one) => total + toKilowattHours(one.energy), 0);
  if (!(energy > 0)) throw new RangeError("mean intensity of no energy");
  const mean = (pick: (of: Figure<"gCO2e/kWh">) => number): number =>
    all.reduce((total, one) => {
      return total + pick(one.intensity.figure) * toKilowattHours(one.energy);
    }, 0) / energy;
  // The bounds are averaged as the values are: the errors of one grid's hours are not independent.
  const of = figure(
    "gCO2e/kWh",
    mean(({ value }) => value),
    { low: mean(({ low }) => low), high: mean(({ high }) => high) },
    {
      method: combinedMethod(all.map((one) => one.intensity.figure.method)),
      source: `mean of ${all.length} carbon intensities, by energy`,
      fallbacks: [...new Set(all.flatMap((one) => one.intensity.figure.fallbacks))],
    },
  );
  return intensity(of, first.intensity);
}

/** `average, location-based, life-cycle`. */
export const describe = ({ kind, basis, scope }: Accounting): string =>
  `${kind}, ${basis}-based, ${scope === "unknown" ? "of unknown scope" : scope}`;

function requireLike(a: Accounting, b: Accounting, verb: string): void {
  if (a.kind === b.kind && a.basis === b.basis && a.scope === b.scope) return;
  throw new UserError("invalid-input", `cannot ${verb} ${describe(a)} and ${describe(b)} figures`, {
    hint: "Take both from one source, or report them side by side.",
  });
}
