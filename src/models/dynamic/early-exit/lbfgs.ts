// Minimising a smooth function: limited-memory BFGS with a backtracking line search that also asks for
// enough curvature (Nocedal & Wright, Numerical Optimization, 2nd ed., 2006, algorithms 7.4 and 7.5).

/** The value and the gradient at a point; the gradient is the caller's to keep. */
export type Objective = (x: Float64Array) => {
  readonly value: number;
  readonly gradient: Float64Array;
};

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  /** Largest element of the gradient. */
  readonly slope: number;
  readonly iterations: number;
}

export interface LbfgsOptions {
  /** Ends when no element of the gradient is larger. Default: 1e-6. */
  readonly tolerance?: number;
  /** Default: 500. */
  readonly maxIterations?: number;
}

/** Pairs of steps that are remembered. */
const MEMORY = 10;

export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-6, maxIterations = 500 }: LbfgsOptions = {},
): Minimum {
  let x = start;
  let { value, gradient } = objective(x);
  const steps: { readonly s: Float64Array; readonly y: Float64Array; readonly rho: number }[] = [];
  let iterations = 0;
  for (; iterations < maxIterations && largest(gradient) > tolerance; iterations++) {
    const direction = descent(gradient, steps);
    const found = search(objective, { x, value, gradient, direction, first: steps.length === 0 });
    if (found === null) break;
    const s = found.x.map((next, i) => next - (x[i] ?? 0));
    const y = found.gradient.map((next, i) => next - (gradient[i] ?? 0));
    const curvature = dot(s, y);
    if (curvature > 0) {
      steps.push({ s, y, rho: 1 / curvature });
      if (steps.length > MEMORY) steps.shift();
    }
    ({ x, value, gradient } = found);
  }
  return { x, value, slope: largest(gradient), iterations };
}

/** Minus the inverse Hessian, as the remembered steps show it, times the gradient. */
function descent(
  gradient: Float64Array,
  steps: readonly { readonly s: Float64Array; readonly y: Float64Array; readonly rho: number }[],
): Float64Array {
  const q = gradient.slice();
  const factors: number[] = [];
  for (const { s, y, rho } of steps.toReversed()) {
    const factor = rho * dot(s, q);
    factors.push(factor);
    addScaled(q, y, -factor);
  }
  const last = steps.at(-1);
  if (last !== undefined) scale(q, 1 / (last.rho * dot(last.y, last.y)));
  for (const { s, y, rho } of steps) {
    const factor = factors.pop() ?? 0;
    addScaled(q, s, factor - rho * dot(y, q));
  }
  scale(q, -1);
  return q;
}

interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Armijo's and Wolfe's constants as usual for quasi-Newton steps. */
const [DECREASE, CURVATURE] = [1e-4, 0.9];

/** A step along the direction that satisfies both conditions, by bisection; null where there is none. */
function search(
  objective: Objective,
  from: Point & { readonly direction: Float64Array; readonly first: boolean },
): Point | null {
  const { x, value, gradient, direction, first } = from;
  const slope = dot(gradient, direction);
  if (!(slope < 0)) return null;
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let step = first ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
  let best: Point | null = null;
  for (let tries = 0; tries < 40; tries++) {
    const at = x.slice();
    addScaled(at, direction, step);
    const found = objective(at);
    const falls = found.value <= value + DECREASE * step * slope;
    if (falls) best = { x: at, ...found };
    if (falls && dot(found.gradient, direction) >= CURVATURE * slope) return best;
    if (falls) low = step;
    else high = step;
    step = Number.isFinite(high) ? (low + high) / 2 : 2 * step;
  }
  return best;
}

const largest = (x: Float64Array): number =>
  x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function addScaled(y: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] ?? 0) + factor * (x[i] ?? 0);
}

function scale(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] ?? 0) * factor;
}
