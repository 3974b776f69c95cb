// The tree-structured Parzen estimator (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011,
// section 4): where are good configurations dense and bad ones not. Parameters are taken one by one.

import { normalProbability, type Random } from "../../core/index.ts";
import { type Observation, randomSampler, type Sampler } from "./sampler.ts";
import { configAt, type Domain, pointOf, type Space } from "./space.ts";

export interface TpeOptions {
  /** Even draws before the estimator is trusted. Default 10. */
  readonly startUp?: number;
  /** Share of the observations that count as good. Default 0.25; never more than 25 of them. */
  readonly good?: number;
  /** Draws from the good density, of which the best is proposed. Default 24. */
  readonly candidates?: number;
}

/** Proposes what maximises l(x) / g(x), the density among the good over that among the rest. */
export function tpe({ startUp = 10, good = 0.25, candidates = 24 }: TpeOptions = {}): Sampler {
  return {
    name: "tpe",
    propose(space, observed, random) {
      if (observed.length < startUp) return randomSampler.propose(space, observed, random);
      const sorted = [...observed].sort((a, b) => a.score - b.score || 0);
      const count = Math.min(25, Math.max(1, Math.ceil(good * sorted.length)));
      const better = densities(space, sorted.slice(0, count));
      const worse = densities(space, sorted.slice(count));
      const point = better.map((density, axis) => {
        let best = { place: 0.5, ratio: Number.NEGATIVE_INFINITY };
        for (let draw = 0; draw < candidates; draw++) {
          const place = density.draw(random);
          const ratio = Math.log(density.at(place)) - Math.log(worse[axis]?.at(place) ?? 1);
          if (ratio > best.ratio) best = { place, ratio };
        }
        return best.place;
      });
      return configAt(space, point);
    },
  };
}

/** A probability density over [0, 1]. */
interface Density {
  at(place: number): number;
  draw(random: Random): number;
}

function densities(space: Space, observed: readonly Observation[]): readonly Density[] {
  const points = observed.map(({ config }) => pointOf(space, config));
  return Object.values(space).map((domain, axis) => {
    const places = points.map((point) => point[axis] as number);
    return domain.kind === "choice" ? shares(domain, places) : parzen(places);
  });
}

/** Frequencies of the choices, with one more of each so that none is impossible. */
function shares(domain: Extract<Domain, { kind: "choice" }>, places: readonly number[]): Density {
  const size = domain.values.length;
  const cell = (place: number): number => Math.min(size - 1, Math.floor(place * size));
  const counts = new Float64Array(size).fill(1);
  for (const place of places) counts[cell(place)] = (counts[cell(place)] as number) + 1;
  const total = places.length + size;
  return {
    at: (place) => ((counts[cell(place)] as number) / total) * size,
    draw(random) {
      let left = random.uniform() * total;
      const chosen = counts.findIndex((count) => {
        left -= count;
        return left < 0;
      });
      return ((chosen === -1 ? size - 1 : chosen) + 0.5) / size;
    },
  };
}

/**
 * A normal bump at each place and a wide one for the prior, cut off at 0 and 1. A bump is as wide as the
 * larger gap to its neighbours, within bounds; those at the ends have one neighbour (as in hyperopt).
 */
/** Width of a single bump, which has no neighbour to tell it. */
const ALONE = 0.2;

function parzen(places: readonly number[]): Density {
  const sorted = [...places].sort((a, b) => a - b);
  const narrowest = 1 / Math.min(100, sorted.length + 2);
  const bumps = sorted.map((centre, at) => {
    const left = centre - (sorted[at - 1] ?? centre);
    const right = (sorted[at + 1] ?? centre) - centre;
    const gap = sorted.length === 1 ? ALONE : Math.max(left, right);
    return { centre, width: Math.min(1, Math.max(narrowest, gap)) };
  });
  bumps.push({ centre: 0.5, width: 1 });
  const masses = bumps.map(
    ({ centre, width }) =>
      normalProbability((1 - centre) / width) - normalProbability(-centre / width),
  );
  return {
    at(place) {
      let sum = 0;
      bumps.forEach(({ centre, width }, index) => {
        const z = (place - centre) / width;
        sum +=
          Math.exp((-z * z) / 2) / (Math.sqrt(2 * Math.PI) * width * (masses[index] as number));
      });
      return sum / bumps.length;
    },
    draw(random) {
      const { centre, width } = bumps[random.integer(bumps.length)] as (typeof bumps)[number];
      for (;;) {
        const place = centre + width * random.normal();
        if (place >= 0 && place <= 1) return place;
      }
    },
  };
}
