// What to try: recipes along the front that scans of single nodes and groups predict. Prediction only
// proposes; every candidate is run.

import { reasonOf } from "../../../core/index.ts";
import { profileModel } from "../../../engine/index.ts";
import { countModel, numberOf } from "../../../measure/profile/index.ts";
import { canonicalDomain, type Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { pruningSensitivity, ratiosWithin } from "../prune/index.ts";
import { type Sensitivity, type StaticOptions, sensitivityScan } from "../quantise/index.ts";
import { hashOfModel, remembered, type Store } from "./memo.ts";
import { type RecipeStep, recipeText } from "./recipe.ts";
import type { Workshop } from "./workshop.ts";

/** Kinds of pass that the search may use beside simplifying. */
export type Allowed = "quantise" | "prune" | "factorise";

export interface ProposeOptions {
  readonly allow: readonly Allowed[];
  /** `quick`: int8 only, few variants. `normal`. `high`: more shares and methods. */
  readonly effort: "quick" | "normal" | "high";
  readonly store: Store;
  readonly context: PassContext;
  /** One run's inputs, for times of nodes. */
  readonly feeds: Feeds;
  /** Samples in one of the context's calibration inputs. */
  readonly batch: number;
  readonly secondsLeft: () => number;
  readonly onRefused: (what: string, reason: string) => void;
}

const SIMPLIFY: RecipeStep = { pass: "simplify", options: {} };

/** Simplifying alone: it goes before everything else. */
export const SIMPLIFIED: readonly RecipeStep[] = [SIMPLIFY];

/** Samples that scans look at: every node, and every share of every group, runs them all. */
const SCAN_SAMPLES = 8;

/** Recipes to try, the plain ones first. What does not come to its end in time is left out, and told. */
export async function propose(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { allow } = options;
  const int8 = allow.includes("quantise");
  const recipes: (readonly RecipeStep[])[] = [[], SIMPLIFIED];
  if (int8) {
    recipes.push([SIMPLIFY, { pass: "quantise-dynamic", options: {} }]);
    recipes.push([SIMPLIFY, { pass: "quantise-weights", options: { bits: 8 } }]);
    recipes.push(
      ...(await inTime("quantise-static", options, () => quantised(workshop, SIMPLIFIED, options))),
    );
  }
  const thinner = [
    ...(allow.includes("prune")
      ? await inTime("prune", options, () => pruned(workshop, options))
      : []),
    ...(allow.includes("factorise")
      ? await inTime("factorise", options, () => factorised(workshop, options))
      : []),
  ];
  recipes.push(...thinner);
  if (!int8) return recipes;
  // What made the model thinner, in 8 bits: all nodes, and all but the most sensitive ones.
  for (const steps of thinner) {
    const quick = { ...options, effort: "quick" as const };
    recipes.push(
      ...(await inTime(recipeText(steps), options, () => quantised(workshop, steps, quick))),
    );
  }
  return recipes;
}

/** What the work proposes; nothing where there is no time for it, or it fails. */
async function inTime(
  what: string,
  { secondsLeft, onRefused, context }: ProposeOptions,
  work: () => Promise<readonly (readonly RecipeStep[])[]>,
): Promise<readonly (readonly RecipeStep[])[]> {
  if (secondsLeft() <= 0) {
    onRefused(what, "there was no time left to look into it");
    return [];
  }
  try {
    return await work();
  } catch (error) {
    context.signal?.throwIfAborted();
    onRefused(what, reasonOf(error));
    return [];
  }
}

/** Static int8 with more and more nodes left in floats, for several ways to choose ranges. */
async function quantised(
  workshop: Workshop,
  before: readonly RecipeStep[],
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const methods = {
    quick: ["mse"],
    normal: ["mse", "minmax"],
    high: ["mse", "minmax", "percentile"],
  };
  const first: StaticOptions = { calibration: { method: "mse" } };
  const { model } = await workshop.build(before);
  const refusal = unfit(model);
  if (refusal !== null) {
    options.onRefused("quantise-static", refusal);
    return [];
  }
  const scan = await scanOf(workshop, before, { ...options, of: first, model });
  if (scan.length === 0) {
    options.onRefused("quantise-static", "no node with weights can compute in 8 bits");
    return [];
  }
  const kept = await keptSets(model, scan, options);
  return methods[options.effort].flatMap((method) =>
    kept.map((keepFloat) => [
      ...before,
      { pass: "quantise-static" as const, options: { calibration: { method }, keepFloat } },
    ]),
  );
}

/** Calibration inputs that hold the samples of a scan. */
const inputsFor = ({ batch }: ProposeOptions): number => Math.ceil(SCAN_SAMPLES / batch);

function unfit({ opsetImports }: Model): string | null {
  const opset = opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 0n;
  return opset < 13n ? `the model stays at opset ${opset}; grids by channel came with 13` : null;
}

async function scanOf(
  workshop: Workshop,
  before: readonly RecipeStep[],
  of: ProposeOptions & { readonly of: StaticOptions; readonly model: Model },
): Promise<readonly Sensitivity[]> {
  const key = ["sensitivity", await hashOfModel(of.model), of.of, of.context.seed];
  return remembered(of.store, key, async () => {
    const quantiser = await workshop.quantiser(before, of.of);
    return sensitivityScan(of.model, quantiser, of.context, {
      samples: inputsFor(of),
    });
  });
}

/** Shares of the nodes that stay in floats. */
const IN_FLOATS = {
  quick: [0, 0.2],
  normal: [0, 0.06, 0.13, 0.2, 0.28, 0.4, 0.6],
  high: [0, 0.03, 0.06, 0.1, 0.13, 0.17, 0.2, 0.24, 0.28, 0.34, 0.4, 0.5, 0.6, 0.75],
} as const;

/**
 * Sets of nodes that stay in floats. The most sensitive ones first; and, since a budget of time is what
 * they take from, also those that lose most for their time (the greedy solution of the knapsack, which is
 * the Lagrangian one). Time alone would not do: a node in floats amid others in 8 bits costs both borders.
 */
async function keptSets(
  model: Model,
  scan: readonly Sensitivity[],
  { effort, context, feeds }: ProposeOptions,
): Promise<readonly (readonly string[])[]> {
  const byLoss = scan.toSorted((a, b) => b.error - a.error);
  const orders = [byLoss];
  if (effort !== "quick") {
    const times = await timesOf(model, feeds, context);
    const price = ({ name, error }: Sensitivity): number => error / (times.get(name) ?? 1e-6);
    orders.push(scan.toSorted((a, b) => price(b) - price(a)));
  }
  const sets = orders.flatMap((order) =>
    IN_FLOATS[effort].map((share) =>
      order
        .slice(0, Math.round(share * order.length))
        .map(({ key }) => key)
        .sort(),
    ),
  );
  return [...new Map(sets.map((set) => [set.join("\n"), set])).values()];
}

/** Time of nodes by name, in any unit: measured, so that it is what this machine takes. */
async function timesOf(
  model: Model,
  feeds: Feeds,
  { runtime }: PassContext,
): Promise<ReadonlyMap<string, number>> {
  const { nodes } = await profileModel(model, feeds, { runtime, threads: 1, runs: 3 });
  const times = new Map<string, number>();
  for (const { origin, median } of nodes) {
    if (origin !== null) times.set(origin, (times.get(origin) ?? 0) + median);
  }
  return times;
}

const KEEP = { quick: [], normal: [0.75, 0.5], high: [0.85, 0.7, 0.55, 0.4] } as const;

async function pruned(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const shares = KEEP[options.effort];
  const { model } = await workshop.build(SIMPLIFIED);
  const macs = macsOf(model, options.feeds);
  if (shares.length === 0 || macs === null) return [];
  const key = ["pruning", await hashOfModel(model), options.context.seed];
  const rows = await remembered(options.store, key, () =>
    pruningSensitivity(model, firstInputs(options.context, inputsFor(options)), {
      ratios: [0.25, 0.5],
    }),
  );
  if (rows.length === 0) {
    options.onRefused("prune", "no group of channels can be removed");
    return [];
  }
  return shares.flatMap((keep) => {
    const ratio = ratiosWithin(rows, { macs, keep });
    if (ratio === null) return [];
    return [[SIMPLIFY, { pass: "prune" as const, options: { ratio } }]];
  });
}

async function factorised(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const recipes: RecipeStep[][] = [];
  for (const keep of KEEP[options.effort]) {
    const step: RecipeStep = { pass: "factorise", options: { rank: { rule: "budget", keep } } };
    const { changes } = await workshop.build([SIMPLIFY, step]);
    if (changes.some(({ pass }) => pass === "factorise")) recipes.push([SIMPLIFY, step]);
    else
      options.onRefused("factorise", `no layer is worth splitting for ${100 * keep} % of the work`);
  }
  return recipes;
}

/** The context with the first calibration inputs alone. */
function firstInputs(context: PassContext, count: number): PassContext {
  const { calibration } = context;
  if (calibration === undefined) return context;
  return {
    ...context,
    async *calibration() {
      let given = 0;
      for await (const feeds of calibration()) {
        yield feeds;
        if (++given >= count) return;
      }
    },
  };
}

function macsOf(model: Model, feeds: Feeds): number | null {
  const inputs = Object.entries(feeds).flatMap(([name, feed]) =>
    "dims" in feed ? [[name, feed.dims] as const] : [],
  );
  const { totals } = countModel(model, { inputs: Object.fromEntries(inputs) });
  return totals.macs === null ? null : numberOf(totals.macs);
}
