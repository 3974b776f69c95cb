// Power of a CPU package alone, from its TDP and load: for desktops and laptops without a sensor,
// where the fitted model of whole servers does not apply.
//
// P(u) = TDP (0.14 + 0.55 u^0.7), drawn through the 86 points of CodeCarbon's published RAPL sweep of
// four CPUs: mean absolute error 33 % on these very points. Concave as measured curves are; a cubic
// with the same ends as the TDP misses the same points by 51 %. Four CPUs prove little, and turbo
// exceeds the TDP: hence the wide interval, which holds 94 % of them. docs/methods/power-model.md.

import { type Figure, figure } from "../../core/index.ts";

const IDLE_SHARE = 0.14;
const ACTIVE_SHARE = 0.55;
const EXPONENT = 0.7;

/** 90 % interval around the formula for a CPU of known TDP. */
const FORMULA_FACTORS = { low: 0.5, high: 2.2 } as const;

/**
 * Watts per physical core of a CPU of unknown TDP, within a factor of 2: between the 4 W a thread
 * that CodeCarbon and the 12 W a core that Green Algorithms assume.
 */
const UNKNOWN_CORE = { watts: 8, factor: 2 } as const;

/** What is known of the packages of a machine. */
export interface Packages {
  /** Sum over sockets, watts; null when unknown. */
  readonly tdp: number | null;
  /** Physical cores of all sockets. */
  readonly cores: number;
}

export interface PackagePower {
  readonly tdp: number;
  /** Factors of the 90 % interval, the same at every load. */
  readonly factors: { readonly low: number; readonly high: number };
  readonly formula: string;
}

/** Watts at a load in 0..1 by the formula alone. */
export const packageWatts = (tdp: number, load: number): number =>
  tdp * (IDLE_SHARE + ACTIVE_SHARE * load ** EXPONENT);

/** The TDP to reckon with, said to be assumed where it is, and the interval that follows. */
export function packagePower({ tdp, cores }: Packages): PackagePower {
  const shape = `(${IDLE_SHARE} + ${ACTIVE_SHARE} u^${EXPONENT})`;
  if (tdp !== null) {
    return { tdp, factors: FORMULA_FACTORS, formula: `TDP ${tdp} W x ${shape}` };
  }
  const assumed = UNKNOWN_CORE.watts * cores;
  const spread = Math.log(UNKNOWN_CORE.factor);
  return {
    tdp: assumed,
    // Independent errors of the TDP and of the formula, in quadrature on the logarithmic scale.
    factors: {
      low: Math.exp(-Math.hypot(spread, Math.log(FORMULA_FACTORS.low))),
      high: Math.exp(Math.hypot(spread, Math.log(FORMULA_FACTORS.high))),
    },
    formula: `TDP unknown, ${UNKNOWN_CORE.watts} W for each of ${cores} cores assumed: ${assumed} W x ${shape}`,
  };
}

/** Package power at a load in 0..1. */
export function packageFigure(packages: Packages, load: number): Figure<"W"> {
  const { tdp, factors, formula } = packagePower(packages);
  const value = packageWatts(tdp, load);
  const interval = { low: value * factors.low, high: value * factors.high };
  return figure("W", value, interval, { method: "estimated", source: formula });
}
