// Wall power of one machine by the load of its processors: P(u) = idle + rise u^shape, fitted on the
// steps of a calibration. For runs in which no sensor of the processor answers.
//
// Load alone does not tell power: other instructions draw other watts at the same load. That is no
// part of the fit, which has seen one kind of work, and is added where the curve is used.

import { type Figure, figure, type Origin, Z90 } from "../../core/index.ts";
import {
  type FitModel,
  halfWidth,
  type Matrix,
  robustFit,
  weightedSolution,
} from "./least-squares.ts";
import type { CalibrationStep } from "./step.ts";
import { implausible, type Residual, residualOf, type TruthError, withGain } from "./supply.ts";

export interface LoadCurve {
  /** Wall watts at no load. */
  readonly idle: Figure<"W">;
  /** Wall watts with all processors busy. */
  readonly full: Figure<"W">;
  /** Exponent: 1 is a straight line, below it power rises fastest at low load. */
  readonly shape: Figure<"1">;
  /** Of idle, rise (full less idle) and shape, and its degrees of freedom. */
  readonly covariance: Matrix;
  readonly freedom: number;
  /** Relative standard deviation of the truth source. */
  readonly error: number;
  readonly residual: Residual;
}

/** Shapes that are searched; measured curves lie well inside (docs/methods/power-model.md). */
const SHAPES = { least: 0.1, most: 3 } as const;

/**
 * Relative standard deviation of the power above idle between kinds of work of one load. A judgement,
 * not measured by us: docs/methods/calibration.md.
 */
const WORK_ERROR = 0.1;

/** The fit to `watts`, which are the wall's less what other components take. Throws UserError. */
export function fitCurve(
  steps: readonly CalibrationStep[],
  watts: readonly number[],
  { truth, origin }: { readonly truth: TruthError; readonly origin: Origin },
): LoadCurve {
  const loads = steps.map(({ utilisation }) => Math.min(utilisation, 1));
  const fit = robustFit(powerLaw(loads, watts), watts, truth.resolution);
  const [idle = Number.NaN, rise = Number.NaN, shape = Number.NaN] = fit.parameters;
  if (!(rise > 0)) throw implausible("power does not rise with the load");
  if (idle <= 0) throw implausible(`the idle machine would draw ${idle.toFixed(1)} W`);
  if (shape < SHAPES.least * 1.01 || shape > SHAPES.most * 0.99) {
    throw implausible("power does not follow the load");
  }
  const half = (by: readonly number[]): number => halfWidth(fit, by);
  const low = Math.max(shape - half([0, 0, 1]), 0);
  return {
    idle: withGain("W", idle, half([1, 0, 0]), truth, origin),
    full: withGain("W", idle + rise, half([1, 1, 0]), truth, origin),
    shape: figure("1", shape, { low, high: shape + half([0, 0, 1]) }, origin),
    covariance: fit.covariance,
    freedom: fit.freedom,
    error: truth.error,
    residual: residualOf(
      fit.residuals,
      steps.map(({ wall }) => wall),
    ),
  };
}

/** Wall power at a load in 0..1, for work of any kind. */
export function curvePower(curve: LoadCurve, load: number, source: string): Figure<"W"> {
  const { idle, full, shape } = curve;
  const clamped = Math.min(Math.max(load, 0), 1);
  const way = clamped ** shape.value;
  const rise = full.value - idle.value;
  const value = idle.value + rise * way;
  const reach = Math.hypot(
    halfWidth(curve, gradientAt(clamped, rise, shape.value)),
    Z90 * curve.error * value,
    Z90 * WORK_ERROR * rise * way,
  );
  const interval = { low: Math.max(value - reach, 0), high: value + reach };
  return figure("W", value, interval, { method: "estimated", source });
}

/** Linear but for the shape, which is searched: variable projection (Golub & Pereyra 1973). */
function powerLaw(loads: readonly number[], watts: readonly number[]): FitModel {
  const rowsAt = (shape: number): Matrix => loads.map((load) => [1, load ** shape]);
  return {
    solve(weights) {
      const squares = (shape: number): number => {
        const rows = rowsAt(shape);
        const [idle = 0, rise = 0] = weightedSolution(rows, watts, weights);
        return rows.reduce((sum, [, way = 0], i) => {
          return sum + (weights[i] ?? 0) * ((watts[i] ?? 0) - idle - rise * way) ** 2;
        }, 0);
      };
      const shape = lowest(squares, SHAPES.least, SHAPES.most);
      return [...weightedSolution(rowsAt(shape), watts, weights), shape];
    },
    predict: ([idle = 0, rise = 0, shape = 1]) => loads.map((load) => idle + rise * load ** shape),
    gradient: ([, rise = 0, shape = 1]) => loads.map((load) => gradientAt(load, rise, shape)),
  };
}

/** Derivatives by idle, rise and shape. */
function gradientAt(load: number, rise: number, shape: number): readonly number[] {
  const way = load ** shape;
  // The limit of x^c ln x at 0 is 0.
  return [1, way, load === 0 ? 0 : rise * way * Math.log(load)];
}

const COARSE_STEPS = 40;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where a function is lowest: the best of a geometric grid, refined by the golden section. */
function lowest(of: (x: number) => number, least: number, most: number): number {
  const ratio = (most / least) ** (1 / COARSE_STEPS);
  const grid = Array.from({ length: COARSE_STEPS + 1 }, (_, i) => least * ratio ** i);
  const best = grid.reduce((a, b) => (of(b) < of(a) ? b : a));
  let [from, to] = [Math.max(best / ratio, least), Math.min(best * ratio, most)];
  for (let round = 0; round < 40; round++) {
    const [left, right] = [to - GOLDEN * (to - from), from + GOLDEN * (to - from)];
    if (of(left) < of(right)) to = right;
    else from = left;
  }
  return (from + to) / 2;
}
