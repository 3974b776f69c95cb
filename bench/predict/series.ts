// Training runs as series of joules per epoch, made up from what real ones do: a slow first epoch,
// a warm-up that dies away, drift, validation every few epochs, neighbours on the same machine.
// Every parameter is drawn anew for each run, from the seed.

import { createRandom, type Random } from "../../src/core/index.ts";

/** How a kind of run deviates from a constant. */
export interface Family {
  readonly name: string;
  /** Joules of `count` epochs around a level of 1000 J. */
  readonly draw: (random: Random, count: number) => readonly number[];
}

const LEVEL = 1000;

const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random.uniform();

/** Factors of the first epochs: caches, compilation, memory pools. */
function warmUp(random: Random): (epoch: number) => number {
  const height = between(random, 0.1, 0.8);
  const length = between(random, 0.3, 1.5);
  return (epoch) => 1 + height * Math.exp(-epoch / length);
}

/** Noise whose neighbours resemble each other, with the standard deviation `sigma`. */
function noise(random: Random, sigma: number, memory: number): () => number {
  let state = random.normal();
  return () => {
    const factor = 1 + sigma * state;
    state = memory * state + Math.sqrt(1 - memory ** 2) * random.normal();
    return factor;
  };
}

function family(
  name: string,
  shape: (random: Random, count: number) => (epoch: number) => number,
): Family {
  return {
    name,
    draw(random, count) {
      const factor = shape(random, count);
      const start = warmUp(random);
      return Array.from({ length: count }, (_, epoch) => LEVEL * start(epoch) * factor(epoch));
    },
  };
}

/** The families, from calm to rough. */
export const FAMILIES: readonly Family[] = [
  family("steady", (random) => noise(random, between(random, 0.003, 0.02), 0)),
  family("steady, resembling neighbours", (random) =>
    noise(random, between(random, 0.005, 0.03), between(random, 0.2, 0.6)),
  ),
  family("linear drift", (random, count) => {
    const drift = between(random, -0.15, 0.25) / count;
    const jitter = noise(random, between(random, 0.003, 0.015), 0);
    return (epoch) => (1 + drift * epoch) * jitter();
  }),
  family("heating up", (random, count) => {
    const height = between(random, -0.04, 0.12);
    const length = between(random, 0.05, 0.3) * count;
    const jitter = noise(random, between(random, 0.003, 0.015), 0);
    return (epoch) => (1 + height * (1 - Math.exp(-epoch / length))) * jitter();
  }),
  family("validation every few epochs", (random) => {
    const every = 2 + random.integer(4);
    const extra = between(random, 0.02, 0.25);
    const jitter = noise(random, between(random, 0.003, 0.015), 0);
    return (epoch) => (1 + ((epoch + 1) % every === 0 ? extra : 0)) * jitter();
  }),
  family("noisy", (random) => noise(random, between(random, 0.03, 0.08), between(random, 0, 0.3))),
  family("disturbed now and then", (random) => {
    const jitter = noise(random, between(random, 0.005, 0.02), 0);
    return () => jitter() * (random.uniform() < 0.05 ? between(random, 1.1, 1.5) : 1);
  }),
];

/** `runs` runs of one family, of 20 to 200 epochs. The same seed gives the same runs. */
export function drawRuns(of: Family, runs: number, seed: number): readonly (readonly number[])[] {
  const random = createRandom(seed);
  return Array.from({ length: runs }, () => of.draw(random, 20 + random.integer(181)));
}
