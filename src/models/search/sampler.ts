// Proposing configurations. A sampler is a pure function of what is known and of chance, so that a search
// can be repeated and resumed.

import type { Random } from "../../core/index.ts";
import { type Config, drawConfig, type Space } from "./space.ts";

/** A configuration that was tried, and how good it was: lower is better, Infinity where it failed. */
export interface Observation {
  readonly config: Config;
  readonly score: number;
}

export interface Sampler {
  readonly name: string;
  propose(space: Space, observed: readonly Observation[], random: Random): Config;
}

/** Even draws: the baseline of every search (Bergstra & Bengio 2012). */
export const randomSampler: Sampler = {
  name: "random",
  propose: (space, _, random) => drawConfig(space, random),
};
