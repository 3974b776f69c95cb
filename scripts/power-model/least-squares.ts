// Weighted linear least squares, with a ridge or with non-negative coefficients. Problems here have
// at most some twenty columns, so the normal equations in double precision are good enough.

/** Rows of equal length, one target and one weight a row. */
export interface Problem {
  readonly rows: readonly (readonly number[])[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
}

interface NormalEquations {
  readonly matrix: number[][];
  readonly right: number[];
}

function normalEquations({ rows, targets, weights }: Problem): NormalEquations {
  const width = rows[0]?.length ?? 0;
  const matrix = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  const right = new Array<number>(width).fill(0);
  for (const [index, row] of rows.entries()) {
    const weight = weights[index] ?? 0;
    for (const [i, a] of row.entries()) {
      if (a === 0) continue;
      right[i] = (right[i] ?? 0) + weight * a * (targets[index] ?? 0);
      const line = matrix[i] ?? [];
      for (const [j, b] of row.entries()) line[j] = (line[j] ?? 0) + weight * a * b;
    }
  }
  return { matrix, right };
}

/** Solves a square system by Gaussian elimination with partial pivoting. Throws when singular. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const lines = matrix.map((line, i) => [...line, right[i] ?? 0]);
  const size = lines.length;
  const at = (i: number, j: number): number => lines[i]?.[j] ?? 0;
  for (let pivot = 0; pivot < size; pivot++) {
    let best = pivot;
    for (let i = pivot + 1; i < size; i++) {
      if (Math.abs(at(i, pivot)) > Math.abs(at(best, pivot))) best = i;
    }
    const chosen = lines[best];
    const replaced = lines[pivot];
    if (chosen === undefined || replaced === undefined || Math.abs(at(best, pivot)) < 1e-12) {
      throw new RangeError("the equations do not determine the coefficients");
    }
    lines[best] = replaced;
    lines[pivot] = chosen;
    for (const line of lines.slice(pivot + 1)) {
      const factor = (line[pivot] ?? 0) / (chosen[pivot] ?? 1);
      for (let j = pivot; j <= size; j++) line[j] = (line[j] ?? 0) - factor * (chosen[j] ?? 0);
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let rest = at(i, size);
    for (let j = i + 1; j < size; j++) rest -= at(i, j) * (solution[j] ?? 0);
    solution[i] = rest / at(i, i);
  }
  return solution;
}

/** Least squares with a penalty for each squared coefficient; a zero penalty leaves it free. */
export function ridge(problem: Problem, penalties: readonly number[]): number[] {
  const { matrix, right } = normalEquations(problem);
  const penalised = matrix.map((line, i) =>
    line.map((value, j) => (i === j ? value + (penalties[i] ?? 0) : value)),
  );
  return solve(penalised, right);
}

/** Non-negative least squares: the active set method of Lawson & Hanson (1974), chapter 23. */
export function nonNegative(problem: Problem): number[] {
  const { matrix, right } = normalEquations(problem);
  const tolerance = 1e-10 * Math.max(...right.map(Math.abs), 1e-300);
  const free = new Set<number>();
  let solution = new Array<number>(right.length).fill(0);
  for (let round = 0; round < 3 * right.length; round++) {
    const gradient = right.map((value, i) => value - dot(matrix[i] ?? [], solution));
    const candidates = gradient.map((value, i) => (free.has(i) ? -Infinity : value));
    const steepest = candidates.indexOf(Math.max(...candidates));
    if ((candidates[steepest] ?? -Infinity) <= tolerance) return solution;
    free.add(steepest);
    solution = settle({ matrix, right }, free, solution);
  }
  return solution;
}

/** Solves for the free coefficients, dropping those that would turn negative on the way there. */
function settle(equations: NormalEquations, free: Set<number>, from: readonly number[]): number[] {
  let current = [...from];
  while (free.size > 0) {
    const columns = [...free];
    const target = solve(
      columns.map((i) => columns.map((j) => equations.matrix[i]?.[j] ?? 0)),
      columns.map((i) => equations.right[i] ?? 0),
    );
    const next = new Array<number>(current.length).fill(0);
    for (const [k, column] of columns.entries()) next[column] = target[k] ?? 0;
    if (target.every((value) => value > 0)) return next;
    const steps = columns
      .filter((column) => (next[column] ?? 0) <= 0)
      .map((column) => (current[column] ?? 0) / ((current[column] ?? 0) - (next[column] ?? 0)));
    const step = Math.min(...steps.filter(Number.isFinite), 1);
    current = current.map((value, i) => value + step * ((next[i] ?? 0) - value));
    for (const column of columns) {
      if ((current[column] ?? 0) > 1e-12) continue;
      current[column] = 0;
      free.delete(column);
    }
  }
  return current;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
