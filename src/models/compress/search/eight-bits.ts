// Models in 8 bits, with those nodes left in floats that lose most.

import { profileModel } from "../../../engine/index.ts";
import { canonicalDomain, type Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { type Sensitivity, type StaticOptions, sensitivityScan } from "../quantise/index.ts";
import { hashOfModel, remembered } from "./memo.ts";
import { inputsFor, type ProposeOptions, SIMPLIFIED } from "./proposing.ts";
import type { RecipeStep } from "./recipe.ts";
import type { Workshop } from "./workshop.ts";

const FIRST_OPTIONS: StaticOptions = { calibration: { method: "mse" } };

const METHODS = {
  quick: ["mse", "sample-mean"],
  normal: ["sample-mean", "mse", "minmax"],
  high: ["sample-mean", "mse", "minmax", "percentile", "entropy"],
} as const;

/** Static int8 with more and more nodes left in floats, for several ways to choose ranges. */
export async function quantised(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { model } = await workshop.build(SIMPLIFIED, options.context.signal);
  const refusal = unfit(model);
  if (refusal !== null) {
    options.onRefused("quantise-static", refusal);
    return [];
  }
  const { candidates } = await workshop.quantiser(
    SIMPLIFIED,
    FIRST_OPTIONS,
    options.context.signal,
  );
  if (candidates.length === 0) {
    options.onRefused("quantise-static", "no node with weights can compute in 8 bits");
    return [];
  }
  const scan = await scanOf(workshop, { ...options, model });
  const kept = await keptSets(model, scan, options);
  return METHODS[options.effort].flatMap((method) =>
    kept.map((keepFloat) => inEightBits(SIMPLIFIED, method, keepFloat)),
  );
}

const inEightBits = (
  before: readonly RecipeStep[],
  method: string,
  keepFloat: readonly string[],
): readonly RecipeStep[] => [
  ...before,
  { pass: "quantise-static", options: { calibration: { method }, keepFloat } },
];

function unfit({ opsetImports }: Model): string | null {
  const opset = opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 0n;
  return opset < 13n ? `the model stays at opset ${opset}; grids by channel came with 13` : null;
}

/** Errors of single nodes in 8 bits: of all of them, or of as many as there is time for. */
async function scanOf(
  workshop: Workshop,
  of: ProposeOptions & { readonly model: Model },
): Promise<readonly Sensitivity[]> {
  const { context, store, model, secondsLeft } = of;
  const quantiser = await workshop.quantiser(SIMPLIFIED, FIRST_OPTIONS, context.signal);
  const hash = await hashOfModel(model);
  const scan = await sensitivityScan(model, quantiser, context, {
    samples: inputsFor(of),
    goOn: () => secondsLeft() > 0,
    remember: (node, compute) =>
      remembered(store, ["sensitivity", hash, FIRST_OPTIONS, context.seed, node], compute),
  });
  const { length } = quantiser.candidates;
  if (scan.length < length) {
    of.onRefused("quantise-static", `time was enough to look at ${scan.length} of ${length} nodes`);
  }
  return scan;
}

/** Shares of the nodes of a thinner model that stay in floats, the first ones being those most sensitive. */
const THIN_IN_FLOATS = [0, 0.2] as const;

/** A thinner model in 8 bits; which nodes are sensitive is taken from the scan of the whole one. */
export async function thinInEightBits(
  workshop: Workshop,
  steps: readonly RecipeStep[],
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { context } = options;
  const { model } = await workshop.build(SIMPLIFIED, context.signal);
  if (unfit(model) !== null) return [];
  const scan = (await scanOf(workshop, { ...options, model })).toReversed();
  const { candidates } = await workshop.quantiser(steps, FIRST_OPTIONS, context.signal);
  const still = new Set(candidates.map(({ key }) => key));
  const order = scan.map(({ key }) => key).filter((key) => still.has(key));
  return THIN_IN_FLOATS.map((share) =>
    inEightBits(steps, "mse", order.slice(0, Math.round(share * order.length)).sort()),
  );
}

/** Shares of the nodes that stay in floats, in the order in which they are tried while there is time. */
const IN_FLOATS = {
  quick: [0, 0.2],
  normal: [0.2, 0, 0.4, 0.06, 0.13, 0.28, 0.6],
  high: [0.2, 0, 0.4, 0.06, 0.13, 0.28, 0.6, 0.03, 0.1, 0.17, 0.24, 0.34, 0.5, 0.75],
} as const;

/**
 * Sets of nodes that stay in floats. The most sensitive ones first; and, since a budget of time is what
 * they take from, also those that lose most for their time (the greedy solution of the knapsack, which is
 * the Lagrangian one). Time alone would not do: a node in floats amid others in 8 bits costs both borders.
 */
async function keptSets(
  model: Model,
  scan: readonly Sensitivity[],
  { effort, context, feeds, store }: ProposeOptions,
): Promise<readonly (readonly string[])[]> {
  const byLoss = scan.toSorted((a, b) => b.error - a.error);
  const orders = [byLoss];
  if (effort !== "quick") {
    // Remembered, so that a search that is resumed proposes the same again.
    const key = ["times of nodes", await hashOfModel(model)];
    const known = await remembered(store, key, () => timesOf(model, feeds, context));
    const times = new Map(known);
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
): Promise<readonly (readonly [string, number])[]> {
  const { nodes } = await profileModel(model, feeds, { runtime, threads: 1, runs: 3 });
  const times = new Map<string, number>();
  for (const { origin, median } of nodes) {
    if (origin !== null) times.set(origin, (times.get(origin) ?? 0) + median);
  }
  return [...times];
}
