// The evolution of a search: what it may vary, how it judges and what it compares. All answers are remembered
// like those of the rest of the search, so that one that was interrupted comes to the same again.

import { createRandom, type Seconds } from "../../../core/index.ts";
import { indexGraph } from "../../../onnx/index.ts";
import { layersOf } from "../layer.ts";
import type { Feeds } from "../pass.ts";
import { assess, type Bench, measured } from "./assess.ts";
import type { Candidate, Objective } from "./candidate.ts";
import { evolve, PARENTS } from "./evolve.ts";
import { hashOfModel, remembered } from "./memo.ts";
import { type Allowed, SIMPLIFIED } from "./proposing.ts";
import type { RecipeStep } from "./recipe.ts";
import { beforeTheEnd, endingAfter } from "./time.ts";
import type { Knobs } from "./vary.ts";

/** Ways to choose ranges that differ in more than a few values. */
const METHODS = ["mse", "minmax", "percentile", "sample-mean"] as const;

/** Of measuring a generation: enough to rank by; what comes to the end is measured again. */
const ROUNDS = 5;

/** Of the time that is left, what the evolution may take. */
const SHARE = 0.8;

interface EvolvingOptions {
  readonly feeds: Feeds;
  /** Samples in the feeds. */
  readonly items: number;
  readonly roundTime: Seconds;
  readonly rows: readonly number[];
  readonly maxDrop: number;
  readonly isWithin: (candidate: Candidate) => boolean;
  readonly objective: Objective;
  readonly allow: readonly Allowed[];
  readonly seed: number;
  readonly secondsLeft: () => number;
  readonly onGeneration: (generation: number, recipes: number) => void;
  readonly onCandidate: (candidate: Candidate, done: number) => void;
  readonly onRefused: (what: string, reason: string) => void;
}

/** The best that evolution comes to from these, which were judged on the same rows; best first. */
export async function evolved(
  start: readonly Candidate[],
  bench: Bench,
  options: EvolvingOptions,
): Promise<readonly Candidate[]> {
  const { secondsLeft, maxDrop, objective, isWithin, onGeneration, seed } = options;
  const end = (1 - SHARE) * secondsLeft();
  const timeLeft = (): number => secondsLeft() - end;
  const first = start.filter(({ steps }) => steps.length > 0).slice(0, 2 * PARENTS);
  return evolve(await costed(first, bench, options), {
    knobs: await knobsOf(bench, options.allow),
    judge: async (recipes, generation) => {
      onGeneration(generation, recipes.length);
      return costed(await judged(recipes, bench, { ...options, timeLeft }), bench, options);
    },
    pointOf: (candidate) => ({
      objectives: [candidate.drop, relativeCost(candidate, objective)],
      violation: isWithin(candidate) ? 0 : candidate.drop - maxDrop,
    }),
    random: createRandom(seed),
    goOn: () => timeLeft() > 0,
  });
}

async function knobsOf({ workshop, signal }: Bench, allow: readonly Allowed[]): Promise<Knobs> {
  const { model } = await workshop.build(SIMPLIFIED, signal);
  const quantiser = allow.includes("quantise")
    ? await workshop.quantiser(SIMPLIFIED, {}, signal).catch(() => null)
    : null;
  const layers = model.graph === undefined ? [] : layersOf(indexGraph(model.graph)).layers;
  return {
    nodes: quantiser?.candidates.map(({ key }) => key) ?? [],
    methods: METHODS,
    layers: layers.map(({ name }) => name),
  };
}

/** Those that can be built and run before the time is over. */
async function judged(
  recipes: readonly (readonly RecipeStep[])[],
  bench: Bench,
  options: EvolvingOptions & { readonly timeLeft: () => number },
): Promise<readonly Candidate[]> {
  const { rows, onRefused, onCandidate, timeLeft } = options;
  const found: Candidate[] = [];
  for (const [done, steps] of recipes.entries()) {
    bench.signal?.throwIfAborted();
    const own = { ...bench, signal: endingAfter(timeLeft(), bench.signal) };
    const candidate = await beforeTheEnd(() => assess(steps, rows, own, onRefused));
    if (candidate === null) continue;
    found.push(candidate);
    onCandidate(candidate, done + 1);
  }
  return found;
}

/** The candidates with their costs, measured in turns with the original. */
async function costed(
  candidates: readonly Candidate[],
  bench: Bench,
  { feeds, items, roundTime, objective }: EvolvingOptions,
): Promise<readonly Candidate[]> {
  if (objective === "size" || candidates.length === 0) return candidates;
  const { workshop, store, settings, signal } = bench;
  const hashes: string[] = [];
  for (const { steps } of candidates) {
    hashes.push(await hashOfModel((await workshop.build(steps, signal)).model));
  }
  const costs = await remembered(store, ["costs", hashes, settings, items], async () => {
    const options = { items, rounds: ROUNDS, roundTime, goOn: () => true };
    const found = await measured(candidates, feeds, bench, options);
    return found.map(({ cpu, latency, ratio }) => ({ cpu, latency, ratio }));
  });
  return candidates.map((candidate, at) => ({ ...candidate, ...costs[at] }));
}

/** Cost against the original that took turns with it: what a machine does meanwhile moves both alike. */
function relativeCost({ cpu, latency, ratio, bytes }: Candidate, objective: Objective): number {
  if (objective === "size") return bytes;
  if (cpu === null || latency === null || ratio === null) return Number.POSITIVE_INFINITY;
  return objective === "energy" ? ratio.value : (latency * ratio.value) / cpu;
}
