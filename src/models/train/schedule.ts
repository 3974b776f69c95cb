// Learning rates as pure functions of the step, counted from 0.

/** The learning rate of a step. */
export type Schedule = (step: number) => number;

/** The same rate throughout. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/** rate factor^floor(step / every). */
export function stepRate(of: {
  readonly rate: number;
  readonly every: number;
  readonly factor: number;
}): Schedule {
  requirePositive("the steps between changes", of.every);
  return (step) => of.rate * of.factor ** Math.floor(step / of.every);
}

/** rate factor^step. */
export const exponentialRate =
  (of: { readonly rate: number; readonly factor: number }): Schedule =>
  (step) =>
    of.rate * of.factor ** step;

/**
 * Half a cosine from rate at step 0 to floor at step `steps` and beyond (Loshchilov & Hutter 2017, one
 * cycle).
 */
export function cosineRate(of: {
  readonly rate: number;
  readonly steps: number;
  readonly floor?: number;
}): Schedule {
  requirePositive("the steps of a schedule", of.steps);
  const { rate, floor = 0 } = of;
  return (step) => cosineBetween(rate, floor, step / of.steps);
}

/** Rises in a line from rate / steps to the schedule, which begins afterwards. */
export function warmedUp(schedule: Schedule, steps: number): Schedule {
  return (step) =>
    step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - Math.floor(steps));
}

/**
 * One cycle (Smith & Topin 2018), annealed by cosines as in PyTorch: from peak / startDivisor to peak in
 * the first `rise` of the steps, then to peak / (startDivisor endDivisor) at the last.
 */
export function oneCycleRate(of: {
  readonly peak: number;
  readonly steps: number;
  /** Default: 0.3. */
  readonly rise?: number;
  /** Default: 25. */
  readonly startDivisor?: number;
  /** Default: 1e4. */
  readonly endDivisor?: number;
}): Schedule {
  const { peak, steps, rise = 0.3, startDivisor = 25, endDivisor = 1e4 } = of;
  requirePositive("the steps of a schedule", steps);
  const start = peak / startDivisor;
  const top = rise * steps - 1;
  const last = steps - 1;
  return (step) =>
    step <= top
      ? cosineBetween(start, peak, step / top)
      : cosineBetween(peak, start / endDivisor, (step - top) / (last - top));
}

/** From one rate to another along half a cosine; `share` of the way, kept within [0, 1]. */
function cosineBetween(from: number, to: number, share: number): number {
  const within = Number.isNaN(share) ? 1 : Math.min(1, Math.max(0, share));
  return to + ((from - to) * (1 + Math.cos(Math.PI * within))) / 2;
}

function requirePositive(what: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${what} must be above 0, not ${value}`);
}
