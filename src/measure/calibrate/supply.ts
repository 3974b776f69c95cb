// What lies between the components and the plug of one machine: wall = components / efficiency + base,
// fitted on the steps of a calibration.

import { type Figure, figure, type Origin, UserError, Z90 } from "../../core/index.ts";
import { halfWidth, linearModel, robustFit } from "./least-squares.ts";
import type { CalibrationStep } from "./step.ts";

/** What is known of the truth source. */
export interface TruthError {
  /** Relative standard deviation of its gain, the same at every load. */
  readonly error: number;
  /** Watts between neighbouring readings that it can show; 0 when that is fine. */
  readonly resolution: number;
}

/** How far the fit is from what was read. */
export interface Residual {
  /** Mean absolute error, as a share of what was read. */
  readonly mean: number;
  /** Largest. */
  readonly max: number;
  /** Observed less fitted, watts, by step. */
  readonly watts: readonly number[];
}

/** As `WallModel`, with the sensors that it holds for. */
export interface Supply {
  /** Wall watts per watt of the components: one over the efficiency. */
  readonly factor: Figure<"1">;
  /** Wall watts that no component sensor has in it. */
  readonly base: Figure<"W">;
  readonly residual: Residual;
}

/**
 * Efficiencies that a supply can have: 80 PLUS Titanium is 0.96 at best, and regulators and fans that
 * follow the load take their part of what the sensors do not see.
 */
const EFFICIENCY = { least: 0.6, most: 1 } as const;

/** Part of the lowest power that component counters may have too much of, whatever the load. */
const MOST_OFFSET = 0.02;

/** The fit. Throws UserError when it is not that of a supply. */
export function fitSupply(
  steps: readonly CalibrationStep[],
  truth: TruthError,
  origin: Origin,
): Supply {
  const wall = steps.map((step) => step.wall);
  const components = steps.map((step) => step.components ?? Number.NaN);
  const rows = components.map((watts) => [watts, 1]);
  const free = robustFit(linearModel(rows, wall), wall, truth.resolution);
  const [, offset = Number.NaN] = free.parameters;
  const above = offset + halfWidth(free, [0, 1]);
  if (above < -MOST_OFFSET * Math.min(...wall)) {
    throw implausible(`the base would be ${offset.toFixed(1)} W, which is below 0`);
  }
  // A base within its error of none is none; the factor is then fitted without it.
  const bare =
    offset >= 0
      ? null
      : robustFit(
          linearModel(
            components.map((watts) => [watts]),
            wall,
          ),
          wall,
          truth.resolution,
        );
  const fit = bare ?? free;
  const [slope = Number.NaN] = fit.parameters;
  const factor = withGain("1", slope, halfWidth(fit, [1, 0]), truth, origin);
  if (factor.low > 1 / EFFICIENCY.least || factor.high < 1 / EFFICIENCY.most || factor.value <= 0) {
    const efficiency = (1 / factor.value).toFixed(2);
    throw implausible(`the supply would be ${efficiency} efficient, outside 0.6 to 1`);
  }
  const base =
    bare === null
      ? withGain("W", offset, halfWidth(free, [0, 1]), truth, origin)
      : figure("W", 0, { low: 0, high: Math.max(above, 0) }, origin);
  return { factor, base, residual: residualOf(fit.residuals, wall) };
}

/** A parameter with the error of the fit and that of the truth source's gain, in quadrature. */
export function withGain<U extends "1" | "W">(
  unit: U,
  value: number,
  half: number,
  { error }: TruthError,
  origin: Origin,
): Figure<U> {
  const reach = Math.hypot(half, Z90 * error * value);
  return figure(
    unit,
    value,
    { low: Math.max(value - reach, Math.min(value, 0)), high: value + reach },
    origin,
  );
}

/** The residual of a fit to what was read. */
export function residualOf(watts: readonly number[], wall: readonly number[]): Residual {
  const shares = watts.map((residual, i) => Math.abs(residual) / (wall[i] ?? Number.NaN));
  return {
    mean: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    max: Math.max(...shares),
    watts,
  };
}

/** The refusal of a result that no machine gives. */
export const implausible = (what: string): UserError =>
  new UserError("unsupported", `this calibration is not believable: ${what}`, {
    hint: "Check that the meter feeds this machine alone, and all of it; then calibrate again.",
  });
