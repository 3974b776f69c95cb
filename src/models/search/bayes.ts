// Bayesian optimisation: a Gaussian process over the unit cube, and the point that is expected to improve
// most on the best so far (Jones, Schonlau & Welch, Efficient Global Optimization, 1998).

import {
  mean as meanOf,
  normalDensity,
  normalProbability,
  type Random,
  standardDeviation,
} from "../../core/index.ts";
import { condition, fitKernel, type Process } from "./gaussian-process.ts";
import { type Observation, randomSampler, type Sampler } from "./sampler.ts";
import { type ChoiceValue, type Config, configAt, placeOf, pointOf, type Space } from "./space.ts";

/**
 * E[max(best - f, 0)] for f normal: s (z P(z) + p(z)), z = (best - mean) / s (Jones et al., equation 15). At
 * s = 0 it is max(best - mean, 0).
 */
export function expectedImprovement(best: number, mean: number, deviation: number): number {
  const z = (best - mean) / deviation;
  if (!Number.isFinite(z)) return Math.max(0, best - mean);
  return Math.max(0, deviation * (z * normalProbability(z) + normalDensity(z)));
}

export interface BayesOptions {
  /** Even draws before the process is fitted. Default: 2 and one more for each parameter, at least 5. */
  readonly startUp?: number;
  /** Points at which the improvement is computed, half of them near the best. Default 512. */
  readonly candidates?: number;
  /** Most observations that the process is fitted to, the best and the newest; it costs their cube. */
  readonly remembered?: number;
}

/** Expected improvement under a Gaussian process. */
export function bayes({ startUp, candidates = 512, remembered = 100 }: BayesOptions = {}): Sampler {
  return {
    name: "gp",
    propose(space, observed, random) {
      const usable = observed.filter(({ score }) => Number.isFinite(score));
      const least = startUp ?? Math.max(5, 2 + Object.keys(space).length);
      if (usable.length < least) return randomSampler.propose(space, observed, random);
      const kept = choose(usable, remembered);
      const points = kept.map(({ config }) => encode(space, config));
      const values = standardised(kept.map(({ score }) => score));
      const process = condition(points, values, fitKernel(points, values, groupsOf(space)));
      if (process === null) return randomSampler.propose(space, observed, random);
      const best = values.indexOf(Math.min(...values));
      const hunt = {
        space,
        random,
        candidates,
        start: pointOf(space, (kept[best] as Observation).config),
      };
      return likeliest(process, values[best] ?? 0, hunt);
    },
  };
}

/** The better half and the newest, when there are too many. */
function choose(observed: readonly Observation[], most: number): readonly Observation[] {
  if (observed.length <= most) return observed;
  const newest = observed.slice(-Math.floor(most / 2));
  const rest = observed.slice(0, -newest.length).toSorted((a, b) => a.score - b.score);
  return [...rest.slice(0, most - newest.length), ...newest];
}

/** Mean 0 and deviation 1, far outliers drawn in so that one failure does not flatten the rest. */
function standardised(scores: readonly number[]): number[] {
  const sorted = scores.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lowest = sorted[0] ?? 0;
  const cap = middle + 5 * (middle - lowest);
  const capped = scores.map((score) => (middle > lowest ? Math.min(score, cap) : score));
  const centre = meanOf(capped);
  const deviation = capped.length > 1 ? standardDeviation(capped) : 0;
  return capped.map((score) => (deviation === 0 ? 0 : (score - centre) / deviation));
}

/** Choices get an axis each, so that none is nearer to one than to another. */
function encode(space: Space, config: Config): number[] {
  return Object.entries(space).flatMap(([name, domain]) => {
    const value = config[name] as ChoiceValue;
    if (domain.kind !== "choice") return [placeOf(domain, value)];
    return domain.values.map((one) => (one === value ? Math.SQRT1_2 : 0));
  });
}

/** For each axis of `encode` the number of its parameter. */
const groupsOf = (space: Space): number[] =>
  Object.values(space).flatMap((domain, at) =>
    domain.kind === "choice" ? domain.values.map(() => at) : [at],
  );

function largest(values: readonly number[]): number {
  return values.reduce((top, value, at) => (value > (values[top] as number) ? at : top), 0);
}

interface Hunt {
  readonly space: Space;
  readonly random: Random;
  readonly candidates: number;
  /** Place of the best so far. */
  readonly start: readonly number[];
}

function likeliest(process: Process, best: number, hunt: Hunt): Config {
  const { space, random, candidates, start } = hunt;
  const configs = Array.from({ length: candidates }, (_, draw) => {
    const near = draw % 2 === 1;
    // Steps of several sizes around the best, from a third of the cube to a thousandth.
    const step = 0.3 * 10 ** (-2.5 * random.uniform());
    const point = start.map((place) => {
      if (!near || random.uniform() < 0.1) return random.uniform();
      return Math.min(1, Math.max(0, place + step * random.normal()));
    });
    return configAt(space, point);
  });
  const beliefs = process.at(configs.map((config) => encode(space, config)));
  const gains = beliefs.map(({ mean, variance }) =>
    expectedImprovement(best, mean, Math.sqrt(variance)),
  );
  return configs[largest(gains)] as Config;
}
