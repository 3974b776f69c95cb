// Models in 8 bits, with those nodes left in floats that lose most.

import { profileModel } from "../../../engine/index.ts";
import { canonicalDomain, type Model } from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import {
  type CalibrationMethod,
  type Sensitivity,
  type StaticOptions,
  sensitivityScan,
} from "../quantise/index.ts";
import { hashOfModel, remembered } from "./memo.ts";
import { inputsFor, type ProposeOptions, SIMPLIFIED } from "./proposing.ts";
import type { RecipeStep } from "./recipe.ts";
import type { Workshop } from "./workshop.ts";

/**
 * Ways to choose ranges. The least square error follows the few samples that it is shown: on five draws of 32 to
 * 48 lines of text it left PP-OCRv4 93 to 99 % of its lines, means of samples' extremes 97 to 98 %.
 */
const METHODS = {
  quick: ["mse", "sample-mean"],
  normal: ["sample-mean", "mse"],
  high: ["sample-mean", "mse", "minmax", "percentile", "entropy"],
} as const satisfies Readonly<Record<string, readonly CalibrationMethod[]>>;

const calibratedBy = (method: CalibrationMethod): StaticOptions => ({ calibration: { method } });

/** Static int8 with more and more nodes left in floats, for several ways to choose ranges. */
export async function quantised(
  workshop: Workshop,
  options: ProposeOptions,
): Promise<readonly (readonly RecipeStep[])[]> {
  const { context, effort } = options;
  const { model } = await workshop.build(SIMPLIFIED, context.signal);
  const refusal = unfit(model);
  if (refusal !== null) {
    options.onRefused("quantise-static", refusal);
    return [];
  }
  const [first] = METHODS[effort];
  const { candidates } = await workshop.quantiser(SIMPLIFIED, calibratedBy(first), context.signal);
  if (candidates.length === 0) {
    options.onRefused("quantise-static", "no node with weights can compute in 8 bits");
    return [];
  }
  const times = effort === "quick" ? null : await knownTimesOf(model, options);
  const found: (readonly (readonly RecipeStep[])[])[] = [];
  for (const method of METHODS[effort]) {
    const scan = await scanOf(workshop, method, { ...options, model });
    const kept = keptSets(scan, times, effort);
    found.push(kept.map((keepFloat) => inEightBits(SIMPLIFIED, method, keepFloat)));
  }
  // By turns, so that each method is judged where time is short.
  const longest = Math.max(...found.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => at).flatMap((at) =>
    found.flatMap((recipes) => recipes.slice(at, at + 1)),
  );
}

const inEightBits = (
  before: readonly RecipeStep[],
  method: CalibrationMethod,
  keepFloat: readonly string[],
): readonly RecipeStep[] => [
  ...before,
  { pass: "quantise-static", options: { calibration: { method }, keepFloat } },
];

function unfit({ opsetImports }: Model): string | null {
  const opset = opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version ?? 0n;
  return opset < 13n ? `the model stays at opset ${opset}; grids by channel came with 13` : null;
}

/**
 * Errors of single nodes in 8 bits: of all of them, or of as many as there is time for. Each method has nodes of its
 * own that its ranges do not suit.
 */
async function scanOf(
  workshop: Workshop,
  method: CalibrationMethod,
  of: ProposeOptions & { readonly model: Model },
): Promise<readonly Sensitivity[]> {
  const { context, store, model, secondsLeft } = of;
  const calibrated = calibratedBy(method);
  const quantiser = await workshop.quantiser(SIMPLIFIED, calibrated, context.signal);
  const hash = await hashOfModel(model);
  const scan = await sensitivityScan(model, quantiser, context, {
    samples: inputsFor(of),
    goOn: () => secondsLeft() > 0,
    remember: (node, compute) =>
      remembered(store, ["sensitivity", hash, calibrated, context.seed, node], compute),
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
  const { context, effort } = options;
  const [method] = METHODS[effort];
  const { model } = await workshop.build(SIMPLIFIED, context.signal);
  if (unfit(model) !== null) return [];
  const scan = (await scanOf(workshop, method, { ...options, model })).toReversed();
  const { candidates } = await workshop.quantiser(steps, calibratedBy(method), context.signal);
  const still = new Set(candidates.map(({ key }) => key));
  const order = scan.map(({ key }) => key).filter((key) => still.has(key));
  return THIN_IN_FLOATS.map((share) =>
    inEightBits(steps, method, order.slice(0, Math.round(share * order.length)).sort()),
  );
}

/** Shares of the nodes that stay in floats, in the order in which they are tried while there is time. */
const IN_FLOATS = {
  quick: [0, 0.2],
  normal: [0.06, 0, 0.2, 0.4, 0.03, 0.1, 0.14, 0.28, 0.6],
  high: [0.06, 0, 0.2, 0.4, 0.03, 0.1, 0.14, 0.28, 0.6, 0.05, 0.08, 0.17, 0.24, 0.34, 0.5, 0.75],
} as const;

/**
 * Sets of nodes that stay in floats. The most sensitive ones first; and, since a budget of time is what
 * they take from, also those that lose most for their time (the greedy solution of the knapsack, which is
 * the Lagrangian one). Time alone would not do: a node in floats amid others in 8 bits costs both borders.
 */
function keptSets(
  scan: readonly Sensitivity[],
  times: ReadonlyMap<string, number> | null,
  effort: ProposeOptions["effort"],
): readonly (readonly string[])[] {
  const byLoss = scan.toSorted((a, b) => b.error - a.error);
  const orders = [byLoss];
  if (times !== null) {
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

/** As `timesOf`, remembered, so that a search that is resumed proposes the same again. */
async function knownTimesOf(
  model: Model,
  { feeds, context, store }: ProposeOptions,
): Promise<ReadonlyMap<string, number>> {
  const key = ["times of nodes", await hashOfModel(model)];
  return new Map(await remembered(store, key, () => timesOf(model, feeds, context)));
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
