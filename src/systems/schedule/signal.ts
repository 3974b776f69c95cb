// A carbon intensity through time: what it means (zone, kind, basis), when it became known, and its
// values. Average and marginal intensity answer different questions and can point in opposite
// directions (Sukprasert et al., arXiv 2411.06560), so two kinds never meet in one computation: the
// compiler refuses what it can see, `requireLike` the rest.

import { UserError } from "../../core/index.ts";

/** Mean of all that generates, or the response to one more kilowatt-hour. */
export type SignalKind = "average" | "marginal";

/** What the local grid generates, or what contracts and certificates say was bought. */
export type SignalBasis = "location" | "market";

/** Values of one quantile of a forecast, one for each step. */
export interface SignalQuantile {
  /** Probability, in (0, 1). */
  readonly p: number;
  readonly values: Float64Array;
}

/** A step-wise constant carbon intensity. All times are Unix seconds. */
export interface Signal<K extends SignalKind = SignalKind, B extends SignalBasis = SignalBasis> {
  /** Zone as its source names it, such as DE or US-CAL-CISO. */
  readonly zone: string;
  readonly kind: K;
  readonly basis: B;
  /** When the last of these values became known: the issue time of a forecast, the end of a record. */
  readonly issuedAt: number;
  /** When the first value begins to hold. */
  readonly start: number;
  /** How long each value holds, seconds. */
  readonly step: number;
  /** gCO2e/kWh, one for each step. */
  readonly values: Float64Array;
  readonly quantiles?: readonly SignalQuantile[];
  /** Provider, file or forecaster, with its year or version. */
  readonly source: string;
}

/** What a signal is made of; values may be any list of numbers. */
export type SignalParts<K extends SignalKind, B extends SignalBasis> = Omit<
  Signal<K, B>,
  "values"
> & { readonly values: ArrayLike<number> };

/** A checked signal. Throws UserError naming the first thing that is wrong. */
export function signal<K extends SignalKind, B extends SignalBasis>(
  parts: SignalParts<K, B>,
): Signal<K, B> {
  const values = Float64Array.from(parts.values);
  if (values.length === 0) throw invalid(parts.zone, "has no values");
  if (!(parts.step > 0) || !Number.isFinite(parts.step))
    throw invalid(parts.zone, `has a step of ${parts.step} s`);
  if (!Number.isFinite(parts.start) || !Number.isFinite(parts.issuedAt))
    throw invalid(parts.zone, "has no start or no issue time");
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw invalid(parts.zone, `has no number at step ${bad}`);
  for (const { p, values: of } of parts.quantiles ?? []) {
    if (!(p > 0 && p < 1)) throw invalid(parts.zone, `has a quantile at ${p}`);
    if (of.length !== values.length) throw invalid(parts.zone, `lacks values of quantile ${p}`);
  }
  return Object.freeze({ ...parts, values });
}

function invalid(zone: string, fault: string): UserError {
  return new UserError("invalid-input", `the signal of ${zone || "an unnamed zone"} ${fault}`, {
    hint: "A signal needs a zone, a step in seconds and one finite gCO2e/kWh for each step.",
  });
}

/** When the last value ceases to hold, Unix seconds. */
export const endOf = (of: Signal): number => of.start + of.values.length * of.step;

/** Intensity that holds at a moment, gCO2e/kWh. Throws RangeError outside the signal. */
export function valueAt(of: Signal, at: number): number {
  const value = of.values[Math.floor((at - of.start) / of.step)];
  if (value === undefined) throw new RangeError(`${of.zone} has no intensity at ${at}`);
  return value;
}

/** The whole steps of a signal within [from, to); quantiles are cut alike. */
export function slice<K extends SignalKind, B extends SignalBasis>(
  of: Signal<K, B>,
  from: number,
  to: number,
): Signal<K, B> {
  const first = Math.max(0, Math.ceil((from - of.start) / of.step));
  const last = Math.min(of.values.length, Math.floor((to - of.start) / of.step));
  if (last <= first) throw new RangeError(`${of.zone} has no whole step in ${from} to ${to}`);
  return signal({
    ...of,
    start: of.start + first * of.step,
    values: of.values.subarray(first, last),
    ...(of.quantiles === undefined
      ? {}
      : {
          quantiles: of.quantiles.map(({ p, values }) => ({
            p,
            values: values.slice(first, last),
          })),
        }),
  });
}

/**
 * Refuses signals of unlike kind or basis. Where the compiler knows the kinds, mixing does not
 * compile; signals read from files are checked here.
 */
export function requireLike<K extends SignalKind, B extends SignalBasis>(
  first: Signal<K, B>,
  ...others: readonly Signal<NoInfer<K>, NoInfer<B>>[]
): void {
  for (const other of others) {
    if (other.kind === first.kind && other.basis === first.basis) continue;
    const [a, b] = [first, other].map(({ zone, kind, basis }) => `${zone} (${kind}, ${basis})`);
    throw new UserError("invalid-input", `signals of unlike kind cannot be mixed: ${a} and ${b}`, {
      hint: "Plan with one kind and basis. A second kind can be given to be shown beside it.",
    });
  }
}
