import { describe, expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import type { Candidate } from "./candidate.ts";
import { evolve } from "./evolve.ts";
import { neighboursOf } from "./neighbours.ts";
import { parseRecipe, type RecipeStep, recipeOf, recipeText } from "./recipe.ts";
import { childOf, type Knobs } from "./vary.ts";

const NODES = Array.from({ length: 12 }, (_, at) => `node${at}`);
const BUDGET = 0.01;

const int8 = (keepFloat: readonly string[], method = "mse"): readonly RecipeStep[] => [
  { pass: "simplify", options: {} },
  {
    pass: "quantise-static",
    options: { calibration: { method }, keepFloat: keepFloat.toSorted() },
  },
];
const keptIn = (steps: readonly RecipeStep[]): readonly string[] =>
  (steps.at(-1)?.options["keepFloat"] ?? []) as readonly string[];

/**
 * Errors of three pairs of nodes cancel: to take one of a pair into 8 bits costs all of the budget and more, to
 * take both costs nothing. The other nodes lose a little each. Time falls with every node in 8 bits.
 */
function judged(steps: readonly RecipeStep[]): Candidate {
  const kept = new Set(keptIn(steps));
  let drop = 0;
  for (const [at, node] of NODES.entries()) {
    if (at < 6) {
      const partner = NODES[at % 2 === 0 ? at + 1 : at - 1] as string;
      if (kept.has(node) !== kept.has(partner)) drop += BUDGET;
    } else if (!kept.has(node)) drop += 0.001;
  }
  const share = 0.4 + (0.6 * kept.size) / NODES.length;
  return {
    ...{ name: recipeText(steps), steps: [...steps], bytes: 1e6 * share, quality: 1 - drop, drop },
    ...{ changed: drop, spread: 0, rows: 500, refusals: 0, cpu: share, latency: share },
    ratio: { value: share, low: share, high: share },
  };
}

const cost = ({ ratio }: Candidate): number => ratio?.value ?? 1;
const isWithin = ({ drop }: Candidate): boolean => drop <= BUDGET;

/** Neighbours as the search looks at them, as long as one of them is better. */
function climbed(start: Candidate): Candidate {
  const near = neighboursOf(start, [start, judged(int8(NODES))]).map(judged);
  const better = near.filter((one) => isWithin(one) && cost(one) < cost(start));
  const [best] = better.sort((a, b) => cost(a) - cost(b));
  return best === undefined ? start : climbed(best);
}

const knobs: Knobs = { nodes: NODES, methods: ["mse", "minmax"], layers: [] };
const start = judged(int8(NODES.slice(0, 6)));
const run = (seed: number, judge: (all: readonly (readonly RecipeStep[])[]) => void = () => {}) =>
  evolve([start, judged(int8(NODES))], {
    knobs,
    judge: async (recipes) => {
      judge(recipes);
      return recipes.map(judged);
    },
    pointOf: (one) => ({
      objectives: [one.drop, cost(one)],
      violation: isWithin(one) ? 0 : one.drop,
    }),
    random: createRandom(seed),
    goOn: () => true,
  });
const cheapest = (all: readonly Candidate[]): Candidate =>
  all.filter(isWithin).reduce((a, b) => (cost(b) < cost(a) ? b : a));

describe("evolution of recipes", () => {
  test("finds what is two steps away, where looking around one node at a time is stuck", async () => {
    expect(climbed(start)).toBe(start);
    for (const seed of [1, 2, 3, 4, 5]) {
      const best = cheapest(await run(seed));
      expect(cost(best)).toBeLessThan(cost(start));
      // All pairs in 8 bits is the optimum: 0.4 of the time.
      expect(cost(best)).toBeLessThanOrEqual(0.55);
    }
  });

  test("judges no recipe twice, and follows from its seed", async () => {
    const seen: string[] = [];
    const first = await run(7, (recipes) => seen.push(...recipes.map((r) => JSON.stringify(r))));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(40);
    expect(await run(7)).toEqual(first);
  });

  test("stops where there is no time, and gives back the best of its start", async () => {
    const all = [start, judged(int8(NODES)), judged(int8([]))];
    const best = await evolve(all, {
      ...{ knobs, judge: async () => [], goOn: () => false, random: createRandom(1) },
      pointOf: (one) => ({ objectives: [one.drop, cost(one)], violation: 0 }),
    });
    expect(new Set(best)).toEqual(new Set(all));
    expect(await evolve([], { ...NOTHING })).toEqual([]);
  });

  test("does without what cannot be built", async () => {
    const best = await evolve([start], { ...NOTHING, goOn: () => true });
    expect(best).toEqual([start]);
  });
});

const NOTHING = {
  ...{ knobs, judge: async () => [], goOn: () => false, random: createRandom(1) },
  pointOf: (one: Candidate) => ({ objectives: [one.drop], violation: 0 }),
};

describe("children of recipes", () => {
  const thin: readonly RecipeStep[] = [
    { pass: "simplify", options: {} },
    { pass: "prune", options: { ratio: { a: 0.5, b: 0 } } },
    { pass: "factorise", options: { rank: { rule: "budget", keep: 0.6 } } },
    { pass: "distil", options: { epochs: 2 } },
  ];
  const thinInt8 = [...thin, ...int8(["node1"]).slice(1)];
  const layered: Knobs = { ...knobs, layers: ["fc1", "fc2"] };

  test("are recipes, with their steps in the order of the parents and shares off the ends", () => {
    const random = createRandom(3);
    let parents: readonly (readonly RecipeStep[])[] = [thin, thinInt8, int8([]), int8(NODES)];
    const rules = new Set<string>();
    for (let round = 0; round < 600; round++) {
      const drawn = () => parents[random.integer(parents.length)] ?? [];
      const child = childOf([drawn(), drawn()], layered, random);
      const recipe = recipeOf(child, { seed: 1, calibration: { rows: [], batch: 1 } });
      expect(parseRecipe(JSON.parse(JSON.stringify(recipe)), "a child").steps).toEqual(child);
      const order = ["simplify", "prune", "factorise", "distil", "quantise-static"];
      const places = child.map(({ pass }) => order.indexOf(pass));
      expect(places.toSorted((a, b) => a - b)).toEqual(places);
      for (const { options } of child) {
        const rank = options["rank"] as
          | { rule: string; keep?: number; shares?: object }
          | undefined;
        if (rank !== undefined) rules.add(rank.rule);
        const shares = [
          ...Object.values((options["ratio"] ?? {}) as Record<string, number>),
          ...Object.values((rank?.shares ?? {}) as Record<string, number>),
          ...(rank?.keep === undefined ? [] : [rank.keep]),
        ];
        for (const share of shares) expect(share >= 0 && share < 1).toBe(true);
      }
      parents = [...parents.slice(-20), child];
    }
    expect(rules).toEqual(new Set(["budget", "shares"]));
  });

  test("are never put into 8 bits a second time", () => {
    const stored: readonly RecipeStep[] = [
      { pass: "simplify", options: {} },
      { pass: "quantise-weights", options: { bits: 8 } },
    ];
    const random = createRandom(6);
    for (let round = 0; round < 100; round++) {
      const passes = childOf([stored, int8([])], knobs, random).map(({ pass }) => pass);
      const times = passes.filter((pass) => pass.startsWith("quantise")).length;
      expect(times).toBeLessThanOrEqual(1);
    }
  });

  test("keep in floats what both parents keep, but for the one that changes", () => {
    const random = createRandom(5);
    const [one, two] = [int8(["node1", "node2", "node3"]), int8(["node2", "node3", "node4"])];
    let both = 0;
    for (let round = 0; round < 200; round++) {
      const kept = keptIn(childOf([one, two], knobs, random));
      both += Number(kept.includes("node2")) + Number(kept.includes("node3"));
    }
    expect(both / 400).toBeGreaterThan(0.75);
  });
});
