// Least squares with few points of which some may be wrong: Huber's M-estimator by iteratively
// reweighted least squares, and its covariance (Huber 1981, "Robust Statistics", sections 7.3 to 7.8).
// Without outliers it is ordinary least squares. Models have up to three parameters.

import { median } from "../../core/statistics.ts";
import { studentQuantile } from "../compare/student.ts";

/** A model of some points, as the fit needs it. */
export interface FitModel {
  /** Parameters that minimise the weighted sum of squares. */
  solve(weights: readonly number[]): readonly number[];
  /** What the model says of each point. */
  predict(parameters: readonly number[]): readonly number[];
  /** Derivatives of each prediction by the parameters. */
  gradient(parameters: readonly number[]): Matrix;
}

export type Matrix = readonly (readonly number[])[];

export interface Fit {
  readonly parameters: readonly number[];
  readonly covariance: Matrix;
  /** Degrees of freedom of the covariance: points less parameters. */
  readonly freedom: number;
  /** Observed less predicted, in the order of the points. */
  readonly residuals: readonly number[];
}

/** Residuals up to this many standard deviations count in full. */
const HUBER = 2;
/** Standard deviations in one median absolute deviation of normal errors. Rounded. */
const MAD_SCALE = 1.4826;
/** Fewer degrees of freedom than this cannot tell an outlier from a parameter. */
const LEAST_FREEDOM = 4;
const ITERATIONS = 50;

/**
 * Fits a model to observations. `resolution` is the step of the readings: errors are taken to be no
 * smaller than rounding makes them. Throws RangeError when there are no more points than parameters.
 */
export function robustFit(model: FitModel, observed: readonly number[], resolution = 0): Fit {
  let weights: readonly number[] = observed.map(() => 1);
  let parameters = model.solve(weights);
  const count = observed.length;
  const freedom = count - parameters.length;
  if (freedom < 1) throw new RangeError(`${count} points for ${parameters.length} parameters`);
  let residuals = residualsOf(model, parameters, observed);
  for (let round = 0; freedom >= LEAST_FREEDOM && round < ITERATIONS; round++) {
    const limit = HUBER * scaleOf(residuals, freedom);
    weights = residuals.map((residual) => Math.min(1, limit / Math.max(Math.abs(residual), 1e-12)));
    parameters = model.solve(weights);
    residuals = residualsOf(model, parameters, observed);
  }
  const variance = Math.max(varianceOf(residuals, weights, freedom), resolution ** 2 / 12);
  const covariance = inverse(normalMatrix(model.gradient(parameters))).map((row) =>
    row.map((value) => value * variance),
  );
  return { parameters, covariance, freedom, residuals };
}

/** Half of the 90 % interval of a linear combination of the parameters. */
export function halfWidth(
  { covariance, freedom }: Omit<Fit, "parameters" | "residuals">,
  by: readonly number[],
): number {
  let variance = 0;
  for (const [i, row] of covariance.entries()) {
    for (const [j, value] of row.entries()) variance += (by[i] ?? 0) * value * (by[j] ?? 0);
  }
  return studentQuantile(0.1, freedom) * Math.sqrt(Math.max(variance, 0));
}

/** A model that is linear in its parameters: one row of known numbers for each point. */
export function linearModel(rows: Matrix, observed: readonly number[]): FitModel {
  return {
    solve: (weights) => weightedSolution(rows, observed, weights),
    predict: (parameters) => rows.map((row) => dot(row, parameters)),
    gradient: () => rows,
  };
}

/** Parameters of least weighted squares. Throws RangeError when the points do not tell them apart. */
export function weightedSolution(
  rows: Matrix,
  observed: readonly number[],
  weights: readonly number[],
): readonly number[] {
  const scaled = rows.map((row, i) => row.map((value) => value * Math.sqrt(weights[i] ?? 0)));
  const target = observed.map((value, i) => value * Math.sqrt(weights[i] ?? 0));
  const size = rows[0]?.length ?? 0;
  const right = Array.from({ length: size }, (_, column) =>
    scaled.reduce((sum, row, i) => sum + (row[column] ?? 0) * (target[i] ?? 0), 0),
  );
  return inverse(normalMatrix(scaled)).map((row) => dot(row, right));
}

function residualsOf(
  model: FitModel,
  parameters: readonly number[],
  observed: readonly number[],
): readonly number[] {
  const predicted = model.predict(parameters);
  return observed.map((value, i) => value - (predicted[i] ?? Number.NaN));
}

function scaleOf(residuals: readonly number[], freedom: number): number {
  const correction = Math.sqrt(residuals.length / freedom);
  return MAD_SCALE * correction * median(residuals.map(Math.abs));
}

/** Variance of the errors from clipped residuals: Huber 1981, equation 7.6.6, with its correction. */
function varianceOf(
  residuals: readonly number[],
  weights: readonly number[],
  freedom: number,
): number {
  const count = residuals.length;
  const full = weights.filter((weight) => weight === 1).length / count;
  if (full === 0) return 0;
  const correction = 1 + ((count - freedom) / count) * ((1 - full) / full);
  const squares = residuals.reduce((sum, value, i) => sum + (value * (weights[i] ?? 0)) ** 2, 0);
  return (correction ** 2 * squares) / freedom / full ** 2;
}

function normalMatrix(rows: Matrix): Matrix {
  const size = rows[0]?.length ?? 0;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) =>
      rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0),
    ),
  );
}

/** Gauss-Jordan elimination with row pivoting. Throws RangeError for a singular matrix. */
function inverse(matrix: Matrix): Matrix {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  const largest = Math.max(...matrix.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    const below = work.slice(column).map((row) => Math.abs(row[column] ?? 0));
    const pivotAt = column + below.indexOf(Math.max(...below));
    const pivotRow = work[pivotAt] ?? [];
    const pivot = pivotRow[column] ?? 0;
    if (!(Math.abs(pivot) > largest * 1e-13)) throw new RangeError("the points do not tell apart");
    work[pivotAt] = work[column] ?? [];
    const own = pivotRow.map((value) => value / pivot);
    work[column] = own;
    for (const [i, row] of work.entries()) {
      if (i === column) continue;
      const factor = row[column] ?? 0;
      work[i] = row.map((value, j) => value - factor * (own[j] ?? 0));
    }
  }
  return work.map((row) => row.slice(size));
}

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
