// New recipes out of two good ones: which nodes stay in floats, how ranges are chosen, which share of which
// channels and ranks goes.

import type { Random } from "../../../core/index.ts";
import type { RecipeStep } from "./recipe.ts";

/** What may be varied. */
export interface Knobs {
  /** Nodes that can compute in 8 bits, by the key that `keepFloat` has. */
  readonly nodes: readonly string[];
  /** Ways to choose ranges. */
  readonly methods: readonly string[];
  /** Layers that can be split, by name. */
  readonly layers: readonly string[];
}

type Steps = readonly RecipeStep[];

/** Chance that a recipe which can vary in both varies before its 8 bits: that has to be built and taught anew. */
const BEFORE = 0.25;

/** Chance that the way to choose ranges changes. */
const METHOD = 0.15;

/** Smallest change of a share. */
const NUDGE = 0.125;

/** A recipe that takes of both parents and differs in something from either. */
export function childOf(parents: readonly [Steps, Steps], knobs: Knobs, random: Random): Steps {
  const [first, second] = random.integer(2) === 0 ? parents : ([parents[1], parents[0]] as const);
  const before = beforeInt8(first);
  // What computes or is stored in 8 bits already cannot be quantised again.
  const last = before.some(isSmallAlready) ? null : crossed(int8Of(first), int8Of(second), random);
  const canVary = before.some((step) => isVaried(step));
  if (last === null) return canVary ? varied(before, knobs, random) : before;
  if (canVary && random.uniform() < BEFORE) return [...varied(before, knobs, random), last];
  return [...before, nudgedInt8(last, knobs, random)];
}

const isInt8 = ({ pass }: RecipeStep): boolean => pass === "quantise-static";
const isSmallAlready = ({ pass }: RecipeStep): boolean =>
  /^(quantise-(dynamic|weights)|cluster|store-half)$/.test(pass);
const isVaried = ({ pass }: RecipeStep): boolean => pass === "prune" || pass === "factorise";
const beforeInt8 = (steps: Steps): Steps => steps.filter((step) => !isInt8(step));
const int8Of = (steps: Steps): RecipeStep | null => steps.find(isInt8) ?? null;

const keptIn = ({ options }: RecipeStep): readonly string[] =>
  (options["keepFloat"] as readonly string[] | undefined) ?? [];

/** The step with these nodes in floats, in one order, so that equal recipes are told to be equal. */
const keeping = (step: RecipeStep, kept: Iterable<string>): RecipeStep => ({
  ...step,
  options: { ...step.options, keepFloat: [...new Set(kept)].sort() },
});

/** Nodes that both leave in floats stay there, those of one by chance; uniform crossover. */
function crossed(
  first: RecipeStep | null,
  second: RecipeStep | null,
  random: Random,
): RecipeStep | null {
  if (first === null || second === null) return random.integer(2) === 0 ? first : second;
  const [own, other] = [new Set(keptIn(first)), new Set(keptIn(second))];
  const kept = [...new Set([...own, ...other])].filter(
    (key) => (own.has(key) && other.has(key)) || random.integer(2) === 0,
  );
  return keeping(first, kept);
}

/** One node or a few change sides; sometimes ranges are chosen in another way. */
function nudgedInt8(step: RecipeStep, { nodes, methods }: Knobs, random: Random): RecipeStep {
  if (random.uniform() < METHOD && methods.length > 0) {
    const calibration = { method: pick(methods, random) };
    return { ...step, options: { ...step.options, calibration } };
  }
  const sure = pick(nodes, random);
  const flipped = nodes.filter((key) => key === sure || random.uniform() < 1 / nodes.length);
  const kept = new Set(keptIn(step));
  for (const key of flipped) if (!kept.delete(key)) kept.add(key);
  return keeping(step, kept);
}

/** One of the steps that make the model thinner, changed. */
function varied(steps: Steps, knobs: Knobs, random: Random): Steps {
  const places = steps.flatMap((step, at) => (isVaried(step) ? [at] : []));
  const place = pick(places, random);
  return steps.map((step, at) => {
    if (at !== place) return step;
    return step.pass === "prune" ? otherRatio(step, random) : otherRanks(step, knobs, random);
  });
}

/** Another share of the channels of one group, or of all. */
function otherRatio(step: RecipeStep, random: Random): RecipeStep {
  const { ratio } = step.options;
  const changed =
    typeof ratio === "number" ? nudged(ratio, random) : withOneNudged(sharesOf(ratio), random);
  return { ...step, options: { ...step.options, ratio: changed } };
}

/** Another budget of all ranks, or another share of the ranks of one layer. */
function otherRanks(step: RecipeStep, { layers }: Knobs, random: Random): RecipeStep {
  const rank = step.options["rank"] as { readonly keep?: number; readonly shares?: unknown };
  const withRank = (changed: object): RecipeStep => ({
    ...step,
    options: { ...step.options, rank: changed },
  });
  if (rank.shares !== undefined) {
    return withRank({ rule: "shares", shares: withOneNudged(sharesOf(rank.shares), random) });
  }
  const keep = nudged(rank.keep ?? 1 / 2, random);
  if (layers.length === 0 || random.integer(2) === 0) return withRank({ rule: "budget", keep });
  // From one number for all to one for each, which can then vary by themselves.
  const shares = Object.fromEntries(layers.map((name) => [name, keep]));
  return withRank({ rule: "shares", shares: withOneNudged(shares, random) });
}

const sharesOf = (value: unknown): Readonly<Record<string, number>> =>
  (value ?? {}) as Readonly<Record<string, number>>;

function withOneNudged(
  shares: Readonly<Record<string, number>>,
  random: Random,
): Readonly<Record<string, number>> {
  const names = Object.keys(shares);
  if (names.length === 0) return shares;
  const name = pick(names, random);
  return { ...shares, [name]: nudged(shares[name] ?? 0, random) };
}

/** A step or two up or down, kept off the ends, where nothing would be left. */
function nudged(share: number, random: Random): number {
  const sign = random.integer(2) === 0 ? -1 : 1;
  const moved = share + sign * NUDGE * (1 + random.integer(2));
  return Math.min(1 - NUDGE, Math.max(NUDGE, Number(moved.toFixed(3))));
}

const pick = <T>(all: readonly T[], random: Random): T => all[random.integer(all.length)] as T;
