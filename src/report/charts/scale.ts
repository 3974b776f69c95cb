// Scales: numbers of the data to places on the page, and the ticks between. Pure arithmetic.

/** A closed interval, low end first. */
export type Extent = readonly [number, number];

/** Place of a value on the page. */
export type Scale = (value: number) => number;

/** Maps `domain` evenly to `range`; a domain of one point maps to the middle of the range. */
export function linearScale([low, high]: Extent, [from, to]: Extent): Scale {
  if (low === high) return () => (from + to) / 2;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** Maps equal ratios to equal distances. Throws RangeError unless the domain is positive. */
export function logScale([low, high]: Extent, range: Extent): Scale {
  if (low <= 0 || high <= 0) throw new RangeError(`a log scale cannot start at ${low}`);
  const linear = linearScale([Math.log(low), Math.log(high)], range);
  return (value) => linear(Math.log(value));
}

/** Smallest of 1, 2, 5 times a power of ten that is at least `value`. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Round numbers inside a domain, about `count` of them, never more than `count` + 1. */
export function linearTicks([low, high]: Extent, count: number): readonly number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / Math.max(1, count));
  return multiples(step, [low, high]);
}

/** The domain widened outwards to round numbers, so that the highest mark has a line above it. */
export function niceExtent([low, high]: Extent, count: number): Extent {
  if (!(high > low)) return high > 0 ? [0, high] : [low, low + 1];
  const step = niceStep((high - low) / Math.max(1, count));
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** Powers of ten inside a domain, with 2 and 5 between when there are fewer than three. */
export function logTicks([low, high]: Extent): readonly number[] {
  const factors = Math.log10(high / low) < 3 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks;
}

const SECOND_STEPS = [1, 2, 5, 10, 15, 30] as const;
const TIME_STEPS: readonly number[] = [
  ...SECOND_STEPS,
  ...SECOND_STEPS.map((step) => step * 60),
  ...[1, 2, 3, 6, 12].map((step) => step * 3600),
  ...[1, 2, 7, 14, 28].map((step) => step * 86_400),
];

/** Ticks for elapsed seconds: whole seconds, minutes, hours or days as people count them. */
export function timeTicks([low, high]: Extent, count: number): readonly number[] {
  const ideal = (high - low) / Math.max(1, count);
  if (ideal < 1) return linearTicks([low, high], count);
  const step =
    TIME_STEPS.find((candidate) => candidate >= ideal) ?? niceStep(ideal / 86_400) * 86_400;
  return multiples(step, [low, high]);
}

function multiples(step: number, [low, high]: Extent): readonly number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Through a quotient of decimals, so that a tick reads 0.3 and not 0.30000000000000004.
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(Math.min(decimals, 100))),
  );
}
